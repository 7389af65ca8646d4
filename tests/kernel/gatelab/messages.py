# SPDX-License-Identifier: ISC
"""The messages between pullgate's processes, coded apart from pullgate's own code.

A message is a msgpack array of its number and its fields (common/message_table.h). Fields are
given as Python has them: int, bytes (bin), str, or Raw for bytes that go in as they are.
"""

import base64
import ipaddress
import struct

NUMBERS = {"READY": 8, "OFFENCE": 9, "DEVICE": 10, "GATEWAY": 11, "KNOWN": 13, "DEMAND": 14,
           "LOOKUP": 15, "PEER": 16, "OUTCOME": 17, "REMOVED": 18, "CONNECT": 19}
FOUND, ABSENT, REVOKED, FAILED = range(4)

# Where the 8 bytes of an id lie when it is the first field: array, number, 0xcf.
ID_AT = 3


class Raw(bytes):
    """Bytes of the wire, put in as they are."""


def _element(value):
    if isinstance(value, Raw):
        return bytes(value)
    if isinstance(value, int):
        return b"\xcf" + struct.pack("!Q", value)
    if isinstance(value, str):
        return b"\xd9" + bytes([len(value)]) + value.encode()
    return b"\xc5" + struct.pack("!H", len(value)) + value


def encode(name, *fields):
    """The message of that name, or of that number, with these fields."""
    number = NUMBERS.get(name, name)
    return bytes([0x90 + 1 + len(fields), number]) + b"".join(map(_element, fields))


def key_bytes(key):
    """The 32 bytes of a key as wg(8) writes it; bytes stay bytes."""
    return key if isinstance(key, bytes) else base64.b64decode(key)


def address(text):
    """An ADDRESS."""
    parsed = ipaddress.ip_address(text)
    return bytes([parsed.version]) + parsed.packed.ljust(16, b"\0")


def prefix(text):
    """One item of PREFIXES."""
    parsed = ipaddress.ip_network(text)
    return bytes([parsed.version, parsed.prefixlen]) + parsed.network_address.packed.ljust(16, b"\0")


def peer(key, allowed_ips=(), answer=FOUND, identifier=0, public_key=None, valid_ms=0):
    """PEER; not stale for any time, without a preshared key and keepalive."""
    return encode("PEER", identifier, key_bytes(key), answer, valid_ms, 0,
                  key_bytes(public_key or key) if answer == FOUND else bytes(32),
                  b"".join(map(prefix, allowed_ips)), 0, bytes(32), 0)


def demand(key, identifier, source="198.18.0.9", destination="192.0.2.1", port=51820,
           initiation=None):
    """DEMAND; without an initiation, with junk that looks like one."""
    return encode("DEMAND", identifier, key_bytes(key), address(source), 4500,
                  address(destination), port, 2,
                  initiation or b"\x01\0\0\0" + bytes(range(144)))


def lookup(key, identifier):
    """LOOKUP."""
    return encode("LOOKUP", identifier, key_bytes(key))


def connect(identifier, origin=0):
    """CONNECT."""
    return encode("CONNECT", identifier, origin)
