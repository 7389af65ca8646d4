# SPDX-License-Identifier: ISC
"""Runs the stages, one after the other, against one pullgate; each must leave it as it was."""

import os
import re
from pathlib import Path

from gatelab import addresses, holdings, initiation, wireguard
from gatelab.name_server import NameServer
from gatelab.waiting import Late, wait_until

from . import row as rows
from .canaries import Canaries
from .row import FOUND, Peer, Result
from .stage import LONG

PORT = 40000
# Numbers of the peers made by hand; the lab's own clients count from 0.
FIRST_NUMBER = 1000
CONCURRENCY = 64
# What the fetcher may have: a connection a request, spares, and what is on its way from the connector.
CONNECTIONS = CONCURRENCY + 8
# Connections that the connector makes at a time.
CONNECTS = 64
# Of one key: some failures are tried again, refused streams by libcurl too.
REQUESTS = 20
PEAK_KILOBYTES = 64 * 1024
# What a slow machine can be the reason of, or a kept connection that ends under a request: unless the
# row says so too, the key is asked for again, as a client would.
CHANCE = "for its turn|timed out|reset by peer|Broken pipe|reply"
ATTEMPTS = 3


def peak_kilobytes(pid):
    """The most memory that the process ever had (status: VmHWM)."""
    text = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    return int(re.search(r"^VmHWM:\s+(\d+) kB", text, re.M).group(1))


class Course:
    """A gateway with pullgate, one honest client, and one whose initiations are made by hand.

    The breaker is off: what one row does must not keep another from the origin.

    tell(stage, row, result) is called for each row as it ends.
    """

    def __init__(self, lab, tell):
        self.lab = lab
        self._tell = tell
        self.pullgate = None
        self._results = {}
        self._problems = {}
        self._numbers = FIRST_NUMBER
        self._installed = {}
        self._names = NameServer(lab)  # before pullgate starts, which takes resolv.conf with it
        self._canaries = Canaries(lab.gateway.namespace)
        self._honest = lab.add_client()
        self._sender = lab.add_client(kind="none").raw_sender()
        self._source = lab.clients[-1].outside[4]

    def result(self, stage, row):
        """How the row ended; runs its stage if that has not been. KeyError if it broke off."""
        self._run_once(stage)
        return self._results[row]

    def problems(self, stage):
        """What was not right behind the stage, as texts."""
        self._run_once(stage)
        return self._problems[stage]

    def _run_once(self, stage):
        if stage not in self._problems:
            self._problems[stage] = ["the stage did not end: see its first row's error"]
            self._run(stage)

    def _run(self, stage):
        origin = stage.opens(self.lab)
        try:
            self._configure(stage, origin)
            problems = []
            for first in range(0, len(stage.rows), stage.at_once):
                problems += self._run_rows(stage, origin, stage.rows[first:first + stage.at_once])
            self._problems[stage] = problems + self._look_around(stage, origin)
        finally:
            origin.close()

    def close(self):
        """Ends what the lab does not."""
        self._names.close()
        self._canaries.close()

    # pullgate

    def _configure(self, stage, origin):
        settings = {"timeout": LONG, "concurrency": CONCURRENCY, "breaker": "off",
                    **origin.settings, **stage.settings}
        changes = {"origin": settings,
                   # Nobody is asked about again, whatever a row says of freshness: the next stage's
                   # origin knows nothing of this one's.
                   "cache": {"fresh_ttl": "1d", "min_revalidate": "1d"},
                   "eviction": {"idle_after": "off", "unconfirmed_after": "1h"},
                   "limits": {"per_source": "1000/s burst 1000"}}
        gateway = self.lab.gateway
        if self.pullgate is None:
            self.pullgate = gateway.start_pullgate(origin.url, arguments=["-v"], **changes)
            self._processes = self._pids()
            self._descriptors_before = self._descriptors()
            self._held = holdings.take(gateway.namespace, self.pullgate.pid)
            return
        gateway.write_configuration(origin.url, **changes)
        mark = self.pullgate.mark()
        self.pullgate.reload()
        self.pullgate.wait_event("reloaded", since=mark)

    def _pids(self):
        return {"pullgate": self.pullgate.pid, **self.pullgate.children()}

    def _descriptors(self):
        return {name: len(os.listdir(f"/proc/{pid}/fd")) for name, pid in self._processes.items()}

    # Rows

    def _make_peer(self):
        self._numbers += 1
        return Peer(self._numbers, wireguard.make_private_key())

    def _initiate(self, peer):
        self._sender.send(initiation.make(self.lab.gateway.public_key, peer.private_key),
                         self._source, PORT, addresses.GATEWAY_OUTSIDE[4], addresses.LISTEN_PORT)

    def _reason(self, peer, since):
        for name in ("answer_failed", "rejected", "install_failed"):
            found = self.pullgate.find(name, since, key=peer.public_key)
            if found:
                return found[-1].fields["reason"]
        return ""

    def _await(self, peer, since, row=None):
        """The Result of a demand that was made."""
        for _ in range(ATTEMPTS):
            event = self.pullgate.wait_event("outcome", since, key=peer.public_key)
            result = Result(rows.RESULTS[event.fields["result"]], self._reason(peer, since))
            if not re.search(CHANCE, result.reason) or row and row.is_as_stated(result):
                break
            since = self.pullgate.mark()
            self._initiate(peer)
        if result.outcome == FOUND:
            self._installed[peer.public_key] = tuple(sorted(peer.allowed_ips))
        return result

    def _run_rows(self, stage, origin, some):
        """Asks for the rows' peers at once; what else was wrong, as texts."""
        mark = self.pullgate.mark()
        peers = [(row, self._make_peer()) for row in some]
        for row, peer in peers:
            origin.begin(row, peer)
        for _, peer in peers:
            self._initiate(peer)
        problems = []
        for row, peer in peers:
            result = self._await(peer, mark, row)
            origin.end(row, peer)
            self._results[row] = result
            self._tell(stage, row, result)
            asked = origin.asked(peer)
            if asked is not None and asked > REQUESTS:
                problems.append(f"{row.origin}: {asked} requests for one key")
        if stage.followed:
            problems += self._ask_another(origin, some[0])
        return problems

    def _ask_another(self, origin, row):
        """Another key's own answer comes, whatever the row left behind."""
        mark, peer = self.pullgate.mark(), self._make_peer()
        origin.welcome(peer)
        self._initiate(peer)
        result = self._await(peer, mark)
        return [] if result.outcome == FOUND else [f"{row.origin}: the next key's end is {result}"]

    # Afterwards

    def _look_around(self, stage, origin):
        problems = []
        if self._pids() != self._processes:
            problems.append(f"processes were {self._processes}, are {self._pids()}")
        for name in ("offence", "offender_killed", "child_ended"):
            problems += [event.text for event in self.pullgate.find(name)]
        if stage.honest:
            problems += self._serve_honest_client(origin)
        if origin.strays():
            problems.append(f"asked for: {origin.strays()}")
        if self._canaries.caught():
            problems.append(f"connections to {self._canaries.caught()}")
        return problems + self._look_at_peers() + self._look_at_processes()

    def _serve_honest_client(self, origin):
        peer = self._make_peer()
        origin.welcome(peer)
        self._honest.become(peer.private_key, peer.inside)
        if self._honest.first_reply() is None:
            return ["an honest client had no reply"]
        self._installed[peer.public_key] = tuple(sorted(peer.allowed_ips))
        return []

    def _look_at_peers(self):
        kernel = {key: tuple(sorted(peer.allowed_ips))
                  for key, peer in self.lab.gateway.peers().items()}
        return [] if kernel == self._installed else [
            f"installed, but not found: {set(kernel) - set(self._installed)}; found, but not "
            f"installed: {set(self._installed) - set(kernel)}; others differ"]

    def _look_at_processes(self):
        problems = []
        for name, count in self._descriptors().items():
            more = {"pullgate-fetcher": CONNECTIONS, "pullgate-connector": CONNECTS}.get(name, 0)
            if count > self._descriptors_before[name] + more:
                problems.append(f"{name}: {count} descriptors, {self._descriptors_before[name]} before")
        peak = peak_kilobytes(self._processes["pullgate-fetcher"])
        if peak > PEAK_KILOBYTES:
            problems.append(f"the fetcher's memory: {peak} kB at its peak")
        return problems

    def left_behind(self):
        """What is held now and was not at the start, or the other way round; a text, or ""."""
        seen = {}

        def same():
            seen.update(holdings.take(self.lab.gateway.namespace, self.pullgate.pid))
            return seen == self._held
        try:
            wait_until(same, "the holdings to be as before")
        except Late:
            return f"held {self._held}, holds {seen}"
        return ""
