# SPDX-License-Identifier: ISC
"""Connections that end, at each stage of an answer."""

from .exchange import JSON, Http1Origin
from .row import FAILED, FOUND, Row
from .stage import Stage

CLOSED = "Empty reply|reset|closed|Recv failure|Send failure"


def _says(*parts):
    """Sends what each part makes of the right body, or is."""
    def send(it):
        for part in parts:
            it.send(part(it.peer.body) if callable(part) else part)
    return send


STAGES_OF_AN_ANSWER = {
    "before a word": _says(),
    "within the version": _says("HTT"),
    "within the status line": _says("HTTP/1.1 40"),
    "behind the status line of a 404": _says("HTTP/1.1 404 Not Found\r\n"),
    "behind the status line of a 410": _says("HTTP/1.1 410 Gone\r\n"),
    "within the fields of a 410": _says("HTTP/1.1 410 Gone\r\nContent-Le"),
    "behind the fields of a 404": _says("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n"),
    "behind an interim answer": _says("HTTP/1.1 103 Early Hints\r\n\r\n"),
    "before the body": _says("HTTP/1.1 200 OK\r\nContent-Length: 90\r\n\r\n"),
    "before the body of a 404": _says("HTTP/1.1 404 Not Found\r\nContent-Length: 90\r\n\r\n"),
    "within the body": _says("HTTP/1.1 200 OK\r\nContent-Length: 90\r\n\r\n", lambda body: body[:40]),
    "before the first chunk": _says("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"),
    "before the last chunk": _says("HTTP/1.1 404 Not Found\r\nTransfer-Encoding: chunked\r\n\r\n",
                                   "3\r\nabc\r\n"),
}


def _ends(what, says, end, how):
    def does(it):
        says(it)
        end(it)
    return Row(f"{how} {what}", does, FAILED, CLOSED)


def _one(fields, end):
    def does(it):
        it.answer("200 OK", *fields)
        end(it)
    return does


ROWS = (
    *(_ends(what, says, lambda it: it.close(), "closes")
      for what, says in STAGES_OF_AN_ANSWER.items()),
    *(_ends(what, says, lambda it: it.reset(), "resets")
      for what, says in STAGES_OF_AN_ANSWER.items()),
    Row("closes behind a whole answer", _one((), lambda it: it.close()), FOUND),
    Row("says Connection: close and closes", _one(["Connection: close"], lambda it: it.close()),
        FOUND),
    Row("says Connection: close and stays", _one(["Connection: close"], lambda it: it.wait()), FOUND),
    Row("says Connection: x, close", _one(["Connection: x, close"], lambda it: it.close()), FOUND),
    Row("says Keep-Alive: timeout=0, max=0",
        _one(["Keep-Alive: timeout=0, max=0"], lambda it: it.close()), FOUND),
    Row("speaks only half behind a whole answer", _one((), lambda it: it.half_close()), FOUND),
    Row("speaks only half without a length",
        lambda it: (it.head("200 OK", JSON), it.send(it.peer.body), it.half_close()), FOUND),
    Row("sends its answer a byte at a time",
        lambda it: [it.send(bytes([byte])) for byte in
                    b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(it.peer.body),
                                                                          it.peer.body)], FOUND),
)

STAGES = (Stage("ending", ROWS, Http1Origin, at_once=8),)
