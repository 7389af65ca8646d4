# SPDX-License-Identifier: ISC
"""HTTP/1.1 requests, each answered by its row: what `it` is to a row of HTTP/1.1."""

import contextlib
import functools
import socket

from gatelab.waiting import wait_until

from . import server

JSON = "Content-Type: application/json"


class Exchange:
    """One request. What a row sends goes out as it is; right is what an honest origin would send."""

    def __init__(self, connection, peer, done=None):
        self.connection = connection
        self.peer = peer
        self.done = done  # says that the row has done what it does, and only waits
        self.closed = False

    def send(self, *parts):
        """Sends text or bytes, in one piece."""
        self.connection.sendall(b"".join(part.encode("latin-1") if isinstance(part, str) else part
                                         for part in parts))

    def head(self, status="200 OK", *fields, version="HTTP/1.1"):
        """Sends a status line and these fields."""
        self.send("\r\n".join([f"{version} {status}", *fields, "", ""]))

    def answer(self, status="200 OK", *fields, body=None, version="HTTP/1.1", content=JSON):
        """A whole answer, the right body where none is given, its type and its length."""
        body = self.peer.body if body is None else body
        body = body.encode() if isinstance(body, str) else body
        self.send("\r\n".join([f"{version} {status}", content, f"Content-Length: {len(body)}", *fields,
                               "", ""]), body)

    def chunks(self, *parts, fields=()):
        """A head that announces chunks, and whatever parts say these are."""
        self.head("200 OK", JSON, "Transfer-Encoding: chunked", *fields)
        self.send(*parts)

    def wait(self):
        """Until the other side has closed."""
        while self.connection.recv(65536):
            pass

    def close(self):
        """Ends the connection."""
        self.closed = True
        self.connection.close()

    def half_close(self):
        """Says nothing more, but reads."""
        self.connection.shutdown(socket.SHUT_WR)

    def reset(self):
        """Ends the connection with RST."""
        self.closed = True
        server.reset(self.connection)


class Http1Origin(server.ScriptedOrigin):
    """HTTP/1.1 in clear, kept alive."""

    PORT = 8081

    def __init__(self, lab):
        self._done = set()
        super().__init__(lab, self.PORT)

    def end(self, row, peer):
        """Returns when all that the row does has been done, or has failed."""
        wait_until(lambda: peer.name in self._done or not self.asked(peer), f"the end of: {row.origin}")

    def serve(self, connection):
        """One request after the other."""
        self.serve_requests(connection)

    def serve_requests(self, connection):
        """Requests on a connection that is ready for them."""
        while (path := server.read_head(connection)) is not None:
            peer, does = self.peer_of(path)
            if peer is None:
                return
            it = Exchange(connection, peer, functools.partial(self._done.add, peer.name))
            try:
                (does or Exchange.answer)(it)
            finally:
                it.done()
            if it.closed:
                return


class LoudOrigin(Http1Origin):
    """HTTP/1.1 whose rows take the connection itself, as soon as it is made."""

    PORT = 8082

    def __init__(self, lab):
        self._takes = None
        super().__init__(lab)

    def _turn_to(self, takes):
        """What was connected before goes, so that none is served as it used to be."""
        self._takes = takes
        for connection in self._connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def begin(self, row, peer):
        """Connections are the row's from now on."""
        self.welcome(peer)
        self._turn_to(row.does)

    def end(self, row, peer):
        """They are served again."""
        self._turn_to(None)

    def serve(self, connection):
        """By the row, or honestly."""
        takes = self._takes
        if takes is None:
            self.serve_requests(connection)
        else:
            takes(Exchange(connection, None))
