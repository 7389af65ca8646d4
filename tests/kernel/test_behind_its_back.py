# SPDX-License-Identifier: ISC
"""wg(8) used behind pullgate's back: the client's next retry connects."""

import pytest

from gatelab import wireguard

pytestmark = pytest.mark.wireguard


def connect(lab):
    lab.gateway.start_pullgate(arguments=["-v"])
    client = lab.add_client(known=True)
    assert client.first_reply() is not None
    return client


def test_peer_removed_by_hand_comes_back(lab):
    client = connect(lab)
    lab.gateway.interface.remove_peer(client.public_key)
    assert not lab.gateway.peers()
    assert client.first_reply() is not None
    assert client.public_key in lab.gateway.peers()


def test_peer_removed_by_hand_comes_back_at_once_with_a_new_session(lab):
    """Before pullgate can have noticed: the retry of an installed key is a demand."""
    client = connect(lab)
    lab.gateway.interface.remove_peer(client.public_key)
    client.forget_session()
    assert client.first_reply() is not None
    assert client.public_key in lab.gateway.peers()


def test_syncconf_without_the_peer(lab):
    client, static = connect(lab), lab.add_client()
    lab.gateway.interface.sync_configuration(
        wireguard.interface_section(lab.gateway.private_key, 51820)
        + wireguard.peer_section(static.public_key, static.allowed_ips))
    assert set(lab.gateway.peers()) == {static.public_key}
    assert client.first_reply() is not None
    assert static.first_reply() is not None
    assert set(lab.gateway.peers()) == {client.public_key, static.public_key}
    assert not lab.origin.requests(static.public_key)
