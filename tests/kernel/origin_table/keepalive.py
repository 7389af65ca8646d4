# SPDX-License-Identifier: ISC
"""What an origin says on a kept connection before it is asked: never the next key's answer.

Each row is followed by another key, whose own answer must come.
"""

import time

from .exchange import JSON, Http1Origin
from .row import ABSENT, FAILED, FOUND, Row
from .stage import Stage

# Time for the other side to read what was sent; if it is too short, a row proves less.
PAUSE = 0.1

GONE = "HTTP/1.1 410 Gone\r\nContent-Length: 0\r\n\r\n"
UNKNOWN = "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"
TIMEOUT = ("HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\nCache-Control: no-cache\r\n"
           "Connection: close\r\n\r\n")


def _later(more, outcome=FOUND, then=None, status="200 OK"):
    """A whole answer, and more when it has been read."""
    def does(it):
        it.answer(status)
        time.sleep(PAUSE)
        if more:
            it.send(more)
        if then:
            then(it)
    return does


def _behind(more, then=None):
    """A head, then the body with more behind it in one piece."""
    def does(it):
        it.head("200 OK", JSON, f"Content-Length: {len(it.peer.body)}")
        time.sleep(PAUSE)
        it.send(it.peer.body, more)
        if then:
            then(it)
    return does


def _behind_chunks(it):
    it.chunks(f"{len(it.peer.body):x}\r\n", it.peer.body, "\r\n0\r\n\r\n", GONE[:9])
    time.sleep(PAUSE)
    it.send(GONE[9:])


def _behind_nothing(status):
    """An answer that has no body, and yet one behind it."""
    def does(it):
        it.head(status)
        time.sleep(PAUSE)
        it.send(GONE)
    return does


def _only_reads(it):
    """Answers this one; the next request on the connection is read and never answered."""
    it.answer()
    it.done()
    it.connection.recv(4096)
    it.close()


ROWS = (
    Row("says 410 unasked", _later(GONE), FOUND),
    Row("says 404 unasked", _later(UNKNOWN), FOUND),
    Row("says 410 twice unasked", _later(GONE * 2), FOUND),
    Row("says 410 unasked and closes", _later(GONE, then=lambda it: it.close()), FOUND),
    Row("says 408 and closes (a proxy's time-out)", _later(TIMEOUT, then=lambda it: it.close()),
        FOUND),
    Row("says half an answer unasked", _later(GONE[:20]), FOUND),
    Row("sends empty lines unasked", _later("\r\n\r\n"), FOUND),
    Row("sends zeros unasked", _later(bytes(1000)), FOUND),
    Row("sends 20 KB unasked", _later(UNKNOWN * 500), FOUND),
    Row("says 410 behind a body", _behind(GONE), FOUND),
    Row("says 410 behind a body and closes", _behind(GONE, lambda it: it.close()), FOUND),
    Row("sends a body that is longer than announced", _behind("xxxxx"), FOUND),
    Row("says 410 behind the last chunk", _behind_chunks, FOUND),
    Row("says 410 behind a 404", _later(GONE, status="404 Not Found"), ABSENT),
    Row("says 410 behind a 204", _behind_nothing("204 No Content"), FAILED, "204"),
    Row("says 410 behind a 304", _behind_nothing("304 Not Modified"), FAILED, "304"),
    Row("says 410 behind an empty 404", _behind_nothing("404 Not Found\r\nContent-Length: 0"), ABSENT),
    Row("closes when it has answered", _later("", then=lambda it: it.close()), FOUND),
    Row("resets when it has answered", _later("", then=lambda it: it.reset()), FOUND),
    Row("says nothing more when it has answered", _later("", then=lambda it: it.half_close()), FOUND),
    Row("reads the next request and closes", _only_reads, FOUND),
    Row("keeps HTTP/1.0 alive",
        lambda it: it.answer("200 OK", "Connection: keep-alive", version="HTTP/1.0"), FOUND),
)

STAGES = (Stage("keep-alive", ROWS, Http1Origin, followed=True),)
