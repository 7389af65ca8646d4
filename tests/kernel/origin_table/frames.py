# SPDX-License-Identifier: ISC
"""HTTP/2 by hand (RFC 9113): frames as they are told, right or wrong. Only requests are decoded."""

import struct

import hpack

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE, \
    CONTINUATION = range(10)
END_STREAM, END_HEADERS, PADDED, ACK = 1, 4, 8, 1
MAX_CONCURRENT_STREAMS, INITIAL_WINDOW_SIZE, MAX_FRAME_SIZE = 3, 4, 5


def integer(value, bits, first=0):
    """RFC 7541 section 5.1, with `first` in the bits before it."""
    most = (1 << bits) - 1
    if value < most:
        return bytes([first | value])
    out = [first | most]
    value -= most
    while value >= 128:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes([*out, value])


def text(value):
    """A string literal (RFC 7541 section 5.2), without Huffman's code."""
    value = value.encode("latin-1") if isinstance(value, str) else value
    return integer(len(value), 7) + value


def fields(*pairs):
    """A field block of literals that are not indexed."""
    return b"".join(b"\0" + text(name) + text(value) for name, value in pairs)


def frame(kind, flags=0, stream=0, payload=b"", length=None):
    """One frame; with `length` its header lies."""
    length = len(payload) if length is None else length
    return struct.pack("!I", length)[1:] + struct.pack("!BBI", kind, flags, stream) + payload


def setting(identifier, value):
    """One setting of a SETTINGS frame."""
    return struct.pack("!HI", identifier, value)


class Http2:
    """A connection that speaks HTTP/2, on the server's side, one request at a time."""

    def __init__(self, connection):
        self.connection = connection
        self._received = b""
        self._decoder = hpack.Decoder()

    def _read(self, count):
        while len(self._received) < count:
            more = self.connection.recv(65536)
            if not more:
                raise EOFError
            self._received += more
        data, self._received = self._received[:count], self._received[count:]
        return data

    def read_preface(self):
        """The client's first bytes."""
        return self._read(len(PREFACE))

    def send(self, *frames):
        """Sends what is given, in one piece."""
        self.connection.sendall(b"".join(frames))

    def request(self):
        """Waits for the next request: (stream, path). What else comes is acknowledged or ignored."""
        while True:
            head = self._read(9)
            length = int.from_bytes(head[:3], "big")
            kind, flags, stream = struct.unpack("!BBI", head[3:])
            payload = self._read(length)
            if kind == SETTINGS and not flags & ACK:
                self.send(frame(SETTINGS, ACK))
            elif kind == HEADERS:
                if flags & 0x20:  # priority
                    payload = payload[5:]
                return stream, dict(self._decoder.decode(payload))[":path"]

    def headers(self, stream, status=200, *pairs, end=False):
        """A HEADERS frame."""
        return frame(HEADERS, END_HEADERS | (END_STREAM if end else 0), stream,
                     fields((":status", str(status)), *pairs))

    def data(self, stream, payload, end=True):
        """A DATA frame."""
        return frame(DATA, END_STREAM if end else 0, stream, payload)

    def answer(self, stream, body, status=200, *pairs):
        """HEADERS and DATA."""
        return self.headers(stream, status, *pairs) + self.data(stream, body)
