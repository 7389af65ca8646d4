# SPDX-License-Identifier: ISC
"""HTTP/2 in TLS (RFC 9113), as no origin should speak it, and as some do."""

import struct
import time

from .frames import (CONTINUATION, DATA, END_HEADERS, END_STREAM, GOAWAY, HEADERS, MAX_FRAME_SIZE,
                     PADDED, PING, PRIORITY, PUSH_PROMISE, RST_STREAM, SETTINGS, WINDOW_UPDATE, Http2,
                     fields, frame, integer, setting, text)
from .keepalive import PAUSE
from .row import ABSENT, FAILED, FOUND, REVOKED, Row
from .stage import Stage
from .tls import TlsOrigin, say_goodbye

GREETING = frame(SETTINGS)
OK = (":status", "200")
LAST_STREAM = (1 << 31) - 1
ERRORS = {"NO_ERROR": 0, "PROTOCOL_ERROR": 1, "INTERNAL_ERROR": 2, "REFUSED_STREAM": 7, "CANCEL": 8,
          "ENHANCE_YOUR_CALM": 11, "HTTP_1_1_REQUIRED": 13, "a code that nobody knows": 0xFFFFFFFF}
# Every way in which libcurl says that a connection or a stream was of no use.
BROKEN = ("HTTP/?2|nghttp2|stream|SSL|reset|closed|Recv failure|Send failure|framing|EOF|reply|"
          "Connection died|getpeername")


def negotiate(context):
    """HTTP/2 and nothing else."""
    context.set_alpn_protocols(["h2"])


def right(h, stream, peer):
    """What an honest origin sends."""
    h.send(h.answer(stream, peer.body))


def speaks(answers=right, greeting=GREETING, late=False):
    """What a row does: answers(h, stream, peer) to its own peer, and rightly to all others.

    With `late`, part of it comes when the other side has had its answer, and is waited for.
    """
    def does(it):
        h = Http2(it.tls(change=negotiate))
        h.read_preface()
        h.send(greeting)
        while True:
            stream, path = h.request()
            peer, _ = it.origin.peer_of(path)
            if peer is not it.origin.row_peer:
                right(h, stream, peer)
                continue
            if not late:
                it.done()
            answers(h, stream, peer)
            it.done()
    return does


class Http2Origin(TlsOrigin):
    """A row takes the connections that begin in its time."""

    PORT = 8446

    def serve_honestly(self, visit):
        """HTTP/2 as it should be."""
        speaks()(visit)


class PatientOrigin(Http2Origin):
    """Gathers what is asked for at once, and answers the last first, with the row's status."""

    PORT = 8447

    def begin(self, row, peer):
        """By path: rows go at once."""
        self._does[peer.name] = row.does
        self._peers[peer.name] = peer

    def end(self, row, peer):
        """Nothing: all are answered."""

    def serve_honestly(self, visit):
        """As long as there are requests on the way, none is answered."""
        h = Http2(visit.tls(change=negotiate))
        h.read_preface()
        h.send(GREETING)
        waiting = []
        while True:
            h.connection.settimeout(3 * PAUSE if waiting else None)
            try:
                waiting.append(h.request())
            except TimeoutError:
                for stream, path in reversed(waiting):
                    peer, status = self.peer_of(path)
                    h.send(h.answer(stream, peer.body, status or 200))
                waiting = []


def _sends(what, make, outcome=FAILED, reason=BROKEN):
    """make(h, stream, peer) gives the frames that are sent."""
    return Row(what, speaks(lambda h, stream, peer: h.send(*make(h, stream, peer))), outcome,
               "" if outcome == FOUND else reason)


def _before(what, *frames, outcome=FOUND, reason=BROKEN):
    """These, and then a right answer."""
    return _sends(what, lambda h, stream, peer: [*frames, h.answer(stream, peer.body)], outcome, reason)


def _on_stream(what, make, outcome=FOUND, reason=BROKEN):
    """make(stream), and then a right answer."""
    return _sends(what, lambda h, stream, peer: [make(stream), h.answer(stream, peer.body)], outcome,
                  reason)


def _greets(what, greeting, outcome=FAILED, reason=BROKEN):
    return Row(what, speaks(greeting=greeting), outcome, "" if outcome == FOUND else reason)


def _block(what, *pairs, outcome=FAILED, reason=BROKEN):
    """HEADERS with these fields, and the right body."""
    return _sends(what, lambda h, stream, peer: [
        frame(HEADERS, END_HEADERS, stream, fields(*pairs)), h.data(stream, peer.body)], outcome, reason)


def _hpack(what, block, reason=BROKEN):
    """A field block as it is."""
    return _sends(what, lambda h, stream, peer: [frame(HEADERS, END_HEADERS, stream, block),
                                                 h.data(stream, peer.body)], FAILED, reason)


def _status(status, outcome, reason=""):
    return _sends(f"answers {status} in HTTP/2",
                  lambda h, stream, peer: [h.answer(stream, peer.body, status)], outcome, reason)


def _goaway(last, code):
    return frame(GOAWAY, payload=struct.pack("!II", last, code) + b"bye")


def _reset(stream, code):
    return frame(RST_STREAM, stream=stream, payload=struct.pack("!I", code))


def _length(change):
    return lambda h, stream, peer: [
        h.headers(stream, 200, ("content-length", str(len(peer.body) + change))),
        h.data(stream, peer.body)]


def _in_two(h, stream, peer):
    block = fields(OK, ("x", "y" * 100))
    return [frame(HEADERS, 0, stream, block[:20]), frame(CONTINUATION, END_HEADERS, stream, block[20:]),
            h.data(stream, peer.body)]


def _padded(h, stream, peer):
    return [h.headers(stream), frame(DATA, END_STREAM | PADDED, stream,
                                     bytes([200]) + peer.body + bytes(200))]


def _trailers(*pairs):
    return lambda h, stream, peer: [
        h.headers(stream), h.data(stream, peer.body, end=False),
        frame(HEADERS, END_HEADERS | END_STREAM, stream, fields(*pairs))]


def _then_closes(make):
    def answers(h, stream, peer):
        h.send(*make(h, stream, peer))
        say_goodbye(h.connection)
        raise EOFError
    return speaks(answers)


def _then(make, later):
    """make() at once; what later() makes, when that has been read."""
    def answers(h, stream, peer):
        h.send(*make(h, stream, peer))
        time.sleep(PAUSE)
        h.send(*later(h, stream, peer))
    return speaks(answers, late=True)


def _whole(h, stream, peer):
    return [h.answer(stream, peer.body)]


# An entry of almost the whole dynamic table, and then that entry over and over: 40 MB in 14 KB.
HPACK_BOMB = b"\x88\x40" + text("x") + text("y" * 4000) + integer(62, 7, 0x80) * 10000

ANSWERS = (
    Row("answers 200 in HTTP/2", speaks(), FOUND),
    _status(404, ABSENT),
    _status(410, REVOKED),
    *(_status(status, FAILED, str(status)) for status in (201, 206, 302, 401, 418, 429, 500, 999)),
    _sends("answers 204 in HTTP/2", lambda h, stream, peer: [h.headers(stream, 204, end=True)], FAILED,
           "204"),
    _sends("answers 200 without a body in HTTP/2",
           lambda h, stream, peer: [h.headers(stream, end=True)], FAILED, "JSON"),
    _sends("redirects in HTTP/2",
           lambda h, stream, peer: [h.answer(stream, b"", 302, ("location", "file:///etc/shadow"))],
           FAILED, "302"),
    _sends("sends an interim answer in HTTP/2",
           lambda h, stream, peer: [h.headers(stream, 103, ("link", "</x>")), *_whole(h, stream, peer)],
           FOUND),
    _sends("sends its fields in two frames", _in_two, FOUND),
    _sends("pads its body", _padded, FOUND),
    _sends("sends a frame a byte",
           lambda h, stream, peer: [h.headers(stream), *(h.data(stream, bytes([byte]), end=False)
                                                         for byte in peer.body), h.data(stream, b"")],
           FOUND),
    _sends("sends trailer fields in HTTP/2", _trailers(("x", "y")), FOUND),
    _sends("gives the right length in HTTP/2", _length(0), FOUND),
    _before("sends a frame that nobody knows", frame(0xEE, 0xFF, 0, bytes(100))),
    _before("sends ALTSVC and ORIGIN", frame(10, payload=b"\0\1x" + b'h2=":1"'),
            frame(12, payload=b"\0\1x")),
    _before("sends PING", frame(PING, payload=bytes(8))),
    _before("sends settings again", frame(SETTINGS, payload=setting(1, 0) + setting(0x99, 7))),
    _before("opens the window", frame(WINDOW_UPDATE, payload=struct.pack("!I", 1000))),
    _on_stream("sends PRIORITY", lambda stream: frame(PRIORITY, 0, stream, bytes(4) + b"\x10")),
    _before("says GOAWAY, but serves who came before", _goaway(LAST_STREAM, 0)),
    _on_stream("says GOAWAY, but serves this one", lambda stream: _goaway(stream, 0)),
    Row("closes behind an answer in HTTP/2", _then_closes(_whole), FOUND),
    Row("says GOAWAY behind an answer",
        _then(_whole, lambda h, stream, peer: [_goaway(stream, 0)]), FOUND),
    Row("says GOAWAY behind an answer, as an error",
        _then(_whole, lambda h, stream, peer: [_goaway(stream, 11)]), FOUND),
    Row("resets the stream behind an answer",
        _then(_whole, lambda h, stream, peer: [_reset(stream, 0)]), FOUND),
    Row("answers the next stream before it is asked",
        _then(_whole, lambda h, stream, peer: [h.answer(stream + 2, b"", 410)]), FOUND),
    Row("answers twice", _then(_whole, lambda h, stream, peer: [h.answer(stream, b"", 410)]), FOUND),
    Row("promises an answer behind an answer",
        _then(_whole, lambda h, stream, peer: [
            frame(PUSH_PROMISE, END_HEADERS, stream, struct.pack("!I", 2) + fields(OK)),
            h.answer(2, b"", 410)]), FOUND),
)

MALFORMED = (
    _block("sends no status", ("x", "y")),
    _block("sends two statuses", OK, (":status", "404")),
    _block("sends a status that is no number", (":status", "abc")),
    _block("sends a status of two digits", (":status", "99")),
    _block("sends a status of four digits", (":status", "2000")),
    _block("sends an empty status", (":status", "")),
    _block("sends the status behind a field", ("x", "y"), OK),
    _block("sends a path in an answer", OK, (":path", "/")),
    _block("sends a pseudo-field that nobody knows", OK, (":x", "y")),
    _block("sends a field in capitals", OK, ("X", "y")),
    _block("sends Connection in HTTP/2", OK, ("connection", "close")),
    _block("sends Transfer-Encoding in HTTP/2", OK, ("transfer-encoding", "chunked")),
    _block("sends Keep-Alive in HTTP/2", OK, ("keep-alive", "timeout=5")),
    _block("sends two lengths in HTTP/2", OK, ("content-length", "5"), ("content-length", "6")),
    _block("sends a length that is no number in HTTP/2", OK, ("content-length", "x")),
    _sends("gives a length that is too great in HTTP/2", _length(1)),
    _sends("gives a length that is too small in HTTP/2", _length(-1)),
    _sends("ends the stream with an interim answer",
           lambda h, stream, peer: [h.headers(stream, 103, end=True)]),
    _sends("switches protocols in HTTP/2",
           lambda h, stream, peer: [h.headers(stream, 101), *_whole(h, stream, peer)]),
    _sends("sends a status in a trailer", _trailers(OK)),
    _sends("sends a trailer that is no end",
           lambda h, stream, peer: [h.headers(stream), h.data(stream, peer.body, end=False),
                                    h.headers(stream), h.data(stream, b"")]),
    _sends("sends the body before the fields",
           lambda h, stream, peer: [h.data(stream, peer.body, end=False), h.headers(stream, end=True)]),
    _sends("sends 70,000 bytes in HTTP/2",
           lambda h, stream, peer: [h.headers(stream), *[h.data(stream, b" " * 10000, end=False)] * 7],
           FAILED, "larger"),
    _sends("sends fields of 40 KB in HTTP/2",
           lambda h, stream, peer: [
               frame(HEADERS, 0, stream, fields(OK, *[("x", "y" * 1000)] * 15)),
               frame(CONTINUATION, 0, stream, fields(*[("x", "y" * 1000)] * 15)),
               frame(CONTINUATION, END_HEADERS, stream, fields(*[("x", "y" * 1000)] * 10)),
               h.data(stream, peer.body)], FAILED, "larger|" + BROKEN),
    _hpack("refers to a field that is not in the table", b"\x88" + integer(200, 7, 0x80)),
    _hpack("refers to field 0", b"\x88\x80"),
    _hpack("ends within a field", b"\x88\x00\x7f"),
    _hpack("makes the table larger than it may be", integer(1 << 20, 5, 0x20) + b"\x88"),
    _hpack("sends an integer without end", b"\x88" + b"\xff" * 100),
    _hpack("sends bad Huffman code", b"\x88\x00\x01x\x84" + b"\xff" * 4),
    _hpack("sends an HPACK bomb", HPACK_BOMB, "larger|" + BROKEN),
)

STREAMS = (
    *(_sends(f"resets the stream: {name}", lambda h, stream, peer, code=code: [_reset(stream, code)])
      for name, code in ERRORS.items()),
    *(_sends(f"resets the stream within the body: {name}",
             lambda h, stream, peer, code=code: [h.headers(stream), h.data(stream, b"{", end=False),
                                                 _reset(stream, code)])
      for name, code in ERRORS.items() if name in ("NO_ERROR", "CANCEL")),
    *(Row(f"says GOAWAY, serves nobody, and closes: {name}",
          _then_closes(lambda h, stream, peer, code=code: [_goaway(0, code)]), FAILED, BROKEN)
      for name, code in ERRORS.items() if name in ("NO_ERROR", "ENHANCE_YOUR_CALM")),
    Row("says GOAWAY, would serve this one, and closes",
        _then_closes(lambda h, stream, peer: [_goaway(stream, 0)]), FAILED, BROKEN),
    Row("closes in place of an answer in HTTP/2", _then_closes(lambda h, stream, peer: []), FAILED,
        BROKEN),
    Row("closes within the body in HTTP/2",
        _then_closes(lambda h, stream, peer: [h.headers(stream), h.data(stream, b"{", end=False)]),
        FAILED, BROKEN),
    Row("closes within a frame",
        _then_closes(lambda h, stream, peer: [frame(HEADERS, END_HEADERS, stream, b"\x88", 90)]), FAILED,
        BROKEN),
    _sends("resets the stream behind the fields of a 410",
           lambda h, stream, peer: [h.headers(stream, 410), _reset(stream, 8)]),
    Row("closes behind the fields of a 410, in HTTP/2",
        _then_closes(lambda h, stream, peer: [h.headers(stream, 410)]), FAILED, BROKEN),
    Row("closes within the fields of a 410, in HTTP/2",
        _then_closes(lambda h, stream, peer: [frame(HEADERS, 0, stream, fields((":status", "410")))]),
        FAILED, BROKEN),
    _sends("answers on stream 0", lambda h, stream, peer: _whole(h, 0, peer)),
    _sends("answers on an even stream", lambda h, stream, peer: _whole(h, 2, peer)),
    _sends("answers on a stream that nobody asked on", lambda h, stream, peer: _whole(h, stream + 2,
                                                                                     peer)),
    _sends("promises an answer", lambda h, stream, peer: [
        frame(PUSH_PROMISE, END_HEADERS, stream, struct.pack("!I", 2) + fields(OK)),
        h.answer(2, peer.body)]),
    _sends("goes on with fields that it never began",
           lambda h, stream, peer: [frame(CONTINUATION, END_HEADERS, stream, fields(OK))]),
    _sends("sends something else between a field and the next",
           lambda h, stream, peer: [frame(HEADERS, 0, stream, b"\x88"), frame(PING, payload=bytes(8)),
                                    frame(CONTINUATION, END_HEADERS, stream, b"")]),
    _sends("goes on with its fields without end",
           lambda h, stream, peer: [frame(HEADERS, 0, stream, b"\x88"),
                                    *[frame(CONTINUATION, 0, stream, b"")] * 50000]),
    _sends("sends a frame of a megabyte", lambda h, stream, peer: [
        h.headers(stream), frame(DATA, END_STREAM, stream, bytes(1 << 20))], FAILED, "JSON|" + BROKEN),
    _before("sends PING on a stream", frame(PING, 0, 1, bytes(8)), outcome=FAILED),
    _before("sends PING of 7 bytes", frame(PING, payload=bytes(7)), outcome=FAILED),
    _before("sends settings of 5 bytes", frame(SETTINGS, payload=bytes(5)), outcome=FAILED),
    _before("sends settings on a stream", frame(SETTINGS, 0, 1), outcome=FAILED),
    _before("acknowledges settings that nobody sent, with more", frame(SETTINGS, 1, 0, bytes(6)),
            outcome=FAILED),
    _before("sends GOAWAY of 7 bytes", frame(GOAWAY, payload=bytes(7)), outcome=FAILED),
    _before("opens the window by nothing", frame(WINDOW_UPDATE, payload=bytes(4)), outcome=FAILED),
    _before("opens the window too far",
            frame(WINDOW_UPDATE, payload=struct.pack("!I", LAST_STREAM)) * 2, outcome=FAILED),
    _on_stream("resets in three bytes", lambda stream: frame(RST_STREAM, 0, stream, bytes(3)), FAILED),
    _before("sends 500 PINGs", frame(PING, payload=bytes(8)) * 500),
    _before("sends 20,000 settings", frame(SETTINGS) * 20000, outcome=FAILED),
)

GREETINGS = (
    _greets("greets with a frame other than SETTINGS", frame(PING, payload=bytes(8)) + GREETING),
    _greets("greets in HTTP/1.1", b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"),
    _greets("greets with zeros", bytes(1000)),
    _greets("allows frames of 2^24 bytes and more",
            frame(SETTINGS, payload=setting(MAX_FRAME_SIZE, 1 << 24))),
    _greets("allows frames of 100 bytes", frame(SETTINGS, payload=setting(MAX_FRAME_SIZE, 100))),
    _greets("allows frames of 2^24 - 1 bytes",
            frame(SETTINGS, payload=setting(MAX_FRAME_SIZE, (1 << 24) - 1)), FOUND),
    _greets("opens a window of 2^31", frame(SETTINGS, payload=setting(4, 1 << 31))),
    _greets("opens no window", frame(SETTINGS, payload=setting(4, 0)), FOUND),
    _greets("may push as much as 2", frame(SETTINGS, payload=setting(2, 2))),
    _greets("allows one stream at a time", frame(SETTINGS, payload=setting(3, 1)), FOUND),
    _greets("allows fields of 10 bytes", frame(SETTINGS, payload=setting(6, 10)), FOUND),
    _greets("says GOAWAY for a greeting", GREETING + _goaway(0, 0)),
    Row("closes for a greeting", lambda it: it.tls(change=negotiate).close(), FAILED, BROKEN),
)

TIME = "[Tt]ime"


def _never(what, make, greeting=GREETING):
    """The frames of make(), and nothing more."""
    return Row(what, speaks(lambda h, stream, peer: h.send(*make(h, stream, peer)), greeting), FAILED,
               TIME)


def _flood(make):
    def answers(h, stream, peer):
        while True:
            h.send(*make(h, stream, peer) * 500)
    return speaks(answers)


SLOW = (
    _never("says nothing in HTTP/2", lambda h, stream, peer: []),
    _never("says no more than 103 in HTTP/2", lambda h, stream, peer: [h.headers(stream, 103)]),
    _never("says no more than the fields in HTTP/2", lambda h, stream, peer: [h.headers(stream, 410)]),
    _never("sends the body and no end", lambda h, stream, peer: [
        h.headers(stream), h.data(stream, peer.body, end=False)]),
    _never("allows no stream", lambda h, stream, peer: [],
           frame(SETTINGS, payload=setting(3, 0))),
    # nghttp2 gives the connection up, and libcurl 7.88 doesn't ask it.
    _never("pads more than there is", lambda h, stream, peer: [
        h.headers(stream), frame(DATA, END_STREAM | PADDED, stream, b"\xff" + bytes(9))]),
    _never("spoils the connection behind the fields of a 410",
           lambda h, stream, peer: [h.headers(stream, 410), frame(PING, payload=bytes(7))]),
)
FLOODS = (
    Row("sends empty frames without end", _flood(lambda h, stream, peer: [
        h.data(stream, b"", end=False)]), FAILED, BROKEN),
    Row("sends PINGs without end", _flood(lambda h, stream, peer: [frame(PING, payload=bytes(8))]),
        FAILED, TIME + "|Failed sending|" + BROKEN),
    Row("opens the window without end", _flood(lambda h, stream, peer: [
        frame(WINDOW_UPDATE, payload=struct.pack("!I", 1))]), FAILED, TIME + "|" + BROKEN),
)

REVERSED = tuple(
    Row(f"is asked for 8 at once and answers the last first, with {status}: {number}", status, outcome)
    for number, (status, outcome) in enumerate([(200, FOUND), (404, ABSENT), (410, REVOKED),
                                                (200, FOUND)] * 2, 1))

STAGES = (
    Stage("HTTP/2", ANSWERS, Http2Origin, followed=True),
    Stage("HTTP/2 broken", MALFORMED + STREAMS, Http2Origin),
    Stage("HTTP/2 greets", GREETINGS, Http2Origin, settings={"timeout": "8s"}, honest=False),
    Stage("HTTP/2 slow", SLOW, Http2Origin, settings={"timeout": "1s"}, honest=False),
    Stage("HTTP/2 floods", FLOODS, Http2Origin, settings={"timeout": "3s"}, followed=True),
    Stage("HTTP/2 at once", REVERSED, PatientOrigin, at_once=8),
)
