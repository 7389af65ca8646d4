# SPDX-License-Identifier: ISC
"""Recording UDP datagrams on an interface, and sending them again from any address."""

import contextlib
import ipaddress
import socket
import struct
import time
from dataclasses import dataclass

from .waiting import wait_until

ETH_P_ALL = 0x0003
ETHERTYPE = {4: 0x0800, 6: 0x86DD}
SO_RCVBUFFORCE = 33
RECORDER_BYTES = 8 << 20

INITIATION_BYTES = 148
INITIATION, RESPONSE, COOKIE, TRANSPORT = 1, 2, 3, 4


@dataclass(frozen=True)
class Datagram:
    """A UDP datagram as it passed an interface; time is time.monotonic()'s, when it was read."""

    time: float
    outgoing: bool
    source: str
    source_port: int
    destination: str
    destination_port: int
    payload: bytes

    @property
    def is_initiation(self):
        """Whether the payload is a WireGuard handshake initiation by type and length."""
        return (len(self.payload) == INITIATION_BYTES
                and self.payload[:4] == bytes([INITIATION, 0, 0, 0]))


def _parse(packet, outgoing):
    """The Datagram in an IP packet; None if it is something else. Fragments are something else."""
    version = packet[0] >> 4 if packet else 0
    if version == 4 and len(packet) >= 28 and packet[9] == socket.IPPROTO_UDP:
        if struct.unpack("!H", packet[6:8])[0] & 0x3FFF:
            return None
        source, destination, start = packet[12:16], packet[16:20], (packet[0] & 15) * 4
    elif version == 6 and len(packet) >= 48 and packet[6] == socket.IPPROTO_UDP:
        source, destination, start = packet[8:24], packet[24:40], 40
    else:
        return None
    source_port, destination_port, length = struct.unpack("!HHH", packet[start:start + 6])
    return Datagram(time.monotonic(), outgoing, str(ipaddress.ip_address(source)), source_port,
                    str(ipaddress.ip_address(destination)), destination_port,
                    bytes(packet[start + 8:start + length]))


class Recorder:
    """Records the UDP datagrams that pass an interface, from its making on."""

    def __init__(self, namespace, interface):
        self._datagrams = []
        with namespace.inside():
            self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, 0)
            self._socket.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, RECORDER_BYTES)
            self._socket.bind((interface, ETH_P_ALL))
        self._socket.setblocking(False)

    def datagrams(self):
        """All datagrams so far, oldest first."""
        with contextlib.suppress(BlockingIOError):
            while True:
                packet, address = self._socket.recvfrom(65536)
                datagram = _parse(packet, address[2] == socket.PACKET_OUTGOING)
                if datagram:
                    self._datagrams.append(datagram)
        return list(self._datagrams)

    def initiations(self):
        """The handshake initiations so far."""
        return [datagram for datagram in self.datagrams() if datagram.is_initiation]

    def wait(self, wanted, what, count=1):
        """Waits for `count` datagrams for which wanted(datagram) is true; returns them."""
        def enough():
            found = [datagram for datagram in self.datagrams() if wanted(datagram)]
            return found if len(found) >= count else None
        return wait_until(enough, what)

    def wait_initiations(self, count=1):
        """Waits for that many initiations and returns them."""
        return self.wait(lambda datagram: datagram.is_initiation, f"{count} initiations", count)

    def close(self):
        """Ends the recording."""
        self._socket.close()


def _sum(data):
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total


def udp_packet(source, source_port, destination, destination_port, payload):
    """A whole IPv4 or IPv6 packet around a UDP payload, with right checksums."""
    source, destination = ipaddress.ip_address(source), ipaddress.ip_address(destination)
    length = 8 + len(payload)
    pseudo = source.packed + destination.packed + struct.pack("!II", length, socket.IPPROTO_UDP)
    ports = struct.pack("!HHH", source_port, destination_port, length)
    checksum = ~_sum(pseudo + ports + b"\0\0" + payload) & 0xFFFF or 0xFFFF
    udp = ports + struct.pack("!H", checksum) + payload
    if source.version == 6:
        return struct.pack("!IHBB", 6 << 28, length, socket.IPPROTO_UDP, 64) \
            + source.packed + destination.packed + udp
    header = struct.pack("!BBHHHBB", 0x45, 0, 20 + length, 0, 0x4000, 64, socket.IPPROTO_UDP)
    checksum = ~_sum(header + source.packed + destination.packed) & 0xFFFF
    return header + struct.pack("!H", checksum) + source.packed + destination.packed + udp


class RawSender:
    """Sends whole packets out of an interface to its link neighbour, whatever the addresses."""

    def __init__(self, namespace, interface, neighbour_mac):
        own = bytes.fromhex(namespace.link(interface)["address"].replace(":", ""))
        self._addresses = bytes.fromhex(neighbour_mac.replace(":", "")) + own
        with namespace.inside():
            self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
            self._socket.bind((interface, 0))

    def send_packet(self, packet):
        """Sends these bytes as one IP packet; they need not be a valid one."""
        version = 6 if packet[:1] and packet[0] >> 4 == 6 else 4
        self._socket.send(self._addresses + struct.pack("!H", ETHERTYPE[version]) + packet)

    def send(self, payload, source, source_port, destination, destination_port):
        """Sends one UDP datagram with the addresses and ports given."""
        self.send_packet(udp_packet(source, source_port, destination, destination_port, payload))

    def replay(self, datagram, source=None, source_port=None):
        """Sends a recorded datagram again, from another source if given."""
        self.send(datagram.payload, source or datagram.source,
                  source_port or datagram.source_port,
                  datagram.destination, datagram.destination_port)

    def close(self):
        """Ends the sender."""
        self._socket.close()
