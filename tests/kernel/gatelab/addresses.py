# SPDX-License-Identifier: ISC
"""The addresses of the lab. Outside: the link between client and gateway; inside: the tunnel."""

import ipaddress

LISTEN_PORT = 51820

GATEWAY_OUTSIDE = {4: "192.0.2.1", 6: "2001:db8::1"}
GATEWAY_INSIDE = {4: "10.64.0.1", 6: "fd64::1"}
INSIDE_NETWORKS = ("10.64.0.0/10", "fd64::/32")

GATEWAY_TO_ORIGIN = {4: "198.51.100.1", 6: "2001:db8:f::1"}
ORIGIN = {4: "198.51.100.2", 6: "2001:db8:f::2"}

# Sources that belong to nobody in the lab: what a spoofer uses.
STRANGERS = ("203.0.113.0/24", "2001:db8:bad::/48")


def _nth(first, number):
    return str(ipaddress.ip_address(first) + number)


def client_outside(number):
    """Addresses of client `number` (0 on) on its link to the gateway."""
    return {4: _nth("198.18.0.2", number), 6: _nth("2001:db8:1::2", number)}


def client_inside(number):
    """Addresses of client `number` in the tunnel."""
    return {4: _nth("10.64.0.2", number), 6: _nth("fd64::2", number)}


def host_prefix(address):
    """The address with the prefix length of a single host."""
    address = ipaddress.ip_address(address)
    return f"{address}/{address.max_prefixlen}"


def url_host(address):
    """The address as a URL, or wg's endpoint, has it."""
    address = ipaddress.ip_address(address)
    return f"[{address}]" if address.version == 6 else str(address)
