# SPDX-License-Identifier: ISC
"""A control plane behind a proxy: knows validators, takes its time, and dies when it is told to."""

import contextlib
import hashlib
import json
import socket
import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from .wireguard import url_key

ADDRESS = ("127.0.0.1", 8000)


@dataclass(frozen=True)
class Request:
    """What was asked, and what the answer was."""

    path: str
    fields: dict
    status: int


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        """Answers as the control plane says."""
        plane, path = self.server.plane, self.path.partition("?")[0]
        status, body = plane.answers.get(path, (404, b""))
        tag = f'"{hashlib.sha256(body).hexdigest()[:16]}"'
        if status == 200 and self.headers["If-None-Match"] == tag:
            status, body = 304, b""
        plane.requests.append(Request(path, dict(self.headers), status))
        plane.may_answer.wait()
        self.send_response(status)
        if status in (200, 304):
            self.send_header("ETag", tag)
            self.send_header("Cache-Control", plane.cache_control)
        self.send_header("Content-Type", "application/json")
        if status != 304:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *unused):
        """Says nothing."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, plane):
        super().__init__(ADDRESS, _Handler)
        self.plane = plane
        self._connections = []

    def get_request(self):
        connection, address = super().get_request()
        self._connections.append(connection)
        return connection, address

    def handle_error(self, *unused):
        """A proxy that closes is none."""

    def end(self):
        """Takes no connection any more, and ends those that are kept."""
        self.shutdown()
        self.server_close()
        for connection in self._connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


class ControlPlane:
    """Listens on loopback of `namespace`. start() it.

    requests are those so far; while may_answer is cleared they wait for their answers.
    """

    def __init__(self, namespace, cache_control):
        self.namespace = namespace
        self.cache_control = cache_control
        self.answers = {}
        self.requests = []
        self.may_answer = threading.Event()
        self.may_answer.set()
        self._server = None

    def start(self):
        """It answers again."""
        with self.namespace.inside():
            self._server = _Server(self)
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self):
        """It is dead: connections are refused."""
        if self._server:
            self._server.end()
            self._server = None

    def add_peer(self, public_key, allowed_ips):
        """The key is known from now on."""
        body = json.dumps({"public_key": public_key, "allowed_ips": list(allowed_ips)}).encode()
        self.answers[f"/peer/{url_key(public_key)}"] = (200, body)

    def remove_peer(self, public_key):
        """404 from now on."""
        del self.answers[f"/peer/{url_key(public_key)}"]

    def revoke_peer(self, public_key):
        """410 from now on."""
        self.answers[f"/peer/{url_key(public_key)}"] = (410, b"")

    def asked(self, public_key):
        """The requests for that key."""
        path = f"/peer/{url_key(public_key)}"
        return [request for request in self.requests if request.path == path]
