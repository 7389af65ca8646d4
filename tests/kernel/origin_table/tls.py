# SPDX-License-Identifier: ISC
"""TLS: who the origin says it is, which versions it speaks, and where its handshake ends."""

import contextlib
import functools
import socket
import ssl
import time

from cryptography.hazmat.primitives import hashes
from cryptography.x509.oid import ExtendedKeyUsageOID

from gatelab import addresses, pki

from . import renegotiation
from .certificates import Maker
from .exchange import JSON, Http1Origin
from .keepalive import GONE, PAUSE
from .row import FAILED, FOUND, Row
from .server import read_head, reset
from .stage import Stage

PORT = 8444
UNVERIFIED = "certificate|SSL"
BROKEN = "SSL|TLS|reset|closed|EOF|reply|Send failure|getpeername"
HERE = (addresses.ORIGIN[4],)


@functools.lru_cache
def make_identities(directory):
    """{what: Identity}, all but `right` wrong for who asks by the origin's address."""
    maker = Maker(directory)
    authority = maker.authority
    here = {"issuer": authority, "addresses": HERE}
    other = maker.make("other authority", is_authority=True)
    between = maker.make("intermediate", authority, is_authority=True, path_length=0)
    below = maker.make("intermediate below it", between, is_authority=True)
    leaf = maker.make("leaf", **here)
    return {
        "right": maker.make("right", **here),
        "expired": maker.make("expired", **here, days=(-30, -1)),
        "not yet valid": maker.make("not yet valid", **here, days=(1, 30)),
        "of an unknown authority": maker.make("unknown", other, addresses=HERE),
        "that signed itself": maker.make("self-signed", addresses=HERE),
        "for another address": maker.make("other address", authority, addresses=["203.0.113.9"]),
        "for another name": maker.make("other name", authority, names=["example.net"]),
        "for the address as a name": maker.make("address as name", authority, names=HERE),
        "with the address in its subject, and another name":
            maker.make("subject", authority, names=["example.net"], common_name=HERE[0]),
        "with the address in its subject alone":
            maker.make("subject alone", authority, common_name=HERE[0]),
        "for clients": maker.make("client's", **here, usage=ExtendedKeyUsageOID.CLIENT_AUTH),
        "without its intermediate": maker.make("without intermediate", between, addresses=HERE),
        "with its intermediate":
            maker.make("with intermediate", between, addresses=HERE, send=[between]),
        "below an intermediate too many":
            maker.make("too deep", below, addresses=HERE, send=[below, between]),
        "that another server's signed":
            maker.make("signed by leaf", leaf, addresses=HERE, send=[leaf]),
        "signed with SHA-1": maker.make("sha1", **here, algorithm=hashes.SHA1()),
        "with an RSA key of 1024 bits": maker.make("rsa1024", **here, rsa_bits=1024),
    }


@functools.lru_cache
def make_named(directory):
    """The same for who asks by the origin's name."""
    maker = Maker(directory)

    def named(name, *names, **others):
        return maker.make(name, maker.authority, names=names, **others)
    domain = pki.ORIGIN_NAME.partition(".")[2]
    return {
        "right": named("named", pki.ORIGIN_NAME),
        "for every name of its domain": named("wildcard", f"*.{domain}"),
        "for the name in capitals": named("capitals", pki.ORIGIN_NAME.upper()),
        "for every name of a domain above": named("wildcard above", f"*.{domain.partition('.')[2]}"),
        "for every name": named("star", "*"),
        "for names that begin as this does": named("partial", f"c*.{domain}"),
        "for names below this": named("below", f"*.{pki.ORIGIN_NAME}"),
        "for the domain": named("domain", domain),
        "for the address alone": named("address", addresses=HERE),
        "with the name in its subject, and another":
            named("subject", "example.net", common_name=pki.ORIGIN_NAME),
        "with the name in its subject alone": named("subject alone", common_name=pki.ORIGIN_NAME),
    }


class Visit:
    """A connection that has begun to speak: what `it` is to a row of TLS."""

    def __init__(self, origin, connection, done):
        self.origin = origin
        self.connection = connection
        self.done = done  # says that the row has done what it does, and only waits

    def tls(self, identity="right", change=None, **options):
        """The handshake; change(context) may spoil it. The connection with TLS."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.set_ciphers("ALL:@SECLEVEL=0")
        context.minimum_version = ssl.TLSVersion.TLSv1
        one = self.origin.identities[identity]
        context.load_cert_chain(one.chain_file, one.key_file)
        for name, value in options.items():
            setattr(context, name, value)
        if change:
            change(context)
        # What the other side closes is closed, with or without a goodbye.
        self.connection = context.wrap_socket(self.connection, server_side=True,
                                              suppress_ragged_eofs=True)
        return self.connection

    def serve(self, identity="right", **options):
        """HTTP/1.1 in TLS, honestly."""
        self.origin.serve_requests(self.tls(identity, **options))

    def hello(self):
        """Reads the client's first flight; its bytes."""
        return self.connection.recv(65536)


class TlsOrigin(Http1Origin):
    """TLS whose rows take each connection that begins to speak; between them it is honest."""

    scheme = "https"
    PORT = PORT
    make_identities = staticmethod(make_identities)

    def __init__(self, lab):
        directory = lab.directory / f"certificates-{self.PORT}"
        self.settings = {"ca_file": directory / "authority.pem"}
        self.identities = self.make_identities(directory)
        self._takes = None
        self.row_peer = None
        self._speaking = set()
        super().__init__(lab)

    def begin(self, row, peer):
        """Connections that begin to speak now are the row's; those that have spoken end."""
        self.welcome(peer)
        self._takes, self.row_peer = row.does, peer
        self._hang_up()

    def _hang_up(self):
        for connection in list(self._speaking):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def end(self, row, peer):
        """Connections that begin now are served; those of the row are still its own."""
        super().end(row, peer)
        self._takes = self.row_peer = None

    def close(self):
        """Ends the server and all its connections."""
        super().close()
        self._hang_up()

    def serve_honestly(self, visit):
        """A connection that is no row's."""
        visit.serve()

    def serve(self, connection):
        """By whose row it is when the client says its first word."""
        if not connection.recv(1, socket.MSG_PEEK):
            return
        # A socket that is wrapped in TLS loses its own descriptor; by this one it ends, whatever happens.
        speaking = connection.dup()
        self._speaking.add(speaking)
        peer, done = self.row_peer, self._done
        visit = Visit(self, connection, functools.partial(done.add, peer.name if peer else ""))
        try:
            (self._takes or self.serve_honestly)(visit)
        finally:
            visit.done()
            self._speaking.remove(speaking)
            with contextlib.suppress(OSError):
                speaking.shutdown(socket.SHUT_RDWR)
            speaking.close()


class NamedTlsOrigin(TlsOrigin):
    """The same by its name."""

    PORT = PORT + 1
    make_identities = staticmethod(make_named)

    def __init__(self, lab):
        super().__init__(lab)
        self.host = pki.ORIGIN_NAME


def _identity(what, outcome=FAILED, reason=UNVERIFIED):
    return Row(f"has a certificate {what}" if what != "right" else "has a right certificate",
               lambda it: it.serve(what), outcome, "" if outcome == FOUND else reason)


def _version(name, version, outcome, reason=BROKEN):
    return Row(f"speaks TLS {name} alone",
               lambda it: it.serve(minimum_version=version, maximum_version=version), outcome,
               "" if outcome == FOUND else reason)


def _ciphers(what, ciphers):
    def change(context):
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        context.set_ciphers(f"{ciphers}:@SECLEVEL=0")
    return Row(f"speaks {what} alone", lambda it: it.serve(change=change), FAILED, BROKEN)


def _raw(what, *says, reason=BROKEN, then=None):
    """What it says where a ServerHello belongs; then it closes."""
    def does(it):
        it.hello()
        for part in says:
            it.connection.sendall(part)
        (then or socket.socket.close)(it.connection)
    return Row(what, does, FAILED, reason)


def _record(kind, payload):
    return bytes([kind, 3, 3]) + len(payload).to_bytes(2, "big") + payload


def _alert(level, number):
    return _record(21, bytes([level, number]))


def _flight(it):
    """What a right server answers to the client's hello, not sent."""
    one = it.origin.identities["right"]
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(one.chain_file, one.key_file)
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    incoming.write(it.hello())
    with contextlib.suppress(ssl.SSLWantReadError):
        context.wrap_bio(incoming, outgoing, server_side=True).do_handshake()
    return outgoing.read()


def _spoilt(what, spoil):
    """The right first flight as spoil() leaves it, and the end."""
    def does(it):
        it.connection.sendall(spoil(bytearray(_flight(it))))
        it.connection.shutdown(socket.SHUT_WR)
        it.connection.recv(65536)
    return Row(what, does, FAILED, BROKEN)


def _flip(flight):
    flight[-20] ^= 1
    return flight


def _lengthen(flight):
    flight[3:5] = b"\xff\xff"
    return flight


def say_goodbye(connection):
    """close_notify, without waiting for the other side's."""
    connection.settimeout(0)
    with contextlib.suppress(ssl.SSLWantReadError):
        connection.unwrap()


def _request(it, **options):
    """The handshake, and the one request: (connection, its peer)."""
    connection = it.tls(**options)
    peer, _ = it.origin.peer_of(read_head(connection))
    return connection, peer


def _head(peer, *fields):
    return "\r\n".join(["HTTP/1.1 200 OK", JSON, *fields, "", ""]).encode() + peer.body


def _end(what, outcome, says, goodbye):
    """says(peer) to the request, and then the end, with close_notify or without."""
    def does(it):
        connection, peer = _request(it)
        connection.sendall(says(peer))
        if goodbye:
            say_goodbye(connection)
        connection.close()
    return Row(what, does, outcome, "")


def _length(peer):
    return _head(peer, f"Content-Length: {len(peer.body)}")


def _unasked(it):
    connection, peer = _request(it)
    connection.sendall(_length(peer))
    time.sleep(PAUSE)
    connection.sendall(GONE.encode())
    it.done()
    it.origin.serve_requests(connection)


def _behind(it):
    connection, peer = _request(it)
    whole = _length(peer)
    connection.sendall(whole[:-len(peer.body)])
    time.sleep(PAUSE)
    connection.sendall(peer.body + GONE.encode())
    it.done()
    it.origin.serve_requests(connection)


def _wants_certificate(mode, version):
    def change(context):
        context.verify_mode = mode
        context.maximum_version = version
    return lambda it: it.serve(change=change)


def _negotiates(*protocols):
    return lambda it: it.serve(change=lambda context: context.set_alpn_protocols(list(protocols)))


IDENTITIES = (
    _identity("right", FOUND),
    *map(_identity, ("expired", "not yet valid", "of an unknown authority", "that signed itself",
                     "for another address", "for another name", "for the address as a name",
                     "with the address in its subject, and another name",
                     "for clients",
                     "without its intermediate", "below an intermediate too many",
                     "that another server's signed", "signed with SHA-1",
                     "with an RSA key of 1024 bits")),
    _identity("with its intermediate", FOUND),
    # Without any alternative name libcurl takes the subject's, which RFC 9525 would have it not.
    _identity("with the address in its subject alone", FOUND),
)

VERSIONS = (
    _version("1.0", ssl.TLSVersion.TLSv1, FAILED),
    _version("1.1", ssl.TLSVersion.TLSv1_1, FAILED),
    _version("1.2", ssl.TLSVersion.TLSv1_2, FOUND),
    _version("1.3", ssl.TLSVersion.TLSv1_3, FOUND),
    _ciphers("ciphers that don't encrypt", "eNULL"),
    _ciphers("ciphers without certificates", "aNULL"),
    Row("negotiates http/1.1", _negotiates("http/1.1"), FOUND),
    Row("would like a client certificate", _wants_certificate(ssl.CERT_OPTIONAL,
                                                              ssl.TLSVersion.TLSv1_3), FOUND),
    Row("insists on a client certificate, in TLS 1.3",
        # The alert, unless the end of the connection overtakes it.
        _wants_certificate(ssl.CERT_REQUIRED, ssl.TLSVersion.TLSv1_3), FAILED, "certificate|" + BROKEN),
    Row("insists on a client certificate, in TLS 1.2",
        _wants_certificate(ssl.CERT_REQUIRED, ssl.TLSVersion.TLSv1_2), FAILED, BROKEN),
    Row("sends no session ticket", lambda it: it.serve(num_tickets=0), FOUND),
    Row("sends 500 session tickets", lambda it: it.serve(num_tickets=500), FOUND),
)

HANDSHAKE = (
    _raw("closes where a ServerHello belongs"),
    _raw("resets where a ServerHello belongs", then=reset),
    _raw("speaks HTTP where TLS belongs", b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"),
    _raw("speaks SSH where TLS belongs", b"SSH-2.0-OpenSSH_9.2p1\r\n"),
    _raw("sends zeros where TLS belongs", bytes(1000)),
    _raw("alerts: handshake failure", _alert(2, 40)),
    _raw("alerts: unrecognised name", _alert(2, 112)),
    _raw("alerts: protocol version", _alert(2, 70)),
    _raw("alerts: no certificate of yours", _alert(2, 116)),
    _raw("alerts: goodbye", _alert(1, 0)),
    _raw("warns 10,000 times", _alert(1, 90) * 10000),
    _raw("sends 10,000 empty records", _record(22, b"") * 10000),
    _raw("sends HelloRequest 10,000 times", _record(22, bytes(4)) * 10000),
    _raw("announces a handshake message of 16 MB", _record(22, b"\x02\xff\xff\xff" + bytes(16000))),
    _spoilt("ends within its ServerHello", lambda flight: flight[:60]),
    _spoilt("ends within its first flight", lambda flight: flight[:len(flight) // 2]),
    _spoilt("ends behind its first flight", lambda flight: flight),
    _spoilt("flips a bit of its first flight", _flip),
    _spoilt("announces a record of 65,535 bytes", _lengthen),
    Row("closes behind the handshake", lambda it: it.tls().close(), FAILED, BROKEN),
)

ENDS = (
    _end("gives a length, closes without close_notify", FOUND, _length, False),
    _end("gives a length, closes with close_notify", FOUND, _length, True),
    _end("gives no length, closes with close_notify", FOUND, _head, True),
    # RFC 9112 section 9.8 calls it incomplete; what is cut off of a peer's body leaves no JSON.
    _end("gives no length, closes without close_notify", FOUND, _head, False),
    _end("gives no length, ends within the body without close_notify", FAILED,
         lambda peer: _head(peer)[:-1], False),
    _end("ends within the body with close_notify", FAILED, lambda peer: _length(peer)[:-9], True),
    _end("ends within the body without close_notify", FAILED, lambda peer: _length(peer)[:-9], False),
    _end("says close_notify for an answer", FAILED, lambda peer: b"", True),
    Row("says 410 unasked, in TLS", _unasked, FOUND),
    Row("says 410 behind a body, in the same record of TLS", _behind, FOUND),
)

NAMES = (
    *(Row(f"is asked by name, has a certificate {what}", lambda it, what=what: it.serve(what), FOUND)
      for what in ("right", "for every name of its domain", "for the name in capitals",
                   "with the name in its subject alone")),
    *(Row(f"is asked by name, has a certificate {what}", lambda it, what=what: it.serve(what), FAILED,
          UNVERIFIED)
      for what in ("for every name of a domain above", "for every name",
                   "for names that begin as this does", "for names below this", "for the domain",
                   "for the address alone", "with the name in its subject, and another")),
)

STAGES = (
    Stage("TLS", IDENTITIES + VERSIONS + renegotiation.ROWS + HANDSHAKE, TlsOrigin),
    Stage("TLS's end", ENDS, TlsOrigin, followed=True),
    Stage("TLS by name", NAMES, NamedTlsOrigin),
)
