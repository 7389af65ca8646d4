# SPDX-License-Identifier: ISC
"""Every process' system calls under load, as strace sees them, against the lists in sandbox/.

A call that is not listed would have killed the process. What this adds is the other direction: each
row of a list was seen, or stands below with the reason why it must stay. PULLGATE_FULL=1 makes
1,000 lookups instead of 60.
"""

import contextlib
import os
import signal
from collections import Counter
from pathlib import Path

import pytest

from gatelab import addresses, initiation, origin, pki, system_calls, wireguard
from gatelab.name_server import NameServer
from gatelab.waiting import Late, wait_until

pytestmark = [pytest.mark.wireguard, pytest.mark.netem]

LOOKUPS = 1000 if os.environ.get("PULLGATE_FULL") else 60
AT_A_TIME = 20
ATTEMPTS = 5
PATIENCE = 12  # seconds; a demand lives for 10
KNOWN_OF = 5  # every fifth key is known to the origin
REQUESTS_A_CONNECTION = 5
STOPS = 3
# Numbers of the peers made by hand; the lab's own clients count from 0.
FIRST_NUMBER = 1000
PORT = 40000

CHILDREN = ("capture", "fetcher", "connector", "installer")
NEVER_OF_FETCHER = {"clone", "clone3", "fork", "vfork", "execve", "open", "openat", "openat2",
                    "creat", "socket", "socketpair", "connect", "accept", "accept4", "bind"}

# Rows that a load need not call, and why they stay: {(call, reason): why}.
EVERY = {
    ("brk", "malloc: growth and return"): "the heap that the start left may have had room",
    ("mmap", "malloc: large blocks"):
        "malloc's way from 128 kB on, and where brk fails: grows with peers and lookups",
    ("munmap", "malloc: large blocks given back"): "as mmap",
    ("mremap", "realloc: large blocks"): "as mmap",
}
UNSEEN = {
    "supervisor": {
        ("rt_sigreturn", "the way back from a signal handler, where a library sets one"):
            "OpenSSL sets one at its start where it tries a processor's instructions; not on x86-64",
        ("open_tree", "own root: what it shows of the host"):
            "only for an origin behind a Unix socket",
    },
    "capture": {},
    "fetcher": {},
    "connector": {
        ("socket", "origin on this host; getaddrinfo looks for nscd"):
            "this origin is on another host, and getaddrinfo looks again after 100 questions",
        ("futex", "pthread_once wakes waiters that don't exist"):
            "only the first getaddrinfo that takes a path; the start may have taken it",
        ("uname", "the domain, where resolv.conf has none"):
            "only when the resolver reads resolv.conf, which may have been before this",
    },
    "installer": {},
}


class Load:
    """A gateway with an HTTPS origin 100 ms away that has a name, its children under strace."""

    def __init__(self, lab):
        self.lab = lab
        self.lab.origin.stop()
        self.start_origin(has_http2=False)
        self.token = lab.directory / "token"
        self.token.write_text("a-token\n")
        self.pullgate = lab.gateway.start_pullgate(
            url=f"https://{pki.ORIGIN_NAME}:{origin.HTTPS_PORT}/peer/{{key}}", arguments=["-v"],
            origin={"timeout": "30s", "bearer_token_file": self.token},
            cache={"fresh_ttl": "2s", "min_revalidate": "1s", "directory": lab.directory / "cache"},
            eviction={"idle_after": "5s", "unconfirmed_after": "3s"},
            limits={"per_source": "1000/s burst 1000"})
        pids = {name.removeprefix("pullgate-"): pid for name, pid in self.pullgate.children().items()}
        self.traces = [system_calls.Trace(pid, lab.directory / f"strace-{pid}")
                       for pid in (self.pullgate.pid, *pids.values())]
        self.client = lab.add_client(known=True)
        self.sender = self.client.raw_sender()
        self.keys = 0

    def start_origin(self, **options):
        self.lab.origin.start(f"keepalive_requests {REQUESTS_A_CONNECTION};", **options)

    def initiate(self, private_key):
        self.sender.send(initiation.make(self.lab.gateway.public_key, private_key),
                         self.client.outside[4], PORT, addresses.GATEWAY_OUTSIDE[4],
                         addresses.LISTEN_PORT)

    def look_up(self, count):
        """Initiations of so many new keys, some at a time, each waited for until it is answered."""
        for first in range(0, count, AT_A_TIME):
            mark = self.pullgate.mark()
            keys = [self.make_key() for _ in range(min(AT_A_TIME, count - first))]
            for _ in range(ATTEMPTS):
                for key in keys:
                    self.initiate(key)
                keys = self.unanswered(keys, mark)
                if not keys:
                    break
            assert not keys

    def make_key(self):
        """A private key that the origin knows, or doesn't."""
        key = wireguard.make_private_key()
        if self.keys % KNOWN_OF == 0:
            inside = addresses.client_inside(FIRST_NUMBER + self.keys)
            self.lab.origin.add_peer(wireguard.public_key_of(key),
                                     map(addresses.host_prefix, inside.values()))
        self.keys += 1
        return key

    def unanswered(self, keys, mark):
        """Those without an answer when a demand's life is over; on a slow machine there are some."""
        def left():
            answered = {event.fields["key"] for event in self.pullgate.find(
                "outcome", mark, process="pullgate-capture")}
            return [key for key in keys if wireguard.public_key_of(key) not in answered]
        with contextlib.suppress(Late):
            wait_until(lambda: not left(), "answers", PATIENCE, 0.5)
        return left()

    def revoke(self):
        key = wireguard.make_private_key()
        self.lab.origin.revoke_peer(wireguard.public_key_of(key))
        self.initiate(key)
        self.pullgate.wait_event("outcome", key=wireguard.public_key_of(key))

    def interrupt_origin(self):
        """It is down for a moment, then speaks HTTP/2."""
        self.lab.origin.stop()
        mark = self.pullgate.mark()
        self.initiate(wireguard.make_private_key())
        self.pullgate.wait_event("connect_failed", since=mark, process="pullgate-connector")
        self.start_origin()

    def reload(self):
        """With another token, so that the connections that there are must not be used again."""
        self.look_up(1)
        mark = self.pullgate.mark()
        self.token.write_text("another-token\n")
        self.pullgate.reload()
        self.pullgate.wait_event("reloaded", since=mark)

    def change_device(self):
        """Another listen port and back: each time capture is started anew, with another socket."""
        for port in (addresses.LISTEN_PORT + 1, addresses.LISTEN_PORT):
            mark = self.pullgate.mark()
            self.lab.gateway.namespace.run("wg", "set", "wg0", "listen-port", port)
            self.pullgate.wait_event("device_changed", since=mark, port=port)
            self.pullgate.wait_event("child_ready", since=mark, role="capture")

    def connect_clients(self):
        for version in (4, 6):
            client = self.lab.add_client(known=True, endpoint_version=version)
            assert client.first_reply() is not None
        self.pullgate.wait_event("removed", key=client.public_key, reason="idle")

    def kill(self, role):
        """The others get channels to a new process, which is traced from its birth on."""
        mark = self.pullgate.mark()
        os.kill(self.pullgate.children()[f"pullgate-{role}"], signal.SIGKILL)
        self.pullgate.wait_event("child_ready", since=mark, role=role)
        self.look_up(1)

    def stop_and_go_on(self):
        """Each child stopped while it waits: its poll goes on as restart_syscall. One that happens not
        to wait when it is stopped gets another chance."""
        for pid in self.pullgate.children().values():
            for _ in range(STOPS):
                os.kill(pid, signal.SIGSTOP)
                wait_until(lambda: state(pid) in "tT", f"{pid} to stop")
                os.kill(pid, signal.SIGCONT)
                wait_until(lambda: state(pid) in "S", f"{pid} to wait again")

    def end(self):
        """Ends pullgate; what was seen, {role: Counter of (call, arguments)}. What children do passes
        the supervisor's filter too; before they close their own, that alone."""
        self.lab.gateway.stop_pullgate()
        seen = {role: Counter() for role in ("supervisor", *CHILDREN)}
        roles = {int(event.fields["pid"]): event.fields["role"]
                 for event in self.pullgate.find("started", process="pullgate")}
        for trace in self.traces:
            for pid, calls in trace.end().items():
                seen["supervisor"].update(calls)
                if pid in roles:
                    seen[roles[pid]].update(system_calls.behind_filter(calls))
        return seen


def state(pid):
    """As ps(1) shows it in one letter: S waits, T was stopped, t was stopped and is traced."""
    return Path(f"/proc/{pid}/status").read_text(encoding="utf-8").split("State:\t")[1][0]


def count(rows, seen):
    """How often each row's calls were seen, and the calls that no row allows."""
    times, stray = Counter(), set()
    for (call, arguments), number in seen.items():
        row = system_calls.row_of(rows, call, arguments)
        if row:
            times[row] += number
        else:
            stray.add((call, arguments))
    return times, stray


def print_table(role, rows, times, unseen):
    for row in rows:
        why = "" if times[row] else f"; not seen: {unseen.get(row.label, '?')}"
        print(f"{role:<10} {row.call:<22} {times[row]:>6}  {row.reason}{why}")
    seen = [row for row in rows if times[row]]
    print(f"{role}: {len({row.call for row in rows})} calls in {len(rows)} rows on the list; "
          f"{len({row.call for row in seen})} calls in {len(seen)} rows seen {times.total()} times\n")


def problems(role, rows, times, unseen):
    """Rows that were never seen without a reason to stay, and reasons without a row."""
    labels = {row.label for row in rows}
    return [f"{role}: {row.label} was never seen: name why it stays, or remove it"
            for row in rows if not times[row] and row.label not in unseen] + \
        [f"{role}: no row {label}" for label in unseen if label not in labels]


def check(rows, seen):
    """Prints what was seen beside the lists; the two must match."""
    childrens = {row.call for role in CHILDREN for row in rows[role]}
    wrong = []
    assert set(rows) == set(seen)
    for role, listed in rows.items():
        unseen = {**EVERY, **UNSEEN[role]} if role in CHILDREN else UNSEEN[role]
        times, stray = count(listed, seen[role])
        if role == "supervisor":  # its filter also lets through what its list doesn't speak of
            ruled = {row.call for row in listed}
            stray = {(call, arguments) for call, arguments in stray
                     if call in ruled or call not in childrens}
        print_table(role, listed, times, unseen)
        wrong += [f"{role}: {call} {[hex(one) for one in arguments]} is not on the list"
                  for call, arguments in stray]
        wrong += problems(role, listed, times, unseen)
    assert not wrong, "\n".join(wrong)


def test_calls_under_load_are_the_lists(make_lab):
    lab = make_lab(origin_latency_ms=100)
    with NameServer(lab):
        load = Load(lab)
        load.look_up(LOOKUPS // 2)
        load.revoke()
        load.change_device()
        for role in CHILDREN:
            load.kill(role)
        load.interrupt_origin()
        load.reload()
        load.look_up(LOOKUPS - LOOKUPS // 2)
        load.connect_clients()
        load.stop_and_go_on()
        seen = load.end()
    requests = lab.origin.requests()
    connections = len(load.pullgate.find("connected", process="pullgate-connector"))
    kinds = Counter((one.protocol, one.status) for one in requests)
    print(f"\n{len(requests)} HTTPS requests over {connections} connections: {dict(kinds)}\n")
    assert len(requests) >= LOOKUPS
    assert 1 < connections < len(requests)
    assert not NEVER_OF_FETCHER & {call for call, _ in seen["fetcher"]}
    check(system_calls.lists(), seen)
