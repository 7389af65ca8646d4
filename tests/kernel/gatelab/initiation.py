# SPDX-License-Identifier: ISC
"""Handshake initiations made by hand, right or forged (WireGuard paper, section 5.4.2).

Only Python's hashlib and Debian's python3-cryptography are used, so that this initiator shares no
code with the responder that it tests.
"""

import base64
import hashlib
import os
import struct
import time

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

CONSTRUCTION = b"Noise_IKpsk2_25519_ChaChaPoly_BLAKE2s"
IDENTIFIER = b"WireGuard v1 zx2c4 Jason@zx2c4.com"
LABEL_MAC1 = b"mac1----"
TAI64_EPOCH = 0x400000000000000A


def _hash(*parts):
    return hashlib.blake2s(b"".join(parts)).digest()


def _hmac(key, data):
    key = key.ljust(64, b"\0")
    inner = _hash(bytes(byte ^ 0x36 for byte in key), data)
    return _hash(bytes(byte ^ 0x5C for byte in key), inner)


def _kdf2(key, data):
    secret = _hmac(key, data)
    first = _hmac(secret, b"\x01")
    return first, _hmac(secret, first + b"\x02")


def _seal(key, text, associated):
    return ChaCha20Poly1305(key).encrypt(bytes(12), text, associated)


def tai64n(when=None):
    """A TAI64N timestamp of a Unix time, now by default."""
    when = time.time() if when is None else when
    return struct.pack("!QI", TAI64_EPOCH + int(when), int(when % 1 * 1e9))


def _public(private):
    return private.public_key().public_bytes(serialization.Encoding.Raw,
                                             serialization.PublicFormat.Raw)


def make(gateway_key, private_key=None, claimed_key=None, timestamp=None, mac1_key=None):
    """148 bytes of an initiation to the gateway's public key, keys as wg(8) writes them.

    Honest with private_key alone. With claimed_key it carries that public key, which anyone can
    seal; the timestamp is then sealed with the wrong secret, for only the owner of the private key
    can make the right one. mac1_key makes mac1 for another gateway.
    """
    gateway = base64.b64decode(gateway_key)
    gateway_public = X25519PublicKey.from_public_bytes(gateway)
    private = X25519PrivateKey.from_private_bytes(base64.b64decode(private_key)) \
        if private_key else X25519PrivateKey.generate()
    static = base64.b64decode(claimed_key) if claimed_key else _public(private)
    ephemeral = X25519PrivateKey.generate()
    chain = _hash(CONSTRUCTION)
    digest = _hash(_hash(chain, IDENTIFIER), gateway)
    digest = _hash(digest, _public(ephemeral))
    chain = _kdf2(chain, _public(ephemeral))[0]
    chain, key = _kdf2(chain, ephemeral.exchange(gateway_public))
    sealed_static = _seal(key, static, digest)
    digest = _hash(digest, sealed_static)
    chain, key = _kdf2(chain, private.exchange(gateway_public))
    sealed_timestamp = _seal(key, timestamp or tai64n(), digest)
    message = (b"\x01\0\0\0" + os.urandom(4) + _public(ephemeral) + sealed_static
               + sealed_timestamp)
    mac1_public = base64.b64decode(mac1_key) if mac1_key else gateway
    mac1 = hashlib.blake2s(message, key=_hash(LABEL_MAC1, mac1_public), digest_size=16).digest()
    return message + mac1 + bytes(16)
