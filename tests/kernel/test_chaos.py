# SPDX-License-Identifier: ISC
"""Clients connect steadily while something kills and stops pullgate's processes at random.

PULLGATE_CHAOS_SEED repeats a run's choices (when they come depends on the machine all the same);
PULLGATE_FULL=1 takes the breathing spaces away and kills more often.
"""

import contextlib
import os
import random
import signal
import statistics
import time

import pytest

from gatelab import addresses, holdings
from gatelab.traffic import Newcomers, Pings
from gatelab.waiting import Late, wait_until

pytestmark = pytest.mark.wireguard

FULL = bool(os.environ.get("PULLGATE_FULL"))
NEWCOMERS = 6
# A child that was killed ten times in a row waits for 5 s; 10 s of health make that 0 again.
BURST = 40
BETWEEN_BURSTS = 10.5
# What the C library's heap and stack may take beyond what they took after the start.
GROWTH_KILOBYTES = 256


@pytest.fixture
def seed():
    number = int(os.environ.get("PULLGATE_CHAOS_SEED") or random.SystemRandom().randrange(10**6))
    print(f"PULLGATE_CHAOS_SEED={number}")
    return number


class Stage:
    """A lab with two established tunnels, and newcomers until end()."""

    def __init__(self, lab, seed):
        self.lab = lab
        self.gateway = lab.gateway
        self.pullgate = self.gateway.start_pullgate(arguments=["-v"])
        self.established = [lab.add_client(known=True), lab.add_client(known=True, endpoint_version=6)]
        self.known = {client.public_key: (tuple(sorted(client.allowed_ips)), "")
                      for client in self.established}
        clients = [lab.add_client() for _ in range(NEWCOMERS)]
        for client in self.established:
            assert client.first_reply() is not None
        self.held = self.holdings()
        self.kilobytes = holdings.resident_kilobytes(self.pullgate.pid)
        self.pings = [Pings(client) for client in self.established]
        self.newcomers = Newcomers(lab, clients, seed, self.known)

    def holdings(self):
        return holdings.take(self.gateway.namespace, self.pullgate.pid)

    def end(self):
        """What holds after all: see the issue's list. Prints the figures."""
        self.newcomers.end()
        pings = [ping.end() for ping in self.pings]
        seconds = self.newcomers.seconds
        print(f"{len(seconds)} peers connected, the first reply after {statistics.median(seconds):.2f} s "
              f"in the median, {max(seconds):.1f} s at most; {self.newcomers.strangers} strangers didn't; "
              f"{sum(sent for sent, _ in pings)} pings of established tunnels, "
              f"{sum(len(lost) for _, lost in pings)} lost")
        assert self.newcomers.failures == []
        assert [lost for _, lost in pings] == [[], []]
        self.check_peers()
        self.check_log()
        self.check_leftovers()
        assert self.lab.add_client(known=True).first_reply() is not None

    def check_peers(self):
        """Nobody is in the kernel but whom the origin holds, and each as the origin holds it."""
        peers = self.gateway.peers()
        print(f"{len(peers)} peers in the kernel, {len(self.known)} at the origin")
        for key, peer in peers.items():
            assert (tuple(sorted(peer.allowed_ips)), peer.preshared_key) == self.known.get(key), key

    def check_log(self):
        """Nobody was taken for an offender, by any of the supervisors."""
        text = (self.lab.directory / "pullgate.log").read_text(encoding="utf-8")
        for name in ("offence", "offender_killed", "child_misbehaved", "unexpected_message"):
            assert f"event={name} " not in text

    def check_leftovers(self):
        """As after the start: five processes, their descriptors and sockets, the same memory."""
        with contextlib.suppress(Late):
            wait_until(lambda: self.holdings() == self.held, "all to be as after the start", 30, 0.5)
        held = self.holdings()
        assert {what: (self.held[what], held.get(what)) for what in self.held
                if held.get(what) != self.held[what]} == {}
        kilobytes = holdings.resident_kilobytes(self.pullgate.pid)
        print(f"supervisor's memory: {self.kilobytes} kB after the start, {kilobytes} kB now")
        assert kilobytes <= self.kilobytes + GROWTH_KILOBYTES


class Chaos:
    """Kills and stops children of the supervisor."""

    def __init__(self, pullgate, seed):
        self.pullgate = pullgate
        self.rng = random.Random(seed)
        self.counts = {}
        self.struck = set()
        self.stopped = []

    def living(self):
        """Those not yet struck: one that was killed can take a while to end."""
        return {name: pid for pid, name in holdings.children(self.pullgate.pid).items()
                if name and pid not in self.struck}

    def strike(self, number):
        """Sends the signal to one child, whichever lives."""
        living = wait_until(self.living, "a child that lives")
        names = sorted(living)
        if number == signal.SIGSTOP and not FULL and len(names) > 1:
            # It may be silent for 20 s, for its resolver; the others for 5.
            names = [name for name in names if name != "pullgate-connector"]
        name = self.rng.choice(names)
        with contextlib.suppress(ProcessLookupError):
            os.kill(living[name], number)
            self.struck.add(living[name])
            what = f"{number.name} {name}"
            self.counts[what] = self.counts.get(what, 0) + 1
            if number == signal.SIGSTOP:
                self.stopped.append(living[name])

    def burst(self, strikes):
        """Begins with a stop, which it takes seconds to be found; kills go on meanwhile."""
        for number in range(strikes):
            self.strike(signal.SIGKILL if number % BURST else signal.SIGSTOP)
            time.sleep(self.rng.uniform(0.05, 0.35))

    def calm(self, seconds):
        """Waits until every child has been ready for so long."""
        since = {}

        def healthy():
            living = self.living()
            for pid in living.values():
                if pid not in since and self.pullgate.find("child_ready", pid=pid):
                    since[pid] = time.monotonic()
            return sorted(living) == sorted(holdings.PROCESSES[1:]) and all(
                pid in since and time.monotonic() - since[pid] >= seconds
                for pid in living.values())
        wait_until(healthy, "health", 120, 0.2)

    def check_stopped(self):
        """The supervisor has found each that was stopped, and ended it: nobody else did."""
        for pid in self.stopped:
            assert self.pullgate.find("child_ended", pid=pid), pid


def test_children_killed_and_stopped_at_random(lab, seed):
    stage = Stage(lab, seed)
    chaos = Chaos(stage.pullgate, seed)
    began = time.monotonic()
    if FULL:
        chaos.burst(250)
    else:
        for _ in range(4):
            chaos.burst(BURST)
            chaos.calm(BETWEEN_BURSTS)
        chaos.burst(BURST)
    chaos.calm(0)
    print(f"in {time.monotonic() - began:.0f} s: {chaos.counts}")
    assert sum(chaos.counts.values()) >= 200
    chaos.check_stopped()
    stage.end()


def test_supervisor_killed_and_restarted(lab, seed):
    stage = Stage(lab, seed)
    rng = random.Random(seed)
    kills, ready, began = 200 if FULL else 24, 0, time.monotonic()
    for _ in range(kills):
        time.sleep(rng.uniform(0.1, 3))
        ready += bool(stage.pullgate.find("ready", process="pullgate"))
        stage.pullgate.signal(signal.SIGKILL)
        stage.pullgate.wait()
        time.sleep(0.1)  # RestartSec's default
        stage.pullgate = stage.gateway.start_pullgate(arguments=["-v"], ready=False)
    print(f"in {time.monotonic() - began:.0f} s: {kills} times killed, {ready} of them when it was ready")
    stage.pullgate.wait_event("ready", process="pullgate")
    stage.end()
