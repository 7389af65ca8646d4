# SPDX-License-Identifier: ISC
"""What must not be installed, and what must not even reach the origin."""

import os
import signal

import pytest

from gatelab import addresses, initiation, wireguard
from gatelab.waiting import wait_until

pytestmark = pytest.mark.wireguard

PORT = addresses.LISTEN_PORT
STRANGER = {4: "203.0.113.77", 6: "2001:db8:bad::77"}


def send(client, payload, version=4, source=None, port=4500):
    client.raw_sender().send(payload, source or client.outside[version], port,
                             addresses.GATEWAY_OUTSIDE[version], PORT)


def assert_served_next(lab, ip_version=4):
    """An honest client connects: whatever came before it has been dealt with by then."""
    honest = lab.add_client(known=True, endpoint_version=ip_version)
    assert honest.first_reply() is not None
    return honest


@pytest.mark.parametrize("version", [4, 6])
def test_honest_initiation_by_hand_is_installed(lab, version):
    """The tests below forge what this makes honestly: it is accepted."""
    pullgate = lab.gateway.start_pullgate(arguments=["-v"])
    client = lab.add_client(known=True)
    send(client, initiation.make(lab.gateway.public_key, client.private_key), version)
    pullgate.wait_event("installed", key=client.public_key)
    assert set(lab.gateway.peers()) == {client.public_key}


def test_key_that_the_origin_does_not_know(lab):
    pullgate = lab.gateway.start_pullgate(arguments=["-v"])
    client = lab.add_client()
    send(client, initiation.make(lab.gateway.public_key, client.private_key))
    pullgate.wait_event("outcome", key=client.public_key, result="absent")
    assert [request.status for request in lab.origin.requests(client.public_key)] == [404]
    honest = assert_served_next(lab)
    assert set(lab.gateway.peers()) == {honest.public_key}


def test_revoked_key(lab):
    pullgate = lab.gateway.start_pullgate(arguments=["-v"])
    client = lab.add_client(known=True)
    lab.origin.revoke_peer(client.public_key)
    send(client, initiation.make(lab.gateway.public_key, client.private_key))
    pullgate.wait_event("outcome", key=client.public_key, result="revoked")
    assert [request.status for request in lab.origin.requests(client.public_key)] == [410]
    assert not lab.gateway.peers()


@pytest.mark.parametrize("version", [4, 6])
def test_mac1_for_another_gateway(lab, version):
    lab.gateway.start_pullgate(arguments=["-v"])
    client = lab.add_client(known=True)
    other = wireguard.public_key_of(wireguard.make_private_key())
    send(client, initiation.make(lab.gateway.public_key, client.private_key, mac1_key=other),
         version)
    honest = assert_served_next(lab)
    assert set(lab.gateway.peers()) == {honest.public_key}
    assert not lab.origin.requests(client.public_key)


@pytest.mark.parametrize("version", [4, 6])
def test_forged_initiation_with_a_real_key(lab, version):
    """Anyone can seal a real peer's public key; only its owner can seal the timestamp."""
    lab.gateway.start_pullgate(arguments=["-v"])
    victim = lab.add_client(known=True)
    send(victim, initiation.make(lab.gateway.public_key, claimed_key=victim.public_key), version)
    honest = assert_served_next(lab)
    assert set(lab.gateway.peers()) == {honest.public_key}
    assert not lab.origin.requests(victim.public_key)


def test_packets_not_for_this_host_make_no_demand(lab):
    """To an address that is not the gateway's, and from one that is or that nobody can have."""
    lab.gateway.start_pullgate(arguments=["-v"])
    client = lab.add_client(known=True)
    sender = client.raw_sender()
    gateway = addresses.GATEWAY_OUTSIDE[4]
    for source, destination in (("198.18.0.2", "203.0.113.9"), (gateway, gateway),
                                ("127.0.0.1", gateway), ("224.0.0.1", gateway),
                                ("0.0.0.0", gateway), ("255.255.255.255", gateway),
                                ("198.18.0.2", "255.255.255.255"), ("198.18.0.2", "224.0.0.1")):
        sender.send(initiation.make(lab.gateway.public_key, client.private_key), source, 4500,
                    destination, PORT)
    honest = assert_served_next(lab)
    assert set(lab.gateway.peers()) == {honest.public_key}
    assert not lab.origin.requests(client.public_key)


@pytest.mark.parametrize("version", [4, 6])
def test_recorded_initiations_after_eviction_and_restart(lab, version):
    """A first initiation and a re-handshake, sent again from elsewhere when the peer is gone."""
    pullgate = lab.gateway.start_pullgate(arguments=["-v"], eviction={"idle_after": "10s"})
    client = lab.add_client(known=True, endpoint_version=version)
    recorder = client.record()
    assert client.first_reply() is not None
    client.forget_session()
    assert client.first_reply() is not None
    recorded = [one for one in recorder.initiations() if one.outgoing]
    assert len(recorded) == 2
    client.interface.remove_peer(lab.gateway.public_key)  # says nothing more by itself
    requests = len(lab.origin.requests(client.public_key))

    pullgate.wait_event("removed", key=client.public_key, reason="idle")
    wait_until(lambda: not lab.gateway.peers(), "the peer to be evicted")
    mark = pullgate.mark()
    os.kill(pullgate.children()["pullgate-capture"], signal.SIGKILL)
    pullgate.wait_event("child_restarted", since=mark, role="capture")
    pullgate.wait_event("child_ready", since=mark, role="capture")

    attacker = lab.add_client()
    for datagram in recorded:
        attacker.raw_sender().replay(datagram, source=STRANGER[version], source_port=4500)
    honest = assert_served_next(lab, version)
    assert set(lab.gateway.peers()) == {honest.public_key}
    assert len(lab.origin.requests(client.public_key)) == requests

    client.configure(endpoint_version=version)
    assert client.first_reply() is not None
    assert client.public_key in lab.gateway.peers()
