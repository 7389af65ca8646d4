# SPDX-License-Identifier: ISC
"""Peers that go by themselves: what never completed a handshake, and what fell silent."""

import pytest

from gatelab import addresses, initiation
from gatelab.waiting import wait_until

pytestmark = pytest.mark.wireguard


def gone(lab, client):
    wait_until(lambda: client.public_key not in lab.gateway.peers(), "the peer to be removed")


def test_peer_that_never_completes_its_handshake(lab):
    pullgate = lab.gateway.start_pullgate(arguments=["-v"], eviction={"unconfirmed_after": "3s"})
    client = lab.add_client(known=True)
    client.raw_sender().send(initiation.make(lab.gateway.public_key, client.private_key),
                             client.outside[4], 4500, addresses.GATEWAY_OUTSIDE[4],
                             addresses.LISTEN_PORT)
    pullgate.wait_event("installed", key=client.public_key)
    pullgate.wait_event("removed", key=client.public_key, reason="unconfirmed")
    gone(lab, client)


def test_idle_peer_goes_and_pulls_itself_back(lab):
    pullgate = lab.gateway.start_pullgate(arguments=["-v"], eviction={"idle_after": "5s"})
    client = lab.add_client(known=True)
    assert client.first_reply() is not None
    pullgate.wait_event("removed", key=client.public_key, reason="idle")
    gone(lab, client)
    assert client.first_reply() is not None
    assert client.public_key in lab.gateway.peers()


def test_peer_in_use_stays(lab):
    """Pings for several times the idle time, without another pull."""
    lab.gateway.start_pullgate(arguments=["-v"], eviction={"idle_after": "5s"})
    client = lab.add_client(known=True)
    assert client.first_reply() is not None
    for _ in range(8):
        client.namespace.run("ping", "-n", "-c", 2, "-i", 1, addresses.GATEWAY_INSIDE[4])
    assert client.public_key in lab.gateway.peers()
    assert len(lab.origin.requests(client.public_key)) == 1
