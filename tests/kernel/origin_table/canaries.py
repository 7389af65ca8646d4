# SPDX-License-Identifier: ISC
"""Listeners on the gateway's own loopback, where redirects point: nobody may come."""

import contextlib
import socket

PORTS = (22, 25, 80, 443, 8081)


class Canaries:
    """One listener a port, IPv4 and IPv6."""

    def __init__(self, namespace):
        with namespace.inside():
            self._listeners = [
                socket.create_server((host, port), family=family)
                for family, host in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1"))
                for port in PORTS]
        for listener in self._listeners:
            listener.setblocking(False)

    def caught(self):
        """Where somebody came, as [(address, port)]."""
        places = []
        for listener in self._listeners:
            with contextlib.suppress(BlockingIOError):
                listener.accept()[0].close()
                places.append(listener.getsockname()[:2])
        return places

    def close(self):
        """Ends them."""
        for listener in self._listeners:
            listener.close()
