# SPDX-License-Identifier: ISC
"""The gateway: its WireGuard interface, and pullgate beside it."""

from . import addresses, configuration, namespace as namespaces, pullgate, users, wireguard

# What the supervisor logs once every child is ready.
READY_EVENT = "ready"


class Gateway:
    """The gateway's namespace with wg0 in it, without any peer."""

    def __init__(self, lab, with_wireguard=True):
        self.lab = lab
        self.private_key = wireguard.make_private_key()
        self.public_key = wireguard.public_key_of(self.private_key)
        self.namespace = namespaces.Namespace(f"{lab.name}-gateway")
        self.interface = wireguard.Interface(self.namespace, "wg0")
        self.pullgate = None
        try:
            if with_wireguard:
                self.make_interface()
        except BaseException:
            self.close()
            raise

    def make_interface(self):
        """Makes wg0, empty, up, with its addresses and routes."""
        self.namespace.ip("link add wg0 type wireguard")
        self.interface.set_configuration(
            wireguard.interface_section(self.private_key, addresses.LISTEN_PORT))
        inside, networks = addresses.GATEWAY_INSIDE, addresses.INSIDE_NETWORKS
        self.namespace.ip(
            f"addr add {inside[4]}/32 dev wg0", f"addr add {inside[6]}/128 dev wg0",
            "link set wg0 up", *(f"route add {network} dev wg0" for network in networks))

    def remove_interface(self):
        """Removes wg0 with all its peers."""
        self.namespace.ip("link del wg0")

    def add_static_peer(self, client):
        """Configures a client as an operator would who has no pullgate."""
        words = ["allowed-ips", ",".join(client.allowed_ips)]
        if client.preshared_key:
            file = self.lab.directory / f"psk-{client.number}"
            file.write_text(client.preshared_key + "\n", encoding="ascii")
            words += ["preshared-key", file]
        self.interface.set_peer(client.public_key, *words)

    def peers(self):
        """The peers in the kernel, by public key."""
        return self.interface.peers()

    def route_to(self, network, client):
        """What the gateway sends to `network` leaves by this client's link, to its address."""
        version = 6 if ":" in network else 4
        self.namespace.ip(f"route replace {network} via {client.outside[version]} "
                          f"dev {client.gateway_interface} onlink")

    def write_configuration(self, url=None, **changes):
        """Writes pullgate's configuration file: the defaults with the changes, section by section.

        write_configuration(gateway={"connect": "retry"}, eviction={"idle_after": "2s"})
        """
        origin = self.lab.origin
        sections = configuration.merge(
            configuration.defaults(url or origin.url(), origin.ca_file), changes)
        path = self.lab.directory / "wg0.conf"
        path.write_text(configuration.render(sections), encoding="utf-8")
        path.chmod(0o600)
        return path

    def start_pullgate(self, url=None, arguments=(), ready=True, binaries=None,
                       **changes):
        """Starts pullgate with write_configuration()'s file; returns when it is ready."""
        users.ensure()
        path = self.write_configuration(url, **changes)
        self.pullgate = pullgate.Pullgate(self.namespace, path,
                                          self.lab.directory / "pullgate.log", arguments,
                                          binaries)
        if ready:
            self.pullgate.wait_event(READY_EVENT, process="pullgate")
        return self.pullgate

    def stop_pullgate(self):
        """Ends pullgate; its exit status, or None where it doesn't run."""
        running, self.pullgate = self.pullgate, None
        return running.stop() if running else None

    def close(self):
        """Ends pullgate and removes the namespace."""
        self.stop_pullgate()
        self.namespace.close()
