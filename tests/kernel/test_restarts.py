# SPDX-License-Identifier: ISC
"""What a child's end loses: nothing that was under way, and time by its backoff alone."""

import json
import os
import signal
import subprocess
import threading

import pytest

from gatelab import hostile, wireguard
from gatelab.traffic import Pings

pytestmark = pytest.mark.wireguard

CHILDREN = ("capture", "fetcher", "connector", "installer")
FULL = bool(os.environ.get("PULLGATE_FULL"))
# Before the n-th restart: at once, 10 ms, doubled up to 5 s (supervisor/child.h).
BACKOFF = [0, *(0.01 * 2 ** n for n in range(9)), *[5] * 40]


def slow_origin(lab, may_answer):
    """Answers for every client, but once may_answer is set."""
    def behave(connection, path):
        may_answer.wait(60)
        for client in lab.clients:
            if path.endswith(wireguard.url_key(client.public_key)):
                hostile.answer(json.dumps({"public_key": client.public_key,
                                           "allowed_ips": client.allowed_ips}))(connection, path)
    return lab.add_hostile_origin(behave)


def initiations_around_an_end(lab, pullgate, name, may_answer):
    """How many a new client sends to be connected when the child is killed while it waits."""
    client = lab.add_client()
    recorder = client.record()
    may_answer.clear()
    client.namespace.popen("ping", "-n", "-c", 1, "-W", 1, "10.64.0.1", stdout=subprocess.DEVNULL)
    pullgate.wait_event("request", key=client.public_key)
    mark = pullgate.mark()
    os.kill(pullgate.children()[f"pullgate-{name}"], signal.SIGKILL)
    pullgate.wait_event("child_ready", since=mark, role=name)
    may_answer.set()
    pullgate.wait_event("replayed", key=client.public_key)
    assert client.first_reply() is not None
    return len([datagram for datagram in recorder.initiations() if datagram.outgoing])


def test_a_demand_under_way_survives_each_child(lab):
    """Killed while the origin is asked: the client is connected by its first initiation.

    Where a restart takes longer than the 5 s to the client's retry, nothing is told: tried again.
    """
    may_answer = threading.Event()
    pullgate = lab.gateway.start_pullgate(slow_origin(lab, may_answer).url(), arguments=["-v"],
                                          origin={"timeout": "30s"})
    for name in CHILDREN:
        assert any(initiations_around_an_end(lab, pullgate, name, may_answer) == 1
                   for _ in range(3)), name


def end_again_and_again(pullgate, role, times):
    """Kills the child as soon as it has started; the seconds from each end to the next start."""
    gaps = []
    mark = pullgate.mark()
    pid = pullgate.children()[f"pullgate-{role}"]
    for number in range(times):
        os.kill(int(pid), signal.SIGKILL)
        ended = pullgate.wait_event("child_ended", since=mark, role=role, pid=pid, signal="KILL")
        started = pullgate.wait_event("started", since=mark, role=role, count=number + 1)
        pid = started.fields["pid"]
        gaps.append(started.time - ended.time)
    return gaps


def test_a_child_that_is_killed_again_and_again(lab):
    """It backs off, and its first start that is let alone serves; tunnels notice nothing."""
    times = 50 if FULL else 12
    pullgate = lab.gateway.start_pullgate(arguments=["-v"])
    established = lab.add_client(known=True)
    assert established.first_reply() is not None
    pings = Pings(established)
    gaps = end_again_and_again(pullgate, "fetcher", times)
    print("seconds from each end to the next start:", " ".join(f"{gap:.2f}" for gap in gaps))
    # Taken when the lines were read, which can be late: only the long ones say something.
    for gap, backoff in zip(gaps, BACKOFF):
        assert backoff < 1 or gap > backoff / 2
    mark = pullgate.mark()
    client = lab.add_client(known=True)
    assert client.first_reply() is not None
    assert pullgate.find("child_ended", since=mark) == []
    sent, lost = pings.end()
    print(f"{sent} pings of the established tunnel, {len(lost)} lost")
    assert lost == []
