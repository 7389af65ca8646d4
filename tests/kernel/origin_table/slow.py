# SPDX-License-Identifier: ISC
"""What never ends, or not in time: the time-out ends it."""

import itertools
import time

from .exchange import JSON, Http1Origin
from .row import FAILED, Row
from .stage import Stage

TIME = "[Tt]ime"
PAUSE = 0.02


def _trickle(text):
    """Its bytes one after the other, then again from the start of `text`'s last line."""
    def does(it):
        for byte in itertools.chain(text, itertools.cycle(b"x")):
            it.send(bytes([byte]))
            time.sleep(PAUSE)
    return does


def _says(*parts):
    def does(it):
        for part in parts:
            it.send(part)
        it.wait()
    return does


def _again(first, part):
    def does(it):
        it.send(first)
        while True:
            it.send(part)
            time.sleep(PAUSE)
    return does


def _flood(first, part):
    def does(it):
        it.send(first)
        while True:
            it.send(part)
    return does


CHUNKED = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
LENGTH = "HTTP/1.1 200 OK\r\nContent-Length: 90\r\n\r\n"

ROWS = (
    Row("says nothing", _says(), FAILED, TIME),
    Row("says nothing behind a status line", _says("HTTP/1.1 404 Not Found\r\n"), FAILED, TIME),
    Row("says nothing behind half a field", _says("HTTP/1.1 410 Gone\r\nContent-Le"), FAILED, TIME),
    Row("says nothing behind the head", _says(LENGTH), FAILED, TIME),
    Row("says nothing within the body", _says(LENGTH, '{"public_key": '), FAILED, TIME),
    Row("says nothing behind a chunk", _says(CHUNKED, "1\r\n{\r\n"), FAILED, TIME),
    Row("says nothing behind 103", _says("HTTP/1.1 103 Early Hints\r\n\r\n"), FAILED, TIME),
    Row("gives no length and does not close",
        lambda it: (it.head("200 OK", JSON), it.send(it.peer.body), it.wait()), FAILED, TIME),
    Row("trickles its status line", _trickle(b"HTTP/1.1 200 "), FAILED, TIME),
    Row("trickles its fields", _trickle(b"HTTP/1.1 200 OK\r\nX: "), FAILED, TIME),
    Row("trickles its body", _trickle(LENGTH.encode() + b'{"' + b"a" * 40), FAILED, TIME),
    Row("trickles its chunks", _again(CHUNKED, "1\r\n \r\n"), FAILED, TIME),
    Row("trickles the size of a chunk", _again(CHUNKED + "1;", "x"), FAILED, TIME),
    Row("trickles interim answers", _again("", "HTTP/1.1 103 Early Hints\r\n\r\n"), FAILED, TIME),
    Row("sends an extension of a chunk without end", _flood(CHUNKED + "1;", "x" * 65536), FAILED,
        TIME),
    Row("sends zeros before a chunk's size without end", _flood(CHUNKED, "0" * 65536), FAILED,
        TIME + "|hexadecimal"),
)

STAGES = (Stage("slow", ROWS, Http1Origin, at_once=16, settings={"timeout": "1s"}, honest=False),)
