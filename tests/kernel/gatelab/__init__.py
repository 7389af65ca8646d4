# SPDX-License-Identifier: ISC
"""A gateway, its clients and its control plane on one real kernel, each in a network namespace.

    with Lab() as lab:
        client = lab.add_client()
        lab.origin.add_peer(client.public_key, client.allowed_ips)
        lab.gateway.start_pullgate()
        seconds = client.first_reply()
"""

from .lab import Lab

__all__ = ["Lab"]
