# SPDX-License-Identifier: ISC
"""As much of a msgpack encoder as bodies take (spec.md of github.com/msgpack/msgpack)."""

import struct


def pack(value):
    if value is None:
        return b"\xc0"
    if isinstance(value, bool):
        return b"\xc3" if value else b"\xc2"
    if isinstance(value, int):
        return struct.pack(">Bq", 0xD3, value)
    if isinstance(value, float):
        return struct.pack(">Bd", 0xCB, value)
    if isinstance(value, str):
        encoded = value.encode()
        return struct.pack(">BH", 0xDA, len(encoded)) + encoded
    if isinstance(value, bytes):
        return struct.pack(">BH", 0xC5, len(value)) + value
    if isinstance(value, list):
        return struct.pack(">BH", 0xDC, len(value)) + b"".join(pack(item) for item in value)
    assert len(value) < 15, "a map's first byte counts its members, and tests add one"
    return bytes([0x80 | len(value)]) + b"".join(
        pack(name) + pack(item) for name, item in value.items())
