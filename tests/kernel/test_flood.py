# SPDX-License-Identifier: ISC
"""A flood of initiations with right mac1 and right seals, three times what capture can verify.

It comes from random sources, and each initiation has a key of its own. Who reconnects meanwhile
from where he was before connects with his first initiation: that is the verdict. The figures that
are printed beside it are for comparing within one run.
"""

import math
import os
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from gatelab import addresses, flood, packets, wireguard
from gatelab.waiting import wait_until

pytestmark = pytest.mark.wireguard

TIMES_WHAT_IS_VERIFIED = 3
# Seconds after which a key comes again: what the origin said of it is forgotten by then.
CYCLE = 5
# As on a machine of our days with the default 500/s: what is proven of a flood, in the half of the
# time that it may take, is ten times what the origin may be asked.
VERIFIED_TO_ASKED = 20

PEERS = 20
NEWCOMERS = 3
OVERLOADED_PEERS = 3
# How long somebody tries who may not succeed: five attempts.
PATIENCE = 22
# Where one fails that must not, some more are tried for the figures' sake, but not all.
FAILURES = 3


class Peer:
    """Somebody of the fleet, wherever he is."""

    def __init__(self, number, origin):
        self.private_key = wireguard.make_private_key()
        self.inside = addresses.client_inside(1000 + number)
        origin.add_peer(wireguard.public_key_of(self.private_key),
                        [addresses.host_prefix(address) for address in self.inside.values()])


@dataclass
class Attempt:
    """How a peer connected. Cookies are what the kernel answered instead, being overloaded."""

    seconds: float  # None: not at all
    initiations: int
    cookies: int

    def __str__(self):
        how = f"not within {PATIENCE} s" if self.seconds is None \
            else f"after {self.seconds * 1000:.0f} ms"
        return f"{how}, {self.initiations} initiations, {self.cookies} cookies"


def connect(client, peer, deadline=PATIENCE):
    """The peer comes, in the client's place, without a session, and pings the gateway."""
    client.become(peer.private_key, peer.inside)
    recorder = client.record()
    seconds = client.first_reply(deadline=deadline)
    seen = recorder.datagrams()
    recorder.close()
    return Attempt(seconds,
                   sum(datagram.outgoing and datagram.is_initiation for datagram in seen),
                   sum(not datagram.outgoing and datagram.payload[:1] == bytes([packets.COOKIE])
                       for datagram in seen))


def connect_all(client, peers):
    """One after the other."""
    attempts = []
    for peer in peers:
        attempts.append(connect(client, peer))
        if sum(attempt.initiations != 1 for attempt in attempts) >= FAILURES:
            break
    return attempts


def connect_at_once(clients, peers):
    """Each peer in another client's place."""
    attempts = [None] * len(peers)

    def work(number):
        attempts[number] = connect(clients[number], peers[number])
    threads = [threading.Thread(target=work, args=(number,)) for number in range(len(peers))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return attempts


def wait_until_all_are_evicted(lab):
    wait_until(lambda: not lab.gateway.peers(), "all peers to be evicted")


HEADINGS = ("known clients at a known source", "connections", "with one initiation", "p50 ms",
            "p90 ms", "p99 ms", "greatest ms")


def row(name, attempts):
    """A line of the table: times to the first ping's answer."""
    times = sorted(attempt.seconds * 1000 for attempt in attempts if attempt.seconds is not None)
    quantiles = [f"{times[math.ceil(part * len(times)) - 1]:.0f}" if times else "-"
                 for part in (0.5, 0.9, 0.99, 1)]
    first = sum(attempt.initiations == 1 for attempt in attempts)
    return " | ".join([name, str(len(attempts)), str(first), *quantiles])


@pytest.fixture
def make_flood():
    """Makes floods that end with the test."""
    floods = []

    def make(*arguments):
        floods.append(flood.Flood(*arguments))
        return floods[-1]

    yield make
    for each in floods:
        each.close()


def test_under_flood(lab, make_flood, capsys):
    rates = flood.measure()
    rate = TIMES_WHAT_IS_VERIFIED * rates["verified"]
    client, attacker = lab.add_client(), lab.add_client()
    places = [lab.add_client() for _ in range(2 * NEWCOMERS)]
    torrent = make_flood(attacker, CYCLE * rate)
    known = [Peer(number, lab.origin) for number in range(PEERS)]
    strangers = [Peer(PEERS + number, lab.origin) for number in range(NEWCOMERS + 1)]
    pullgate = lab.gateway.start_pullgate(
        eviction={"idle_after": "5s"},
        origin={"requests": f"{max(1, rates['verified'] // VERIFIED_TO_ASKED)}/s"})
    capture = pullgate.children()["pullgate-capture"]
    torrent.ready()

    lines = [f"capture, measured alone, judges a second: {rates['verified']} right initiations, "
             f"{rates['unsealed']} without a right seal, {rates['rejected']} without a right mac1",
             "", " | ".join(HEADINGS), " | ".join(["---"] * len(HEADINGS))]
    lines.append(row("first connection, no flood", connect_all(client, known)))
    wait_until_all_are_evicted(lab)
    lines.append(row("again, no flood", connect_all(client, known)))
    wait_until_all_are_evicted(lab)

    # A gateway that drops forged packets: capture sees them all the same, the kernel doesn't.
    name = attacker.gateway_interface
    lab.gateway.namespace.sysctl(f"ipv4/conf/{name}/rp_filter", 1)
    began = time.monotonic()
    torrent.send(rate)
    under_flood = connect_all(client, known)
    lines.append(row("again, under flood", under_flood))
    newcomers = connect_at_once(places, known[:NEWCOMERS] + strangers[:NEWCOMERS])
    wait_until_all_are_evicted(lab)

    # One that doesn't.
    lab.gateway.namespace.sysctl(f"ipv4/conf/{name}/rp_filter", 0)
    overloaded = connect_all(client, known[:OVERLOADED_PEERS])
    torrent.send(0)
    took = time.monotonic() - began
    sent = torrent.end()
    shed = pullgate.find("dropped", process="pullgate-capture")

    lines += ["", "at a source that was never seen, under flood:"]
    lines += [f"  known key  {attempt}" for attempt in newcomers[:NEWCOMERS]]
    lines += [f"  new key    {attempt}" for attempt in newcomers[NEWCOMERS:]]
    lines += ["", "known key at a known source, when the flood reaches the kernel too:"]
    lines += [f"  {attempt}" for attempt in overloaded]
    lines += ["", f"{sent} packets in {took:.0f} s, {sent / took:.0f} a second",
              *(event.text for event in shed[-1:])]
    with capsys.disabled():
        print("\n\n" + "\n".join(lines) + "\n")
    results = os.environ.get("PULLGATE_RESULTS")
    if results:
        (Path(results) / "flood.md").write_text("\n".join(lines) + "\n", encoding="ascii")

    assert [attempt.initiations for attempt in under_flood] == [1] * PEERS
    assert int(shed[-1].fields["unproven"]) > 0
    assert pullgate.children()["pullgate-capture"] == capture
    # The flood is over, and whoever comes is served.
    assert connect(places[0], strangers[-1], deadline=95).seconds is not None
