# SPDX-License-Identifier: ISC
"""A name server that knows one name (RFC 1035), and sends everyone who asks by UDP on to TCP."""

import contextlib
import ipaddress
import socket
import struct
import threading
from pathlib import Path

from . import addresses, pki

PORT = 53
TYPES = {1: addresses.ORIGIN[4], 28: addresses.ORIGIN[6]}
FLAGS_RESPONSE, FLAGS_TRUNCATED, FLAGS_NO_NAME = 0x8180, 0x8380, 0x8183
HEADER_BYTES = 12
TTL = 60


def _question(query):
    """(its bytes, the name, the type) of the one question."""
    labels, at = [], HEADER_BYTES
    while query[at]:
        labels.append(query[at + 1:at + 1 + query[at]].decode("ascii"))
        at += 1 + query[at]
    kind = struct.unpack("!H", query[at + 1:at + 3])[0]
    return query[HEADER_BYTES:at + 5], ".".join(labels), kind


def answer(query, by_tcp):
    """The answer to a query; by UDP that it is too long."""
    question, name, kind = _question(query)
    address = TYPES.get(kind) if name.lower() == pki.ORIGIN_NAME else None
    flags = FLAGS_RESPONSE if by_tcp else FLAGS_TRUNCATED
    if name.lower() != pki.ORIGIN_NAME:
        flags = FLAGS_NO_NAME
    record = b""
    if by_tcp and address:
        data = ipaddress.ip_address(address).packed
        record = struct.pack("!HHHIH", 0xC000 | HEADER_BYTES, kind, 1, TTL, len(data)) + data
    return query[:2] + struct.pack("!HHHHH", flags, 1, bool(record), 0, 0) + question + record


class NameServer:
    """Serves in the origin's namespace, and is what processes in the gateway's read of.

    An address at which nobody listens stands before it in their resolv.conf.
    """

    def __init__(self, lab):
        with lab.origin.namespace.inside():
            self._udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            self._udp.bind((addresses.ORIGIN[4], PORT))
            self._tcp = socket.create_server((addresses.ORIGIN[4], PORT))
        for serve in (self._serve_udp, self._serve_tcp):
            threading.Thread(target=serve, daemon=True).start()
        self._folder = Path("/etc/netns") / lab.gateway.namespace.name  # see ip-netns(8)
        self._folder.mkdir(parents=True)
        (self._folder / "resolv.conf").write_text(
            f"nameserver {addresses.ORIGIN[6]}\nnameserver {addresses.ORIGIN[4]}\n")

    def _serve_udp(self):
        with contextlib.suppress(OSError):  # closed
            while True:
                query, address = self._udp.recvfrom(512)
                if not query:
                    return
                self._udp.sendto(answer(query, by_tcp=False), address)

    def _serve_tcp(self):
        with contextlib.suppress(OSError):  # closed
            while True:
                connection, _ = self._tcp.accept()
                threading.Thread(target=self._serve_connection, args=(connection,),
                                 daemon=True).start()

    def _serve_connection(self, connection):
        with connection, connection.makefile("rb") as stream:
            while len(length := stream.read(2)) == 2:
                text = answer(stream.read(struct.unpack("!H", length)[0]), by_tcp=True)
                connection.sendall(struct.pack("!H", len(text)) + text)

    def close(self):
        """Ends the server, and gives the namespace the machine's own resolv.conf again."""
        for listener in (self._udp, self._tcp):
            with contextlib.suppress(OSError):  # not connected; its thread is woken all the same
                listener.shutdown(socket.SHUT_RDWR)
            listener.close()
        (self._folder / "resolv.conf").unlink()
        self._folder.rmdir()

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.close()
