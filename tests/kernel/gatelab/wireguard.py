# SPDX-License-Identifier: ISC
"""Keys and interfaces of WireGuard, by way of wg(8)."""

import base64
import functools
import os
import time
from dataclasses import dataclass

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from . import command


@functools.lru_cache(maxsize=1)
def available():
    """Whether this kernel makes WireGuard interfaces."""
    try:
        command.run("unshare", "--net", "ip", "link", "add", "probe", "type", "wireguard")
    except command.CommandFailed:
        return False
    return True


def make_private_key():
    """A private key as wg(8) writes it."""
    key = X25519PrivateKey.generate()
    return base64.b64encode(key.private_bytes(serialization.Encoding.Raw,
                                              serialization.PrivateFormat.Raw,
                                              serialization.NoEncryption())).decode()


def make_preshared_key():
    """A preshared key as wg(8) writes it."""
    return base64.b64encode(os.urandom(32)).decode()


def public_key_of(private_key):
    """The public key that belongs to a private one, both as wg(8) writes them."""
    key = X25519PrivateKey.from_private_bytes(base64.b64decode(private_key))
    return base64.b64encode(key.public_key().public_bytes(
        serialization.Encoding.Raw, serialization.PublicFormat.Raw)).decode()


def url_key(public_key):
    """A key as it stands in the origin's URL: URL-safe base64 without padding."""
    return public_key.translate(str.maketrans("+/", "-_")).rstrip("=")


@dataclass(frozen=True)
class Peer:
    """One peer as the kernel shows it. Handshake and keepalive are 0 where there is none."""

    public_key: str
    preshared_key: str
    endpoint: str
    allowed_ips: tuple
    latest_handshake: int
    received_bytes: int
    sent_bytes: int
    keepalive_seconds: int


def _parse_peer(line):
    key, preshared, endpoint, allowed, handshake, received, sent, keepalive = line.split("\t")
    return Peer(key, "" if preshared == "(none)" else preshared,
                "" if endpoint == "(none)" else endpoint,
                () if allowed == "(none)" else tuple(allowed.split(",")),
                int(handshake), int(received), int(sent),
                0 if keepalive == "off" else int(keepalive))


class Interface:
    """A WireGuard interface in a namespace: the kernel's, or a userspace process' one."""

    def __init__(self, namespace, name):
        self.namespace = namespace
        self.name = name

    def set_configuration(self, text):
        """wg setconf: replaces everything. In one message a peer; kernel peers vanish before."""
        self.namespace.run("wg", "setconf", self.name, "/dev/stdin", stdin=text)

    def sync_configuration(self, text):
        """wg syncconf: changes what differs, and removes peers that the text doesn't have."""
        self.namespace.run("wg", "syncconf", self.name, "/dev/stdin", stdin=text)

    def configuration(self):
        """wg showconf."""
        return self.namespace.run("wg", "showconf", self.name)

    def peers(self):
        """All peers, by public key."""
        lines = self.namespace.run("wg", "show", self.name, "dump").splitlines()[1:]
        return {peer.public_key: peer for peer in map(_parse_peer, lines)}

    def set_peer(self, public_key, *words):
        """wg set ... peer KEY WORDS: set_peer(key, "allowed-ips", "10.64.0.7/32")."""
        self.namespace.run("wg", "set", self.name, "peer", public_key, *words)

    def remove_peer(self, public_key):
        """wg set ... peer KEY remove."""
        self.set_peer(public_key, "remove")

    def handshake_age(self, public_key):
        """Seconds since the peer's last handshake; None without a peer or a handshake."""
        peer = self.peers().get(public_key)
        return time.time() - peer.latest_handshake if peer and peer.latest_handshake else None


def peer_section(public_key, allowed_ips, preshared_key=None, endpoint=None, keepalive=None):
    """A [Peer] section as wg setconf reads it."""
    lines = ["[Peer]", f"PublicKey = {public_key}", f"AllowedIPs = {', '.join(allowed_ips)}"]
    if preshared_key:
        lines.append(f"PresharedKey = {preshared_key}")
    if endpoint:
        lines.append(f"Endpoint = {endpoint}")
    if keepalive:
        lines.append(f"PersistentKeepalive = {keepalive}")
    return "\n".join(lines) + "\n"


def interface_section(private_key, listen_port=None):
    """An [Interface] section as wg setconf reads it."""
    port = f"ListenPort = {listen_port}\n" if listen_port else ""
    return f"[Interface]\nPrivateKey = {private_key}\n{port}"
