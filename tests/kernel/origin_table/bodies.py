# SPDX-License-Identifier: ISC
"""Bodies of a 200: what is no peer, and what is one though it looks odd."""

import json

from gatelab import wireguard

from . import msgpack
from .exchange import Http1Origin
from .row import FAILED, FOUND, REJECTED, Row
from .stage import Stage

OTHER_KEY = wireguard.public_key_of(wireguard.make_private_key())


def _body(what, make, outcome=FAILED, reason="JSON"):
    """make(peer) is the whole body, text or bytes."""
    return Row(what, lambda it: it.answer(body=make(it.peer)), outcome,
               "" if outcome == FOUND else reason)


def _with(what, outcome=FAILED, reason="", **members):
    """The right members with these over them."""
    return _body(what, lambda peer: json.dumps({**peer.members, **members}), outcome, reason)


def _without(what, member):
    return _body(what, lambda peer: json.dumps(
        {name: value for name, value in peer.members.items() if name != member}), FAILED, member)


def _allowed(what, *prefixes, outcome=FAILED, reason="allowed_ips"):
    return _with(what, outcome, reason, allowed_ips=list(prefixes))


def _twice(member, value):
    def make(peer):
        return peer.body[:-1] + b', "%s": %s}' % (member.encode(), json.dumps(value).encode())
    return make


def _nested(depth):
    return lambda peer: peer.body[:-1] + b', "x": ' + b"[" * depth + b"]" * depth + b"}"


SYNTAX = (
    _body("answers with an empty body", lambda peer: ""),
    _body("answers with blanks", lambda peer: " \n\t "),
    _body("answers with a login page", lambda peer: "<!DOCTYPE html><html><form>Log in</form></html>"),
    _body("answers with the body in a page", lambda peer: b"<pre>" + peer.body + b"</pre>"),
    _body("answers with XML", lambda peer: '<?xml version="1.0"?><peer/>'),
    _body("answers with JSON in a callback (JSONP)", lambda peer: b"x(" + peer.body + b")"),
    _body("answers with a guard against hijacking", lambda peer: b")]}',\n" + peer.body),
    _body("answers with half the body", lambda peer: peer.body[:len(peer.body) // 2]),
    _body("answers with single quotes", lambda peer: peer.body.replace(b'"', b"'")),
    _body("answers with a comma too many", lambda peer: peer.body[:-1] + b",}"),
    _body("answers with a comment", lambda peer: b"/* */" + peer.body),
    _body("answers with a byte order mark", lambda peer: b"\xef\xbb\xbf" + peer.body),
    _body("answers in UTF-16", lambda peer: peer.body.decode().encode("utf-16")),
    _body("answers in UTF-32", lambda peer: peer.body.decode().encode("utf-32-be")),
    _body("answers with bytes that are no UTF-8", lambda peer: peer.body[:-1] + b', "x": "\xff\xfe"}'),
    _body("answers with half a surrogate", lambda peer: peer.body[:-1] + b', "x": "\\ud800"}'),
    _body("answers with an escaped zero", lambda peer: peer.body[:-1] + b', "x": "a\\u0000b"}',
          reason="zero|JSON"),
    _body("answers with a zero behind the body", lambda peer: peer.body + b"\0", reason="behind|JSON"),
    _body("answers with a line end behind the body", lambda peer: peer.body + b"\r\n", FOUND),
    _body("answers with something behind the body", lambda peer: peer.body + b" true",
          reason="behind"),
    _body("answers with two bodies", lambda peer: peer.body + peer.body, reason="behind"),
    _body("answers with null", lambda peer: "null"),
    _body("answers with a list", lambda peer: b"[" + peer.body + b"]", reason="object"),
    _body("answers with a text", lambda peer: json.dumps(peer.body.decode())),
    _body("answers with an empty object", lambda peer: "{}", reason="public_key"),
    _body("answers with NaN", lambda peer: peer.body[:-1] + b', "x": NaN}'),
    _body("answers with a number beyond all numbers", lambda peer: peer.body[:-1] + b', "x": 1e999}'),
    _body("nests 100 deep", _nested(100), FOUND),
    _body("nests 30,000 deep", _nested(30000)),
    _body("answers with 65,536 bytes", lambda peer: peer.body.ljust(65536), FOUND),
    _body("answers with 65,537 bytes", lambda peer: peer.body.ljust(65537), reason="larger"),
    _body("answers with 3000 members",
          lambda peer: json.dumps({**peer.members, **{f"m{i}": i for i in range(3000)}}), FOUND),
    Row("answers as text/html", lambda it: it.answer(content="Content-Type: text/html"), FOUND),
)

MEMBERS = (
    _with("answers for another key", reason="public_key", public_key=OTHER_KEY),
    _without("leaves out the key", "public_key"),
    _without("leaves out the allowed IPs", "allowed_ips"),
    _body("writes the key for URLs",
          lambda peer: json.dumps({**peer.members, "public_key": peer.name}), reason="public_key"),
    _body("writes the key in hexadecimal", lambda peer: json.dumps(
        {**peer.members, "public_key": "ab" * 32}), reason="public_key"),
    _body("writes a line end behind the key", lambda peer: json.dumps(
        {**peer.members, "public_key": peer.public_key + "\n"}), reason="public_key"),
    _body("gives keys in a list", lambda peer: json.dumps(
        {**peer.members, "public_key": [peer.public_key]}), reason="public_key"),
    _body("gives the key twice, another's last", _twice("public_key", OTHER_KEY), reason="twice"),
    _body("gives allowed IPs twice", _twice("allowed_ips", ["10.64.200.1/32"]), reason="twice"),
    _body("writes members in capitals",
          lambda peer: peer.body.replace(b"allowed_ips", b"Allowed_IPs"), reason="allowed_ips"),
    _body("escapes a member's name",
          lambda peer: peer.body.replace(b"allowed_ips", b"allowed\\u005fips"), FOUND),
    _with("gives members that nobody knows", FOUND, name="x", groups=[{"a": None}]),
    _with("gives null for allowed IPs", reason="allowed_ips", allowed_ips=None),
    _with("gives a text for allowed IPs", reason="allowed_ips", allowed_ips="10.64.200.1/32"),
    _with("gives numbers for allowed IPs", reason="allowed_ips", allowed_ips=[1, 2]),
    _allowed("gives no allowed IPs"),
    _allowed("gives 9 allowed IPs", *(f"10.64.201.{i}/32" for i in range(9))),
    _allowed("gives 3000 allowed IPs", *(f"10.65.{i >> 8}.{i & 255}/32" for i in range(3000))),
    _allowed("gives an allowed IP twice", "10.64.200.1/32", "10.64.200.1/32"),
    _allowed("gives an allowed IP with host bits", "10.64.200.1/24", reason="host bits"),
    _body("gives allowed IPs without lengths",
          lambda peer: json.dumps({**peer.members, "allowed_ips": list(peer.inside.values())}), FOUND),
    _allowed("gives a length of 33", "10.64.200.1/33"),
    _allowed("gives a length of -1", "10.64.200.1/-1"),
    _allowed("gives a netmask", "10.64.200.1/255.255.255.255"),
    _allowed("gives an address in octal", "012.0100.0310.01/32"),
    _allowed("gives three parts of an address", "10.64.1/32"),
    _allowed("gives an address with a zone", "fd64::1%lo/128"),
    _allowed("gives an address with a blank", " 10.64.200.1/32"),
    _allowed("gives a name", "localhost/32"),
    _allowed("gives an IPv4 address in an IPv6 one", "::ffff:10.64.200.1/128", outcome=REJECTED,
             reason="policy|allowed"),
    _allowed("gives an address outside of the policy", "192.168.0.1/32", outcome=REJECTED,
             reason="192.168.0.1/32"),
    _allowed("gives more than the policy's network", "10.0.0.0/8", outcome=REJECTED,
             reason="10.0.0.0/8"),
    _allowed("gives a default route", "0.0.0.0/0", outcome=REJECTED, reason="0.0.0.0/0"),
    _allowed("gives an IPv6 default route", "::/0", outcome=REJECTED, reason="::/0"),
    _with("gives null for the preshared key", FOUND, preshared_key=None),
    _with("gives an empty preshared key", reason="preshared_key", preshared_key=""),
    _with("gives a preshared key of 16 bytes", reason="preshared_key",
          preshared_key="AAAAAAAAAAAAAAAAAAAAAA=="),
    _with("gives a number for the preshared key", reason="preshared_key", preshared_key=5),
    _with("gives a keepalive of 25", FOUND, persistent_keepalive=25),
    _with("gives a keepalive as text", reason="keepalive", persistent_keepalive="25"),
    _with("gives a keepalive of 65536", reason="keepalive", persistent_keepalive=65536),
    _with("gives a keepalive of -1", reason="keepalive", persistent_keepalive=-1),
    _with("gives a keepalive of 25.0", reason="keepalive", persistent_keepalive=25.0),
    _with("gives a keepalive of 2^64", reason="keepalive|JSON", persistent_keepalive=1 << 64),
    _with("gives null for the keepalive", reason="keepalive", persistent_keepalive=None),
)


def _msgpack(what, make, outcome=FAILED, reason="body", kind="application/msgpack"):
    """make(peer) is the whole body, in bytes."""
    return Row(what, lambda it: it.answer(body=make(it.peer), content=f"Content-Type: {kind}"),
               outcome, "" if outcome == FOUND else reason)


def _packed(peer, **members):
    return msgpack.pack({**peer.members, **members})


def _appended(packed_member):
    """The right members and one more, as it stands."""
    def make(peer):
        packed = msgpack.pack(peer.members)
        return bytes([packed[0] + 1]) + packed[1:] + packed_member
    return make


MSGPACK = (
    _msgpack("answers in msgpack", _packed, FOUND),
    _msgpack("answers in msgpack by its registered name", _packed, FOUND,
             kind="application/vnd.msgpack"),
    _msgpack("answers in msgpack with members that nobody knows", lambda peer: _packed(
        peer, name="x", groups=[{"a": None}, 1.5, True]), FOUND),
    _msgpack("answers in msgpack with a time that JSON hasn't",
             _appended(b"\xa4made\xd6\xff\0\0\0\0"), FOUND),
    _msgpack("says msgpack and means JSON", lambda peer: peer.body, reason="behind"),
    _msgpack("says JSON and means msgpack", _packed, reason="JSON", kind="application/json"),
    _msgpack("cuts msgpack", lambda peer: _packed(peer)[:-1], reason="cut"),
    _msgpack("answers in msgpack with something behind", lambda peer: _packed(peer) + b"\0",
             reason="behind"),
    _msgpack("claims 2^32 elements", lambda peer: b"\xdd\xff\xff\xff\xff", reason="cut"),
    _msgpack("claims 2^32 members", lambda peer: b"\xdf\xff\xff\xff\xff" + _packed(peer)[1:],
             reason="cut"),
    _msgpack("nests msgpack 60,000 deep", _appended(b"\xa1x" + b"\x91" * 60000), reason="deep"),
    _msgpack("gives 60,000 empty maps", _appended(b"\xa1x\xdc\xea\x60" + b"\x80" * 60000), FOUND),
    _msgpack("gives a member twice in msgpack", _appended(b"\xaapublic_key\xa1x"), reason="twice"),
    _msgpack("names a member by a number", _appended(b"\1\1"), reason="name"),
    _msgpack("answers in msgpack for another key", lambda peer: _packed(peer, public_key=OTHER_KEY),
             reason="public_key"),
    _msgpack("gives the key as bytes", lambda peer: _packed(peer, public_key=bytes(32)),
             reason="public_key"),
    _msgpack("gives a preshared key of 16 bytes in msgpack", lambda peer: _packed(
        peer, preshared_key="AAAAAAAAAAAAAAAAAAAAAA=="), reason="preshared_key"),
    _msgpack("gives an allowed IP with host bits in msgpack", lambda peer: _packed(
        peer, allowed_ips=["10.64.200.1/24"]), reason="host bits"),
    _msgpack("gives an address outside of the policy in msgpack", lambda peer: _packed(
        peer, allowed_ips=["192.168.0.1/32"]), REJECTED, "192.168.0.1/32"),
)

STAGES = (Stage("body", SYNTAX + MEMBERS + MSGPACK, Http1Origin, at_once=8),)
