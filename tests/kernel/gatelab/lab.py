# SPDX-License-Identifier: ISC
"""Gateway, origin and clients together."""

import contextlib
import itertools
import os
import shutil
import tempfile
from pathlib import Path

from . import addresses, namespace as namespaces, wireguard
from .client import Client
from .gateway import Gateway
from .hostile import HostileOrigin
from .origin import Origin

_count = itertools.count()


class Lab:
    """One gateway with its origin (nginx, running), and the clients added to it.

    `directory` holds the files of all parts. Everything is removed at the end of the `with`.
    Without WireGuard in the kernel the lab has no tunnels, and clients are links alone.
    """

    def __init__(self, origin_latency_ms=0):
        self.name = f"pg{os.getpid()}x{next(_count)}"
        self.has_wireguard = wireguard.available()
        self.clients = []
        self._numbers = itertools.count()
        with contextlib.ExitStack() as stack:
            self.directory = Path(tempfile.mkdtemp(prefix=f"{self.name}-"))
            stack.callback(shutil.rmtree, self.directory, ignore_errors=True)
            self.directory.chmod(0o755)
            self.gateway = Gateway(self, self.has_wireguard)
            stack.callback(self.gateway.close)
            self._make_origin(stack, origin_latency_ms)
            self._stack = stack.pop_all()

    def _make_origin(self, stack, latency_ms):
        namespace = namespaces.Namespace(f"{self.name}-origin")
        stack.callback(namespace.close)
        gateway = self.gateway.namespace
        namespaces.join(gateway, "origin0", namespace, "gateway0")
        near, far = addresses.GATEWAY_TO_ORIGIN, addresses.ORIGIN
        gateway.ip(f"addr add {near[4]}/24 dev origin0", f"addr add {near[6]}/64 dev origin0 nodad")
        namespace.ip(f"addr add {far[4]}/24 dev gateway0",
                     f"addr add {far[6]}/64 dev gateway0 nodad")
        if latency_ms:
            namespaces.add_latency(gateway, "origin0", latency_ms / 2)
            namespaces.add_latency(namespace, "gateway0", latency_ms / 2)
        self.origin = Origin(namespace, self.directory / "origin")
        self.origin.start()
        stack.callback(self.origin.stop)

    def add_client(self, known=False, **options):
        """A new client (options: see Client); with `known` the origin has its peer."""
        if not self.has_wireguard:
            options["kind"] = "none"
        client = Client(self, next(self._numbers), **options)
        self._stack.callback(client.close)
        self.clients.append(client)
        if known:
            self.origin.add_peer(client.public_key, client.allowed_ips, client.preshared_key)
        return client

    def add_origin(self, ports):
        """Another nginx beside the first, running, at these two ports (HTTP, HTTPS)."""
        other = Origin(self.origin.namespace, self.directory / f"origin-{ports[0]}", ports)
        other.start()
        self._stack.callback(other.stop)
        return other

    def add_hostile_origin(self, behave):
        """A misbehaving HTTP server beside nginx: HostileOrigin(behave)."""
        hostile = HostileOrigin(self.origin.namespace, behave)
        self._stack.callback(hostile.close)
        return hostile

    def keep_files(self, directory):
        """Copies the lab's files (logs, configurations, answers), if still there, to a directory."""
        if not self.directory.exists():
            return
        shutil.copytree(self.directory, directory, dirs_exist_ok=True,
                        ignore=shutil.ignore_patterns("temporary", "peers"))

    def close(self):
        """Ends and removes everything."""
        self._stack.close()

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.close()
