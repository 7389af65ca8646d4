# SPDX-License-Identifier: ISC
"""An origin that follows a script, connection by connection and request by request."""

import contextlib
import socket
import struct
import threading

from gatelab import addresses

HEAD_BYTES = 65536
PREFIX = "/peer/"


def reset(connection):
    """Closes with RST."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def read_head(connection):
    """The head of the next request and its path; None when there is none."""
    head = b""
    while b"\r\n\r\n" not in head and len(head) < HEAD_BYTES:
        received = connection.recv(4096)
        if not received:
            return None
        head += received
    return head.split(b" ")[1].decode("ascii", "replace")


class ScriptedOrigin:
    """Serves each connection in a thread of its own: whoever is asked for, does what is written.

    Without begin() everybody who is welcome is served over HTTP/1.1.
    """

    scheme = "http"
    settings = {}  # of pullgate's section [origin], beside the stage's

    def __init__(self, lab, port, host=addresses.ORIGIN[4]):
        self.lab = lab
        self.port = port
        self.host = host
        self.paths = []
        self._peers = {}
        self._does = {}
        self._connections = []
        self._ended = False
        with lab.origin.namespace.inside():
            self._listener = socket.create_server((addresses.ORIGIN[4], port), backlog=512)
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self):
        """For pullgate's configuration."""
        return f"{self.scheme}://{self.host}:{self.port}{PREFIX}{{key}}"

    def begin(self, row, peer):
        """Whoever asks for the peer gets what the row does."""
        self._does[peer.name] = row.does
        self._peers[peer.name] = peer

    def end(self, row, peer):
        """Whoever asks for it again still does."""

    def welcome(self, peer):
        """The peer is served."""
        self._peers[peer.name] = peer

    def asked(self, peer):
        """How many requests there were for it."""
        return self.paths.count(PREFIX + peer.name)

    def strays(self):
        """The paths of nobody that were asked for."""
        return [path for path in self.paths if path.removeprefix(PREFIX) not in self._peers]

    def peer_of(self, path):
        """Who is asked for, and what is to be done; serves those who are only welcome."""
        self.paths.append(path)
        name = path.removeprefix(PREFIX)
        return self._peers.get(name), self._does.get(name)

    def _accept(self):
        while not self._ended:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self._connections.append(connection)
            threading.Thread(target=self._run, args=(connection,), daemon=True).start()

    def _run(self, connection):
        with contextlib.suppress(OSError, EOFError, ValueError), connection:
            self.serve(connection)

    def serve(self, connection):
        """A connection from its beginning to its end."""
        raise NotImplementedError

    def close(self):
        """Ends the server and all its connections."""
        self._ended = True
        for one in (self._listener, *self._connections):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            with contextlib.suppress(OSError):
                one.close()
