# SPDX-License-Identifier: ISC
"""HTTP/1 as RFC 9112 has it, and what looks like it: where a message begins, and where it ends."""

import gzip
import zlib

from .exchange import JSON, Http1Origin
from .row import ABSENT, FAILED, FOUND, Row
from .stage import Stage


# 16 MB of nothing behind a right body.
ZEROS = bytes(1 << 24)


def _length(it, *values):
    """Content-Length fields, the right body, and the end.

    All in one piece: what comes when the next request is out, nobody can tell from its answer.
    """
    it.send("\r\n".join(["HTTP/1.1 200 OK", JSON, *(f"Content-Length:{value}" for value in values), "",
                         ""]), it.peer.body)
    it.close()


def _lengths(what, *values, outcome=FAILED, reason="Content-Length"):
    return Row(what, lambda it: _length(it, *(value(len(it.peer.body)) for value in values)),
               outcome, "" if outcome == FOUND else reason)


def _line(what, line, outcome=FAILED, reason=""):
    def does(it):
        it.send(line, "\r\n", JSON, "\r\nContent-Length: ", str(len(it.peer.body)), "\r\n\r\n",
                it.peer.body)
        it.close()
    return Row(what, does, outcome, reason)


def _field(what, text, outcome=FAILED, reason=""):
    """The right answer with these bytes among its fields."""
    def does(it):
        it.send("HTTP/1.1 200 OK\r\n", text, f"\r\nContent-Length: {len(it.peer.body)}\r\n\r\n",
                it.peer.body)
        it.close()
    return Row(what, does, outcome, reason)


def _chunk(body, size=None, extension=""):
    return b"%s%s\r\n%s\r\n" % ((size or f"{len(body):x}").encode(), extension.encode(), body)


def _chunks(what, make, outcome=FAILED, reason="chunk"):
    """make(body) is all that follows the head."""
    def does(it):
        it.chunks(make(it.peer.body))
        it.close()
    return Row(what, does, outcome, "" if outcome == FOUND else reason)


def _coded(what, fields, code, outcome, reason=""):
    """These fields, the body as code(body) has it, and the end."""
    def does(it):
        it.head("200 OK", JSON, *fields)
        it.send(code(it.peer.body))
        it.close()
    return Row(what, does, outcome, reason)


def _until_close(version):
    def does(it):
        it.head("200 OK", JSON, version=version)
        it.send(it.peer.body)
        it.close()
    return does


def _interim(*heads):
    def does(it):
        for head in heads:
            it.head(*head)
        it.answer()
    return does


def _bomb(body):
    packer = zlib.compressobj(1, zlib.DEFLATED, 31)
    return packer.compress(body + ZEROS) + packer.flush()


def _chunked_bomb(body):
    return _chunk(_bomb(body)) + b"0\r\n\r\n"


STATUS_LINE = (
    _line("speaks HTTP/0.9", "hello", reason="HTTP/0.9"),
    Row("answers with the bare body", lambda it: (it.send(it.peer.body), it.close()), FAILED,
        "HTTP/0.9"),
    _line("speaks HTTP/1.0", "HTTP/1.0 200 OK", FOUND),
    _line("speaks HTTP/1.2", "HTTP/1.2 200 OK", reason="version"),
    _line("speaks HTTP/2 without TLS", "HTTP/2 200 OK", reason="version"),
    _line("speaks HTTP/2.0 without TLS", "HTTP/2.0 200 OK", reason="version"),
    _line("speaks HTTP/3", "HTTP/3 200 OK", reason="version"),
    _line("speaks HTTP/9.9", "HTTP/9.9 200 OK", reason="version"),
    _line("speaks ICY", "ICY 200 OK", reason="HTTP/0.9"),
    _line("speaks RTSP", "RTSP/1.0 200 OK", reason="HTTP/0.9"),
    _line("speaks SSH", "SSH-2.0-OpenSSH_9.2p1", reason="HTTP/0.9"),
    _line("gives no reason phrase", "HTTP/1.1 200", FOUND),
    _line("gives a reason phrase of 8 KB", "HTTP/1.1 200 " + "x" * 8192, FOUND),
    _line("gives another status as reason phrase", "HTTP/1.1 404 200 OK", ABSENT),
    _line("sends an empty line first", "\r\nHTTP/1.1 200 OK", reason="HTTP/0.9"),
    _line("answers with status 000", "HTTP/1.1 000 OK", reason="response code"),
    _line("answers with status 99", "HTTP/1.1 99 OK", reason="response code"),
    _line("answers with status 1000", "HTTP/1.1 1000 OK", reason="response code"),
    _line("answers with status 2000", "HTTP/1.1 2000 OK", reason="response code"),
    _line("answers with status -200", "HTTP/1.1 -200 OK", reason="response code"),
    _line("answers with status 2OO", "HTTP/1.1 2OO OK", reason="response code"),
    _line("answers with status 200OK", "HTTP/1.1 200OK"),
    _line("answers without a status", "HTTP/1.1 ", reason="version"),
)

FIELDS = (
    _field("sends a line without a colon", "this is no field", reason="colon"),
    _field("sends a field without a name", ": x", reason="without a name"),
    _field("sends a field whose name has a blank", "X Y: z", reason="without a name"),
    _field("sends a blank between name and colon", "X : z", reason="without a name"),
    _field("sends NUL in a field", "X: a\0b", reason="[Nn]ul"),
    _field("sends NUL in a field's name", "X\0: a", reason="[Nn]ul"),
    _field("sends bytes beyond ASCII in a field", "X: \xff\xfe\x80", FOUND),
    _field("folds a field (obs-fold)", "X-Note: one\r\n two", FOUND),
    _field("folds Cache-Control", "Cache-Control: max-age=60,\r\n\tprivate", FOUND),
    _field("ends lines with LF alone", "X: y\nZ: w", FOUND),
    _field("sends CR within a line", "X: a\rb", FOUND),
    _field("sends 200 fields", "\r\n".join(f"X-{number}: x" for number in range(200)), FOUND),
    _field("sends fields of 31 KB", "\r\n".join(["X: " + "x" * 1000] * 31), FOUND),
    _field("sends fields of 40 KB", "\r\n".join(["X: " + "x" * 1000] * 40), reason="header larger"),
    _field("sends one field of 40 KB", "X: " + "x" * 40960, reason="header larger"),
    _field("sends one field of 200 KB", "X: " + "x" * 200000, reason="too long"),
    _field("sends fields of a megabyte", "\r\n".join(["X: " + "x" * 1000] * 1000),
           reason="header larger"),
    _field("sends 5000 cookies", "\r\n".join(["Set-Cookie: a=b; Domain=.net"] * 5000),
           reason="header larger"),
    _field("sets cookies, HSTS, Alt-Svc and a key pin",
           "\r\n".join(["Set-Cookie: a=b; Path=/", "Strict-Transport-Security: max-age=1000",
                        'Alt-Svc: h2="203.0.113.9:443"', 'Public-Key-Pins: pin-sha256="x"']), FOUND),
    _field("says that an answer is older than good",
           "Cache-Control: max-age=1\r\nAge: 4000000000", FOUND),
    _field("says that an answer is good for ever",
           "Cache-Control: max-age=99999999999999999999", FOUND),
    _field("sends two Cache-Control fields that disagree",
           "Cache-Control: max-age=60\r\nCache-Control: no-store", FOUND),
    _field("sends a Cache-Control of 20 KB", "Cache-Control: " + "a, " * 7000, FOUND),
    _field("says that a date is no date", "Date: yesterday\r\nExpires: -1\r\nLast-Modified: 0", FOUND),
    Row("sends no end of its fields", lambda it: (it.send("HTTP/1.1 200 OK\r\n", JSON), it.close()),
        FAILED, "within the header"),
)

LENGTHS = (
    _lengths("gives the length twice", " {}".format, " {}".format, outcome=FOUND),
    _lengths("gives two lengths, the right one last", lambda right: f" {right + 5}", " {}".format),
    _lengths("gives two lengths, the right one first", " {}".format, lambda right: f" {right - 5}"),
    _lengths("gives two equal lengths in one field", lambda right: f" {right}, {right}",
             outcome=FOUND),
    _lengths("gives two lengths in one field", lambda right: f" {right}, {right + 1}"),
    _lengths("gives a negative length", " -{}".format),
    _lengths("gives a length with a plus", " +{}".format),
    _lengths("gives a length with letters behind it", " {}abc".format),
    _lengths("gives a length in hexadecimal", " 0x{:x}".format),
    _lengths("gives an empty length", lambda right: ""),
    _lengths("folds the length (obs-fold)", lambda right: f" {right}\r\n 0", reason="line"),
    _lengths("gives a length of 2^63", lambda right: f" {1 << 63}",
             reason="Content-Length|larger"),
    _lengths("gives a length of 2^64 and the right one", lambda right: f" {(1 << 64) + right}",
             reason="Content-Length|larger"),
    _lengths("gives a length of 65537", lambda right: " 65537", reason="larger"),
    _lengths("gives a length with zeros before it", " 000000000{}".format, outcome=FOUND),
    _lengths("gives a length that is too great", lambda right: f" {right + 1}", reason="remaining"),
    _lengths("gives a length that is too small", lambda right: f" {right - 1}",
             reason="JSON"),
    _lengths("gives a length of 0", lambda right: " 0", reason="JSON"),
    Row("gives no length and closes", _until_close("HTTP/1.1"), FOUND),
    Row("gives no length and closes, in HTTP/1.0", _until_close("HTTP/1.0"), FOUND),
    Row("gives no length and closes in the middle",
        lambda it: (it.head("200 OK"), it.send(it.peer.body[:-9]), it.close()), FAILED, "JSON"),
)

CHUNKS = (
    _chunks("sends one chunk", lambda body: _chunk(body) + b"0\r\n\r\n", FOUND),
    _chunks("sends a chunk a byte",
            lambda body: b"".join(_chunk(body[i:i + 1]) for i in range(len(body))) + b"0\r\n\r\n",
            FOUND),
    _chunks("sends a chunk with an extension",
            lambda body: _chunk(body, extension=';a="b"') + b"0;x\r\n\r\n", FOUND),
    _chunks("sends a chunk with an extension of 100 KB",
            lambda body: _chunk(body, extension=";" + "x" * 100000) + b"0\r\n\r\n", FOUND),
    _chunks("sends trailer fields",
            lambda body: _chunk(body) + b"0\r\nX: y\r\nCache-Control: no-store\r\n\r\n", FOUND),
    _chunks("sends trailer fields of 1 MB",
            lambda body: _chunk(body) + b"0\r\n" + b"X: 0123456789\r\n" * 70000 + b"\r\n",
            reason="header larger"),
    _chunks("sends a length in the trailer",
            lambda body: _chunk(body) + b"0\r\nContent-Length: 5\r\n\r\n", FOUND),
    _chunks("sends a chunk size that is no number", lambda body: _chunk(body, "zz") + b"0\r\n\r\n"),
    _chunks("sends a negative chunk size", lambda body: _chunk(body, "-1") + b"0\r\n\r\n"),
    _chunks("sends a chunk size with 0x",
            lambda body: _chunk(body, f"0x{len(body):x}") + b"0\r\n\r\n"),
    _chunks("sends a chunk size of 2^64 and more",
            lambda body: _chunk(body, f"1{len(body):016x}") + b"0\r\n\r\n"),
    _chunks("sends a chunk that is longer than its size",
            lambda body: _chunk(body, f"{len(body) - 4:x}") + b"0\r\n\r\n"),
    _chunks("sends no CRLF behind a chunk", lambda body: b"%x\r\n%s0\r\n\r\n" % (len(body), body)),
    _chunks("sends no last chunk", lambda body: _chunk(body), reason="transfer|chunk"),
    _chunks("ends within a chunk", lambda body: _chunk(body)[:-9], reason="transfer|chunk"),
    _chunks("sends no end of the trailer", lambda body: _chunk(body) + b"0\r\nX: y\r\n",
            reason="transfer|chunk"),
    _chunks("announces chunks and sends the bare body", lambda body: body),
)

CODINGS = (
    _coded("gives both a length and chunks",
           ["Transfer-Encoding: chunked", "Content-Length: 5"],
           lambda body: _chunk(body) + b"0\r\n\r\n", FAILED, "Transfer-Encoding"),
    _coded("gives both chunks and a length",
           ["Content-Length: 5", "Transfer-Encoding: chunked"],
           lambda body: _chunk(body) + b"0\r\n\r\n", FAILED, "Transfer-Encoding"),
    _coded("chunks twice", ["Transfer-Encoding: chunked, chunked"],
           lambda body: _chunk(_chunk(body) + b"0\r\n\r\n") + b"0\r\n\r\n", FAILED,
           "Transfer-Encoding"),
    _coded("chunks, and says so twice", ["Transfer-Encoding: chunked", "Transfer-Encoding: chunked"],
           lambda body: _chunk(body) + b"0\r\n\r\n", FAILED, "Transfer-Encoding"),
    _coded("says that chunked is CHUNKED", ["Transfer-Encoding: CHUNKED"],
           lambda body: _chunk(body) + b"0\r\n\r\n", FOUND),
    _coded("names a transfer coding that nobody knows", ["Transfer-Encoding: x"],
           lambda body: body, FAILED, "Transfer-Encoding|content encoding"),
    _coded("names the transfer coding identity", ["Transfer-Encoding: identity"],
           lambda body: body, FAILED, "Transfer-Encoding"),
    _coded("names a transfer coding behind chunked", ["Transfer-Encoding: chunked, gzip"],
           lambda body: gzip.compress(_chunk(body) + b"0\r\n\r\n"), FAILED, "Transfer-Encoding"),
    _coded("compresses unasked, as a transfer coding", ["Transfer-Encoding: gzip, chunked"],
           lambda body: _chunk(gzip.compress(body)) + b"0\r\n\r\n", FAILED, "Transfer-Encoding"),
    _coded("sends a gzip bomb as a transfer coding", ["Transfer-Encoding: gzip, chunked"],
           _chunked_bomb, FAILED, "Transfer-Encoding"),
    _coded("compresses unasked, as a content coding", ["Content-Encoding: gzip"], gzip.compress,
           FAILED, "JSON"),
    _coded("sends a gzip bomb as a content coding", ["Content-Encoding: gzip"], _bomb, FAILED,
           "JSON|larger"),
    _coded("names the content coding br for a plain body", ["Content-Encoding: br"],
           lambda body: body, FOUND),
    _coded("sends chunks in HTTP/1.1 with Connection: close",
           ["Transfer-Encoding: chunked", "Connection: close"],
           lambda body: _chunk(body) + b"0\r\n\r\n", FOUND),
)

INTERIM = (
    Row("sends 100 first", _interim(("100 Continue",)), FOUND),
    Row("sends 102 and 103 first", _interim(("102 Processing",), ("103 Early Hints", "Link: </x>")),
        FOUND),
    Row("sends 199 first", _interim(("199 What",)), FOUND),
    Row("sends 50 interim answers first", _interim(*[("103 Early Hints", "Link: </x>")] * 50), FOUND),
    Row("sends a length with 103", _interim(("103 Early Hints", "Content-Length: 5")), FOUND),
    Row("switches protocols unasked",
        lambda it: (it.head("101 Switching Protocols", "Upgrade: h2c", "Connection: Upgrade"),
                    it.answer(), it.close()), FAILED, "101|JSON"),
    Row("sends interim answers without end",
        lambda it: [it.send("HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" * 100)
                    for _ in range(10000)], FAILED, "header larger"),
)

STAGES = (
    Stage("message", STATUS_LINE + FIELDS + LENGTHS + CHUNKS + CODINGS + INTERIM, Http1Origin,
          at_once=8),
)
