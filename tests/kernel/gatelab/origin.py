# SPDX-License-Identifier: ISC
"""The control plane: Debian's nginx serving one JSON file a peer, in a namespace of its own."""

import contextlib
import json
import signal
import socket
import subprocess
import urllib.parse
from dataclasses import dataclass
from pathlib import Path

from . import addresses, command, pki
from .waiting import wait_until
from .wireguard import url_key

HTTP_PORT = 8080
HTTPS_PORT = 8443

CONFIGURATION = """\
daemon off;
user root;
worker_processes 1;
pid {directory}/nginx.pid;
error_log {directory}/error.log info;
events {{ worker_connections 2048; }}
http {{
    log_format peers '$msec $request_method $status $server_protocol $uri';
    access_log {directory}/access.log peers;
    default_type application/json;
    types {{ }}
    client_body_temp_path {directory}/temporary;
    proxy_temp_path {directory}/temporary;
    fastcgi_temp_path {directory}/temporary;
    uwsgi_temp_path {directory}/temporary;
    scgi_temp_path {directory}/temporary;
    keepalive_requests 1000000;
    {http_lines}
    server {{
        listen {v4}:{http_port};
        listen [{v6}]:{http_port};
        listen {v4}:{https_port} ssl{http2};
        listen [{v6}]:{https_port} ssl{http2};
        ssl_certificate {certificate};
        ssl_certificate_key {key};
        root {directory}/docroot;
        {server_lines}
        location ~ ^/peer/(?<name>[A-Za-z0-9_-]+)$ {{
            if (-f $document_root/revoked/$name) {{ return 410; }}
            try_files /peer/$name =404;
        }}
        location / {{ return 404; }}
    }}
}}
"""


@dataclass(frozen=True)
class Request:
    """One line of the access log. It is written when the answer has been sent."""

    time: float
    method: str
    status: int
    protocol: str
    key: str


def _parse_request(line):
    time, method, status, protocol, uri = line.split(" ", 4)
    return Request(float(time), method, int(status), protocol,
                   urllib.parse.unquote(uri).removeprefix("/peer/"))


class Origin:
    """nginx in `namespace`, with its files below `directory`. start() it.

    ca_file is the certificate of the authority that its own certificate comes from.
    """

    def __init__(self, namespace, directory, ports=(HTTP_PORT, HTTPS_PORT)):
        self.namespace = namespace
        self.ports = dict(zip(("http", "https"), ports))
        self.directory = Path(directory)
        self.docroot = self.directory / "docroot"
        authority, (self.certificate, self.key) = pki.shared()
        self.ca_file = authority.certificate
        self._process = None
        for name in ("docroot/peer", "docroot/revoked", "temporary"):
            (self.directory / name).mkdir(parents=True)

    def url(self, scheme="http", version=4, key="{key}"):
        """The URL of one peer, or with {key} as the configuration has it."""
        host = addresses.url_host(addresses.ORIGIN[version])
        return f"{scheme}://{host}:{self.ports[scheme]}/peer/{key}"

    def start(self, server_lines="", http_lines="", has_http2=True):
        """Starts nginx; the lines go into its configuration (headers, limits)."""
        text = CONFIGURATION.format(
            directory=self.directory, v4=addresses.ORIGIN[4], v6=addresses.ORIGIN[6],
            http_port=self.ports["http"], https_port=self.ports["https"],
            certificate=self.certificate, key=self.key,
            server_lines=server_lines, http_lines=http_lines,
            http2=" http2" if has_http2 else "")
        configuration = self.directory / "nginx.conf"
        configuration.write_text(text, encoding="ascii")
        with open(self.directory / "nginx.log", "ab") as log:
            self._process = self.namespace.popen(
                "nginx", "-e", self.directory / "error.log", "-c", configuration,
                stdout=log, stderr=subprocess.STDOUT)
        wait_until(self._listens, "nginx to listen")

    def _listens(self):
        if self._process.poll() is not None:
            raise RuntimeError("nginx ended: " + (self.directory / "nginx.log").read_text())
        with self.namespace.inside(), contextlib.suppress(ConnectionRefusedError):
            socket.create_connection((addresses.ORIGIN[4], self.ports["https"]), timeout=10).close()
            return True
        return False

    def stop(self):
        """Ends nginx; start() starts it again with the same peers."""
        if self._process:
            command.stop(self._process)
            self._process = None

    def reload(self):
        """nginx goes on with new workers; the old ones end when they have nothing left to do."""
        self._process.send_signal(signal.SIGHUP)

    def _file(self, public_key, folder="peer"):
        return self.docroot / folder / url_key(public_key)

    def add_peer(self, public_key, allowed_ips, preshared_key=None, keepalive=None, **others):
        """The key is known from now on: its URL answers 200. Other fields go in as given."""
        peer = {"public_key": public_key, "allowed_ips": list(allowed_ips)}
        if preshared_key:
            peer["preshared_key"] = preshared_key
        if keepalive:
            peer["persistent_keepalive"] = keepalive
        self.add_body(public_key, json.dumps({**peer, **others}))

    def add_body(self, public_key, body):
        """The key's URL answers 200 with this very body (text or bytes)."""
        new = self.docroot / f"{url_key(public_key)}.new"
        new.write_bytes(body.encode() if isinstance(body, str) else body)
        self._file(public_key, "revoked").unlink(missing_ok=True)
        new.rename(self._file(public_key))

    def remove_peer(self, public_key):
        """The key is unknown from now on: its URL answers 404."""
        self._file(public_key).unlink(missing_ok=True)

    def revoke_peer(self, public_key):
        """The key's URL answers 410."""
        self._file(public_key, "revoked").touch()

    def requests(self, public_key=None):
        """The requests so far, oldest first; those for one key if given."""
        log = self.directory / "access.log"
        lines = log.read_text(encoding="utf-8").splitlines() if log.exists() else []
        requests = [_parse_request(line) for line in lines]
        wanted = url_key(public_key) if public_key else None
        return [request for request in requests if wanted in (None, request.key)]

    def wait_requests(self, public_key=None, count=1):
        """Waits until there were that many requests (for one key), and returns them."""
        def enough():
            requests = self.requests(public_key)
            return requests if len(requests) >= count else None
        return wait_until(enough, f"{count} requests at the origin")
