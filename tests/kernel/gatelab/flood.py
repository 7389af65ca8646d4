# SPDX-License-Identifier: ISC
"""A flood of initiations, and what capture can bear of it."""

import subprocess

from . import addresses, command
from .pullgate import BINARIES

PROGRAMS = BINARIES.parent / "tests" / "flood"


def measure(times=3):
    """What capture's judge alone does on this machine: {"verified": packets a second, ...}.

    The best of several runs, for others may use the machine meanwhile.
    """
    best = {}
    for _ in range(times):
        for line in command.run(PROGRAMS / "benchmark", deadline=300).splitlines():
            what, rate = line.split()
            best[what] = max(best.get(what, 0), int(rate))
    return best


class Flood:
    """Initiations with right mac1 and right seals, from random sources, over a client's link.

    `count` of them, each of a key of its own, are made at once; ready() waits for that. They are
    sent in turn, so `count` divided by the rate is the time after which a key comes again.
    """

    def __init__(self, client, count):
        mac = client.lab.gateway.namespace.link(client.gateway_interface)["address"]
        self._process = client.namespace.popen(
            PROGRAMS / "flood", "outside", mac, addresses.GATEWAY_OUTSIDE[4],
            addresses.LISTEN_PORT, client.lab.gateway.public_key, count,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ready(self):
        """Returns when all is computed."""
        assert self._process.stdout.readline() == "ready\n"

    def send(self, rate):
        """So many packets a second from now on; 0: none."""
        self._process.stdin.write(f"{rate}\n")
        self._process.stdin.flush()

    def end(self):
        """The number of packets sent."""
        out, _ = self._process.communicate(timeout=command.DEADLINE)
        return int(out.split()[1])

    def close(self):
        """Ends it, whatever it does."""
        if self._process.poll() is None:
            self._process.kill()
            self._process.communicate()
