# SPDX-License-Identifier: ISC
"""Several origins: who is asked when the first doesn't answer, and that it is asked again once it does.

And the keys that an origin is known by.
"""

import base64
import hashlib

import pytest

from gatelab import command

pytestmark = pytest.mark.wireguard

OTHER_PORTS = 8090, 8490


def both(lab):
    other = lab.add_origin(OTHER_PORTS)
    return other, [lab.origin.url(), other.url()]


def add_client(lab, *origins):
    """A client that these origins know."""
    client = lab.add_client()
    for origin in origins:
        origin.add_peer(client.public_key, client.allowed_ips)
    return client


def assert_first_attempt_connects(client):
    recorder = client.record()
    assert client.first_reply() is not None
    sent = [datagram for datagram in recorder.initiations() if datagram.outgoing]
    assert len(sent) == 1
    recorder.close()


def ask(client):
    client.namespace.popen("ping", "-n", "-c", 1, "-W", 1, "10.64.0.1")


def test_first_is_down_and_comes_back(lab):
    other, urls = both(lab)
    lab.origin.stop()
    pullgate = lab.gateway.start_pullgate(urls, arguments=["-v"])
    for _ in range(3):
        assert_first_attempt_connects(add_client(lab, lab.origin, other))
    assert [request.status for request in other.requests()] == [200] * 3
    assert len(pullgate.find("origin_failover", origin=2)) == 1
    lab.origin.start()
    pullgate.wait_event("connected", origin=1)
    client = add_client(lab, lab.origin, other)
    assert_first_attempt_connects(client)
    assert [request.status for request in lab.origin.requests()] == [200]
    assert not other.requests(client.public_key)
    pullgate.wait_event("origin_restored", origin=1)
    assert len(pullgate.find("origin_failover")) == 1


def test_first_dies_at_work(lab):
    other, urls = both(lab)
    pullgate = lab.gateway.start_pullgate(urls, arguments=["-v"])
    assert_first_attempt_connects(add_client(lab, lab.origin, other))
    assert not other.requests()
    lab.origin.stop()
    assert_first_attempt_connects(add_client(lab, lab.origin, other))
    assert not pullgate.find("answer_failed")


def test_first_knows_better(lab):
    """A definite answer is final, whoever else would say otherwise."""
    other, urls = both(lab)
    pullgate = lab.gateway.start_pullgate(urls, arguments=["-v"])
    client = add_client(lab, other)
    ask(client)
    pullgate.wait_event("outcome", key=client.public_key, result="absent")
    assert [request.status for request in lab.origin.requests(client.public_key)] == [404]
    assert not other.requests()
    assert not lab.gateway.peers()


def test_all_are_down(lab):
    """What is installed stays, and whoever is new is told at once; then all is as before."""
    other, urls = both(lab)
    pullgate = lab.gateway.start_pullgate(
        urls, arguments=["-v"], cache={"fresh_ttl": "2s", "min_revalidate": "1s"})
    installed = add_client(lab, lab.origin, other)
    assert_first_attempt_connects(installed)
    lab.origin.stop()
    other.stop()
    pullgate.wait_event("answer_failed", key=installed.public_key)
    new = add_client(lab, lab.origin, other)
    ask(new)
    pullgate.wait_event("answer_failed", key=new.public_key)
    assert set(lab.gateway.peers()) == {installed.public_key}
    assert installed.ping()
    other.start()
    pullgate.wait_event("response", origin=2, key=installed.public_key)
    assert_first_attempt_connects(add_client(lab, lab.origin, other))


def test_unix_socket_that_comes_later(lab):
    """Its directory isn't there at the start: nobody waits for it, and it is found when it comes."""
    other = lab.add_origin(OTHER_PORTS)
    folder = lab.directory / "run"
    pullgate = lab.gateway.start_pullgate(
        [f"unix:{folder}/origin.sock", other.url()], arguments=["-v"])
    assert_first_attempt_connects(add_client(lab, lab.origin, other))
    assert len(other.requests()) == 1
    lab.origin.stop()
    folder.mkdir(mode=0o755)
    lab.origin.start(server_lines=f"listen unix:{folder}/origin.sock;")
    pullgate.wait_event("connected", origin=1, deadline=120)
    assert_first_attempt_connects(add_client(lab, lab.origin, other))
    assert [request.status for request in lab.origin.requests()] == [200]
    assert not pullgate.find("degraded")


def pin_of(certificate):
    """As docs/configuration.md says."""
    public_key = command.run("openssl", "x509", "-in", certificate, "-noout", "-pubkey")
    lines = public_key.strip().splitlines()
    digest = hashlib.sha256(base64.b64decode("".join(lines[1:-1]))).digest()
    return "sha256//" + base64.b64encode(digest).decode()


def test_pinned_public_key(lab):
    wrong = "sha256//" + base64.b64encode(bytes(32)).decode()
    pins = [wrong, pin_of(lab.origin.certificate)]
    url = lab.origin.url("https")
    pullgate = lab.gateway.start_pullgate(
        url, arguments=["-v"], origin={"pinned_public_key": wrong})
    client = lab.add_client(known=True)
    ask(client)
    failed = pullgate.wait_event("answer_failed", key=client.public_key)
    assert "pinned_public_key" in failed.fields["reason"]
    assert not lab.origin.requests()
    lab.gateway.write_configuration(url, origin={"pinned_public_key": pins})
    pullgate.reload()
    pullgate.wait_event("reloaded")
    assert_first_attempt_connects(lab.add_client(known=True))
