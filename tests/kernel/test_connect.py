# SPDX-License-Identifier: ISC
"""The main job: a key that the kernel doesn't know sends its first initiation, and is connected."""

import pytest

from gatelab import addresses, wireguard

pytestmark = pytest.mark.wireguard

REPLAY, INITIATE, RETRY = "replay", "initiate", "retry"


def start(lab, mode=REPLAY, **changes):
    return lab.gateway.start_pullgate(gateway={"connect": mode}, arguments=["-v"], **changes)


def assert_installed(lab, client):
    peer = lab.gateway.peers()[client.public_key]
    assert set(peer.allowed_ips) == set(client.allowed_ips)
    assert peer.latest_handshake > 0
    return peer


@pytest.mark.parametrize("version", [4, 6])
@pytest.mark.parametrize("mode", [REPLAY, INITIATE, RETRY])
def test_first_attempt(lab, mode, version):
    """By replay and initiate the client's first initiation is its last; by retry a second comes."""
    pullgate = start(lab, mode)
    client = lab.add_client(known=True, endpoint_version=version)
    recorder = client.record()
    assert client.first_reply(4) is not None
    assert client.first_reply(6) is not None
    peer = assert_installed(lab, client)
    assert addresses.url_host(client.outside[version]) in peer.endpoint
    assert peer.keepalive_seconds == 0
    sent = [datagram for datagram in recorder.initiations() if datagram.outgoing]
    received = [datagram for datagram in recorder.initiations() if not datagram.outgoing]
    assert len(sent) == (2 if mode == RETRY else 1)
    assert bool(received) == (mode == INITIATE)
    assert [request.status for request in lab.origin.requests(client.public_key)] == [200]
    assert bool(pullgate.find("replayed", key=client.public_key)) == (mode == REPLAY)


def test_story_of_a_demand_has_one_id(lab):
    pullgate = start(lab)
    client = lab.add_client(known=True)
    assert client.first_reply() is not None
    demand = pullgate.wait_event("demand", key=client.public_key)
    assert demand.fields["source"] == client.outside[4]
    for name in ("request", "response", "installed", "replayed", "outcome"):
        event = pullgate.wait_event(name, key=client.public_key)
        assert event.fields["id"] == demand.fields["id"], name
    assert pullgate.find("response", key=client.public_key)[0].fields["status"] == "200"


def test_preshared_key_and_keepalive(lab):
    pullgate = start(lab)
    preshared = wireguard.make_preshared_key()
    client = lab.add_client(preshared_key=preshared)
    lab.origin.add_peer(client.public_key, client.allowed_ips, preshared, keepalive=25)
    recorder = client.record()
    assert client.first_reply() is not None
    peer = assert_installed(lab, client)
    assert peer.preshared_key == preshared
    assert peer.keepalive_seconds == 25
    assert len([one for one in recorder.initiations() if one.outgoing]) == 1
    assert preshared not in pullgate.log()
    assert preshared.rstrip("=") not in pullgate.log()


@pytest.mark.parametrize("version", [4, 6])
def test_userspace_client(lab, version):
    start(lab)
    client = lab.add_client(known=True, kind="userspace", endpoint_version=version)
    recorder = client.record()
    assert client.first_reply() is not None
    assert_installed(lab, client)
    assert len([one for one in recorder.initiations() if one.outgoing]) == 1


@pytest.mark.netem
@pytest.mark.parametrize("mode", [REPLAY, INITIATE])
def test_latency_to_client_and_origin(make_lab, mode):
    lab = make_lab(origin_latency_ms=100)
    start(lab, mode)
    clients = [lab.add_client(known=True, latency_ms=100, endpoint_version=version)
               for version in (4, 6)]
    for client in clients:
        recorder = client.record()
        assert client.first_reply() is not None
        assert_installed(lab, client)
        assert len([one for one in recorder.initiations() if one.outgoing]) == 1


@pytest.mark.netem
def test_https_with_http2_over_latency(make_lab):
    lab = make_lab(origin_latency_ms=100)
    pullgate = start(lab, url=lab.origin.url("https"))
    clients = [lab.add_client(known=True) for _ in range(3)]
    for client in clients:
        assert client.first_reply() is not None
        assert_installed(lab, client)
    protocols = {request.protocol for request in lab.origin.requests()}
    assert protocols == {"HTTP/2.0"}
    assert pullgate.find("response", http="2")


def test_https_of_an_unknown_authority_is_refused(lab):
    pullgate = start(lab, url=lab.origin.url("https"),
                     origin={"ca_file": "/etc/ssl/certs/ca-certificates.crt", "timeout": "20s"})
    client = lab.add_client(known=True)
    assert client.first_reply(deadline=1) is None
    event = pullgate.wait_event("answer_failed", key=client.public_key)
    assert "certificate" in event.fields["reason"].lower()
    assert not lab.gateway.peers()


def test_many_clients_at_once(lab):
    start(lab)
    clients = [lab.add_client(known=True, endpoint_version=4 + number % 2 * 2)
               for number in range(8)]
    for client in clients:
        client.namespace.popen("ping", "-n", "-c", 1, "-W", 1, addresses.GATEWAY_INSIDE[4])
    assert all(client.first_reply() is not None for client in clients)
    assert set(lab.gateway.peers()) == {client.public_key for client in clients}


def test_unknown_key_is_not_installed_and_asked_for_once(lab):
    """A 404 holds for negative_ttl; a key made known after it connects with the next retry."""
    pullgate = start(lab, cache={"negative_ttl": "3s"})
    client = lab.add_client()
    assert client.first_reply(deadline=2) is None
    outcome = pullgate.wait_event("outcome", key=client.public_key)
    assert outcome.fields["result"] == "absent"
    assert [request.status for request in lab.origin.requests(client.public_key)] == [404]
    assert not lab.gateway.peers()
    lab.origin.add_peer(client.public_key, client.allowed_ips)
    assert client.first_reply() is not None
    assert_installed(lab, client)


def test_static_peers_are_left_alone(lab):
    """A peer of the operator's own, there before or made later, needs no pull and is not touched."""
    before, after = lab.add_client(), lab.add_client()
    lab.gateway.add_static_peer(before)
    start(lab, eviction={"unconfirmed_after": "1s", "idle_after": "1s"})
    assert before.first_reply() is not None
    lab.gateway.add_static_peer(after)
    assert after.first_reply() is not None
    pulled = lab.add_client(known=True)
    assert pulled.first_reply() is not None
    assert {before.public_key, after.public_key} <= set(lab.gateway.peers())
    assert not lab.origin.requests(before.public_key)
