# SPDX-License-Identifier: ISC
"""A WireGuard client in a namespace of its own, with a link to the gateway."""

import subprocess
from pathlib import Path

from . import addresses, command, namespace as namespaces, packets, ping, wireguard
from .waiting import wait_until

OUTSIDE = "outside"
# A client tries for 90 s, once in 5 s and a bit.
PATIENCE = 95


class Client:
    """Client `number` of the lab. With kind "userspace" its WireGuard is wireguard-go.

    It is silent until something is sent into the tunnel. Attributes: namespace, private_key,
    public_key, allowed_ips (its own addresses inside), interface (a wireguard.Interface).
    """

    def __init__(self, lab, number, kind="kernel", endpoint_version=4, preshared_key=None,
                 keepalive=None, private_key=None, gateway_key=None, latency_ms=0, inside=None):
        self.lab = lab
        self.number = number
        self.private_key = private_key or wireguard.make_private_key()
        self.public_key = wireguard.public_key_of(self.private_key)
        self.preshared_key = preshared_key
        self.outside = addresses.client_outside(number)
        self.inside = inside or addresses.client_inside(number)
        self.allowed_ips = [addresses.host_prefix(self.inside[4]),
                            addresses.host_prefix(self.inside[6])]
        self.namespace = namespaces.Namespace(f"{lab.name}-client{number}")
        self.gateway_interface = f"client{number}"
        self.interface = None
        self._process = None
        self._closers = []
        try:
            self._connect(lab.gateway.namespace, latency_ms)
            if kind != "none":
                self._start(kind, gateway_key, endpoint_version, keepalive)
        except BaseException:
            self.close()
            raise

    def _connect(self, gateway, latency_ms):
        namespaces.join(self.namespace, OUTSIDE, gateway, self.gateway_interface)
        own, other = self.outside, addresses.GATEWAY_OUTSIDE
        self.namespace.ip(
            f"addr add {own[4]}/32 dev {OUTSIDE}", f"addr add {own[6]}/128 dev {OUTSIDE} nodad",
            f"route add {other[4]}/32 dev {OUTSIDE}", f"route add {other[6]}/128 dev {OUTSIDE}",
            f"route add 0.0.0.0/0 via {other[4]} dev {OUTSIDE}",
            f"route add ::/0 via {other[6]} dev {OUTSIDE}")
        name = self.gateway_interface
        gateway.ip(
            f"addr add {other[4]}/32 dev {name}", f"addr add {other[6]}/128 dev {name} nodad",
            f"route add {own[4]}/32 dev {name} src {other[4]}",
            f"route add {own[6]}/128 dev {name} src {other[6]}")
        if latency_ms:
            namespaces.add_latency(self.namespace, OUTSIDE, latency_ms / 2)
            namespaces.add_latency(gateway, name, latency_ms / 2)

    def _start(self, kind, gateway_key, endpoint_version, keepalive):
        if kind == "userspace":
            # The name is also that of a socket that all namespaces share.
            name = f"{self.lab.name[:9]}u{self.number}"
            self._start_userspace(name)
        else:
            name = "wg0"
            self.namespace.ip(f"link add {name} type wireguard")
        self.interface = wireguard.Interface(self.namespace, name)
        self.configure(gateway_key, endpoint_version, keepalive)
        inside = [f"addr add {prefix} dev {name}" for prefix in self.allowed_ips]
        gateway = [f"route add {address} dev {name}"
                   for address in addresses.GATEWAY_INSIDE.values()]
        self.namespace.ip(*inside, f"link set {name} up", *gateway)

    def _start_userspace(self, name):
        log_path = self.lab.directory / f"wireguard-go-{self.number}.log"
        with open(log_path, "wb") as log:
            self._process = self.namespace.popen(
                "env", "LOG_LEVEL=debug", "wireguard-go", "-f", name,
                stdout=log, stderr=subprocess.STDOUT)
        socket_path = Path(f"/run/wireguard/{name}.sock")

        def listens():
            if self._process.poll() is not None:
                raise RuntimeError("wireguard-go ended: " + log_path.read_text(errors="replace"))
            return socket_path.exists()
        wait_until(listens, "wireguard-go's socket")

    def configure(self, gateway_key=None, endpoint_version=4, keepalive=None):
        """Sets the client's keys and its one peer, the gateway. Its session is lost."""
        host = addresses.url_host(addresses.GATEWAY_OUTSIDE[endpoint_version])
        self.interface.set_configuration(
            wireguard.interface_section(self.private_key) +
            wireguard.peer_section(gateway_key or self.lab.gateway.public_key,
                                   map(addresses.host_prefix, addresses.GATEWAY_INSIDE.values()),
                                   self.preshared_key, f"{host}:{addresses.LISTEN_PORT}",
                                   keepalive))

    def become(self, private_key, inside, preshared_key=None, endpoint_version=4):
        """Another peer in the same place, with keys and addresses of its own; without a session."""
        name = self.interface.name
        self.private_key = private_key
        self.public_key = wireguard.public_key_of(private_key)
        self.preshared_key = preshared_key
        self.inside = inside
        self.allowed_ips = [addresses.host_prefix(inside[4]), addresses.host_prefix(inside[6])]
        self.configure(endpoint_version=endpoint_version)
        self.namespace.ip(
            f"addr flush dev {name}", *(f"addr add {prefix} dev {name}" for prefix in self.allowed_ips),
            *(f"route replace {address} dev {name}"
              for address in addresses.GATEWAY_INSIDE.values()))

    def first_reply(self, version=4, deadline=PATIENCE, pause=1.0):
        """Seconds to the first answered ping of the gateway through the tunnel; None if none."""
        return ping.first_reply(self.namespace, addresses.GATEWAY_INSIDE[version], deadline, pause)

    def ping(self, version=4, deadline=5):
        """Whether ping(8) gets one answer from the gateway through the tunnel."""
        try:
            self.namespace.run("ping", "-n", "-c", 1, "-W", deadline,
                               addresses.GATEWAY_INSIDE[version], deadline=deadline + 30)
        except command.CommandFailed:
            return False
        return True

    def forget_session(self):
        """The next packet begins with a handshake initiation, as after a restart."""
        self.interface.namespace.ip(f"link set {self.interface.name} down",
                                    f"link set {self.interface.name} up")
        self.namespace.ip(*(f"route replace {address} dev {self.interface.name}"
                            for address in addresses.GATEWAY_INSIDE.values()))

    def record(self):
        """A packets.Recorder on the client's link to the gateway."""
        recorder = packets.Recorder(self.namespace, OUTSIDE)
        self._closers.append(recorder)
        return recorder

    def raw_sender(self):
        """A packets.RawSender on the client's link to the gateway."""
        mac = self.lab.gateway.namespace.link(self.gateway_interface)["address"]
        sender = packets.RawSender(self.namespace, OUTSIDE, mac)
        self._closers.append(sender)
        return sender

    def close(self):
        """Ends the client; its link to the gateway vanishes."""
        for closer in self._closers:
            closer.close()
        if self._process:
            command.stop(self._process, 10)
        self.namespace.close()
