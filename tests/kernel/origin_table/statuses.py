# SPDX-License-Identifier: ISC
"""Every status that an origin, a proxy or a captive portal may answer with."""

from .exchange import Http1Origin
from .row import ABSENT, FAILED, FOUND, REVOKED, Row
from .stage import Stage

# Each with the right body: what counts is the status (RFC 9110 section 15, and some that proxies
# made up).
FAILURES = (201, 202, 203, 205, 206, 207, 208, 226,
            300, 301, 302, 303, 305, 306, 307, 308,
            400, 401, 402, 403, 405, 406, 407, 408, 409, 411, 412, 413, 414, 415, 416, 417, 418,
            419, 421, 422, 423, 424, 425, 426, 428, 429, 431, 440, 444, 451, 495, 499,
            500, 501, 502, 503, 504, 505, 506, 507, 508, 510, 511, 520, 530, 599, 600, 777, 999)
TARGETS = {"a file": "file:///etc/shadow", "loopback": "http://127.0.0.1:8081/peer/x",
           "another port of loopback": "http://[::1]:22/", "gopher": "gopher://127.0.0.1:25/_HELO",
           "another host": "//203.0.113.9/", "nowhere": "", "a relative path": "../x",
           "no URL at all": "http://[::/\\"}


def _failure(status):
    return Row(f"answers {status}", lambda it: it.answer(f"{status} Whatever"), FAILED,
               rf"\b{status}\b")


def _redirect(status, what, target):
    return Row(f"answers {status} to {what}",
               lambda it: it.answer(f"{status} Elsewhere", f"Location: {target}"), FAILED,
               rf"\b{status}\b.*redirect")


def _to_itself(it):
    it.answer("302 Found", f"Location: /peer/{it.peer.name}")


ROWS = (
    Row("answers 200", lambda it: it.answer(), FOUND),
    Row("answers 404", lambda it: it.answer("404 Not Found"), ABSENT),
    Row("answers 404 without a body", lambda it: it.answer("404 Not Found", body=""), ABSENT),
    Row("answers 404 with a page", lambda it: it.answer("404 Not Found", body="<html>" * 500), ABSENT),
    Row("answers 410", lambda it: it.answer("410 Gone"), REVOKED),
    *map(_failure, FAILURES),
    Row("answers 204", lambda it: it.head("204 No Content"), FAILED, r"\b204\b"),
    Row("answers 304 unasked", lambda it: it.head("304 Not Modified", 'ETag: "x"'), FAILED,
        r"\b304\b"),
    *(_redirect(302, what, target) for what, target in TARGETS.items()),
    *(_redirect(status, "loopback", TARGETS["loopback"]) for status in (301, 303, 307, 308)),
    Row("answers 302 to itself", _to_itself, FAILED, "302.*redirect"),
    Row("answers 200 with Location and Refresh",
        lambda it: it.answer("200 OK", "Location: http://127.0.0.1/", "Refresh: 0; url=/x"), FOUND),
    Row("answers 401 with challenges",
        lambda it: it.answer("401 Unauthorized", 'WWW-Authenticate: Basic realm="x"',
                             "WWW-Authenticate: Negotiate", "WWW-Authenticate: NTLM",
                             'WWW-Authenticate: Digest realm="x", nonce="y"'), FAILED,
        "401.*credentials"),
    Row("answers 407 with a challenge",
        lambda it: it.answer("407 Proxy", 'Proxy-Authenticate: Basic realm="x"'), FAILED, "407"),
    Row("answers 426 to HTTP/2",
        lambda it: it.answer("426 Upgrade Required", "Upgrade: h2c", "Connection: Upgrade"), FAILED,
        "426"),
    Row("answers 503 with a Retry-After that is nothing",
        lambda it: it.answer("503 Busy", "Retry-After: soon"), FAILED, "503"),
    Row("answers 503 with a Retry-After that is over",
        lambda it: it.answer("503 Busy", "Retry-After: Sun, 06 Nov 1994 08:49:37 GMT"), FAILED,
        "503"),
    Row("answers 500 with a Retry-After, which 500 has not",
        lambda it: it.answer("500 Oops", "Retry-After: 60"), FAILED, "500"),
)

# Each of these stops all requests for its time, so nothing goes beside it.
HOLDING = (
    Row("answers 429 with Retry-After: 1", lambda it: it.answer("429 Slow", "Retry-After: 1"), FAILED,
        "429"),
    Row("answers 503 with Retry-After: 1", lambda it: it.answer("503 Busy", "Retry-After: 1"), FAILED,
        "503"),
)
LAST = (
    Row("answers 503 with a Retry-After of 300 years",
        lambda it: it.answer("503 Busy", "Retry-After: 9999999999"), FAILED, "503|Retry-After"),
    Row("is asked again within Retry-After", lambda it: it.answer(), FAILED, "Retry-After"),
)

STAGES = (
    Stage("status", ROWS, Http1Origin, at_once=8),
    Stage("held", HOLDING, Http1Origin, followed=True),
    Stage("held long", LAST, Http1Origin, settings={"timeout": "8s"}, honest=False),
)
