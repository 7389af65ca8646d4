# SPDX-License-Identifier: ISC
"""A control plane that misbehaves: a small HTTP server that follows a script."""

import contextlib
import socket
import threading
import time

from . import addresses

PORT = 8081
CHUNK = b" " * 65536


class HostileOrigin:
    """Serves each connection with `behave(connection, path)`, in the origin's namespace.

    behave gets the socket after the request's head was read, and may do to it what it likes; one
    request a connection. `paths` are the paths asked for so far.
    """

    def __init__(self, namespace, behave, port=PORT):
        self.behave = behave
        self.port = port
        self.paths = []
        self._connections = []
        self._ended = False
        with namespace.inside():
            self._listener = socket.create_server((addresses.ORIGIN[4], port), backlog=512)
        threading.Thread(target=self._accept, daemon=True).start()

    def url(self, key="{key}"):
        """The URL of one peer, or with {key} as the configuration has it."""
        return f"http://{addresses.ORIGIN[4]}:{self.port}/peer/{key}"

    def _accept(self):
        while not self._ended:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self._connections.append(connection)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        head = b""
        with contextlib.suppress(OSError), connection:
            while b"\r\n\r\n" not in head and len(head) < 65536:
                received = connection.recv(4096)
                if not received:
                    return  # a connection made in advance, or a probe
                head += received
            path = head.split(b" ")[1].decode("ascii", "replace")
            self.paths.append(path)
            self.behave(connection, path)

    def close(self):
        """Ends the server and all its connections."""
        self._ended = True
        for open_socket in (self._listener, *self._connections):
            with contextlib.suppress(OSError):
                open_socket.shutdown(socket.SHUT_RDWR)
            open_socket.close()


def answer(body, status="200 OK", headers=()):
    """Behaviour: this answer, whatever was asked for."""
    body = body.encode() if isinstance(body, str) else body
    lines = [f"HTTP/1.1 {status}", "Content-Type: application/json",
             f"Content-Length: {len(body)}", "Connection: close", *headers]
    whole = "\r\n".join(lines).encode() + b"\r\n\r\n" + body
    return lambda connection, path: connection.sendall(whole)


def silence(seconds=3600):
    """Behaviour: never an answer, the connection stays open."""
    def behave(connection, path):
        del connection, path
        time.sleep(seconds)
    return behave


def endless(size=1 << 30, announced=True):
    """Behaviour: a body of `size` bytes; its length is announced, or it comes in chunks."""
    def behave(connection, path):
        del path
        how = f"Content-Length: {size}" if announced else "Transfer-Encoding: chunked"
        connection.sendall(f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n{how}\r\n\r\n"
                           .encode())
        piece = CHUNK if announced else b"%x\r\n%s\r\n" % (len(CHUNK), CHUNK)
        for _ in range(size // len(CHUNK)):
            connection.sendall(piece)
    return behave
