# SPDX-License-Identifier: ISC
"""nginx with one of the configurations of docs/examples, as an operator would include it."""

import contextlib
import socket
import subprocess
from pathlib import Path

from . import addresses, command, pki
from .waiting import wait_until

EXAMPLES = Path(__file__).resolve().parents[3] / "docs" / "examples"
PORT = 443

# What is around it in /etc/nginx/nginx.conf.
AROUND = """\
daemon off;
user root;
worker_processes 1;
pid {directory}/nginx.pid;
error_log {directory}/error.log info;
events {{ worker_connections 1024; }}
http {{
    access_log {directory}/access.log;
    client_body_temp_path {directory}/temporary;
    proxy_temp_path {directory}/temporary;
    fastcgi_temp_path {directory}/temporary;
    uwsgi_temp_path {directory}/temporary;
    scgi_temp_path {directory}/temporary;
    include {directory}/example.conf;
}}
"""


class Example:
    """Runs the example in `namespace`; `paths` are put in the place of its own ones. start() it.

    gateways is the authority of the gateways' certificates; the server's is the lab's.
    """

    def __init__(self, namespace, directory, name, paths):
        self.namespace = namespace
        self.directory = Path(directory)
        self.url = f"https://{addresses.ORIGIN[4]}/peer/{{key}}"
        (self.directory / "temporary").mkdir(parents=True)
        authority, (certificate, key) = pki.shared()
        self.ca_file = authority.certificate
        self.gateways = pki.Authority(self.directory / "gateways")
        text = (EXAMPLES / name).read_text(encoding="ascii")
        own = "/etc/ssl/control.example.net"
        for old, new in {f"{own}/server.pem": certificate, f"{own}/server.key": key,
                         f"{own}/gateways.pem": self.gateways.certificate, **paths}.items():
            text = text.replace(old, str(new))
        (self.directory / "example.conf").write_text(text, encoding="ascii")
        (self.directory / "nginx.conf").write_text(AROUND.format(directory=self.directory),
                                                   encoding="ascii")
        self._process = None

    def start(self):
        """Returns when nginx listens."""
        with open(self.directory / "nginx.log", "ab") as log:
            self._process = self.namespace.popen(
                "nginx", "-e", self.directory / "error.log", "-c", self.directory / "nginx.conf",
                stdout=log, stderr=subprocess.STDOUT)
        wait_until(self._listens, "the example's nginx to listen")

    def _listens(self):
        if self._process.poll() is not None:
            raise RuntimeError("nginx ended: " + (self.directory / "nginx.log").read_text())
        with self.namespace.inside(), contextlib.suppress(ConnectionRefusedError):
            socket.create_connection((addresses.ORIGIN[4], PORT), timeout=10).close()
            return True
        return False

    def stop(self):
        """Ends nginx."""
        if self._process:
            command.stop(self._process)
            self._process = None
