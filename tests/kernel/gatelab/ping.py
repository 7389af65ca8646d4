# SPDX-License-Identifier: ISC
"""How long a tunnel takes to answer for the first time, and whether it goes on answering."""

import contextlib
import os
import re
import select
import signal
import socket
import struct
import subprocess
import time

ECHO_REQUEST = {4: 8, 6: 128}
ECHO_REPLY = {4: 0, 6: 129}


def _checksum(data):
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def _request(version, identifier, sequence):
    header = struct.pack("!BBHHH", ECHO_REQUEST[version], 0, 0, identifier, sequence)
    # For ICMPv6 the kernel fills in the checksum, which covers addresses too.
    checksum = _checksum(header) if version == 4 else 0
    return struct.pack("!BBHHH", ECHO_REQUEST[version], 0, checksum, identifier, sequence)


def _is_reply(version, packet, identifier):
    message = packet[(packet[0] & 15) * 4:] if version == 4 else packet
    return (len(message) >= 8 and message[0] == ECHO_REPLY[version]
            and struct.unpack("!H", message[4:6])[0] == identifier)


def _open(namespace, version):
    family, protocol = ((socket.AF_INET, socket.IPPROTO_ICMP) if version == 4
                        else (socket.AF_INET6, socket.IPPROTO_ICMPV6))
    with namespace.inside():
        return socket.socket(family, socket.SOCK_RAW, protocol)


def first_reply(namespace, address, deadline, pause=1.0):
    """Seconds from sending the first echo request to the first reply, or None past the deadline.

    Another request follows each `pause` seconds. WireGuard keeps them while it has no session, so
    the first is usually the one that is answered.
    """
    version = 6 if ":" in address else 4
    identifier = int.from_bytes(os.urandom(2), "big")
    with contextlib.closing(_open(namespace, version)) as raw:
        start = time.monotonic()
        for sequence in range(int(deadline / pause) + 1):
            raw.sendto(_request(version, identifier, sequence & 0xFFFF), (address, 0))
            pause_end = min(start + (sequence + 1) * pause, start + deadline)
            while (left := pause_end - time.monotonic()) > 0:
                if not select.select([raw], [], [], left)[0]:
                    break
                if _is_reply(version, raw.recv(2048), identifier):
                    return time.monotonic() - start
    return None


class Steady:
    """ping(8) at a steady pace, from its making on."""

    def __init__(self, namespace, address, interval=0.2):
        self._process = namespace.popen("ping", "-n", "-i", interval, address,
                                        stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    def stop(self):
        """Ends it; the numbers (sent, lost). The last two may be on their way: they count as sent
        and not as lost."""
        self._process.send_signal(signal.SIGINT)
        text = self._process.communicate(timeout=60)[0].decode("ascii", "replace")
        sent = int(re.search(r"^(\d+) packets transmitted", text, re.M).group(1))
        answered = {int(number) for number in re.findall(r"bytes from .* icmp_seq=(\d+)", text)}
        return sent, len(set(range(1, sent - 1)) - answered)

    def close(self):
        """Ends it, without counting."""
        if self._process.poll() is None:
            self._process.kill()
            self._process.communicate()
