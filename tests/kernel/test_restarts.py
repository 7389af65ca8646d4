# SPDX-License-Identifier: ISC
"""What a child's end loses: nothing that was under way."""

import json
import os
import signal
import subprocess
import threading

import pytest

from gatelab import hostile, wireguard

pytestmark = pytest.mark.wireguard

CHILDREN = ("capture", "fetcher", "connector", "installer")


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
        # What a capture demanded ends with it, so its client's retry is what connects.
        most = 2 if name == "capture" else 1
        assert any(initiations_around_an_end(lab, pullgate, name, may_answer) <= most
                   for _ in range(3)), name
