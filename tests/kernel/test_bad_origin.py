# SPDX-License-Identifier: ISC
"""An origin that lies or stalls: nothing is installed, the log says why, the next is served."""

import json

import pytest

from gatelab import hostile, wireguard

pytestmark = pytest.mark.wireguard

OTHER_KEY = wireguard.public_key_of(wireguard.make_private_key())


def peer_body(key, *allowed_ips):
    return json.dumps({"public_key": key, "allowed_ips": allowed_ips})


def only_for(lab, bad, behaviour):
    """Hostile to the bad key alone; every other one gets its honest answer."""
    def behave(connection, path):
        if path.endswith(wireguard.url_key(bad.public_key)):
            behaviour(connection, path)
            return
        for client in lab.clients:
            if path.endswith(wireguard.url_key(client.public_key)):
                hostile.answer(peer_body(client.public_key, *client.allowed_ips))(connection, path)
    return behave


def run(lab, behaviour, event, reason):
    bad = lab.add_client()
    origin = lab.add_hostile_origin(only_for(lab, bad, behaviour(bad)))
    pullgate = lab.gateway.start_pullgate(origin.url(), arguments=["-v"],
                                          origin={"timeout": "2s"})
    bad.namespace.popen("ping", "-n", "-c", 1, "-W", 1, "10.64.0.1")
    found = pullgate.wait_event(event, key=bad.public_key)
    assert reason in found.fields["reason"], found.text
    honest = lab.add_client()
    assert honest.first_reply() is not None
    assert set(lab.gateway.peers()) == {honest.public_key}


def test_answer_for_another_key(lab):
    run(lab, lambda bad: hostile.answer(peer_body(OTHER_KEY, *bad.allowed_ips)),
        "answer_failed", "public_key")


@pytest.mark.parametrize("allowed", ["192.168.0.1/32", "10.0.0.0/8", "0.0.0.0/0", "2001:db8::/64"])
def test_allowed_ips_outside_the_policy(lab, allowed):
    run(lab, lambda bad: hostile.answer(peer_body(bad.public_key, allowed)), "rejected", allowed)


def test_too_many_allowed_ips(lab):
    many = [f"10.64.1.{number}/32" for number in range(9)]
    run(lab, lambda bad: hostile.answer(peer_body(bad.public_key, *many)),
        "answer_failed", "allowed_ips")


@pytest.mark.parametrize("announced", [True, False])
def test_a_body_of_a_gigabyte(lab, announced):
    run(lab, lambda bad: hostile.endless(1 << 30, announced), "answer_failed", "65536")


def test_no_answer_ever(lab):
    run(lab, lambda bad: hostile.silence(), "answer_failed", "time")


def test_redirects_are_not_followed(lab):
    run(lab, lambda bad: hostile.answer("", "302 Found", ["Location: file:///etc/shadow"]),
        "answer_failed", "302")


def test_an_origin_that_is_down(lab):
    pullgate = lab.gateway.start_pullgate(arguments=["-v"])
    lab.origin.stop()
    client = lab.add_client(known=True)
    client.namespace.popen("ping", "-n", "-c", 1, "-W", 1, "10.64.0.1")
    pullgate.wait_event("answer_failed", key=client.public_key)
    lab.origin.start()
    assert client.first_reply() is not None
