# SPDX-License-Identifier: ISC
"""Clients that ping without end, and clients that come one after the other."""

import random
import re
import signal
import threading
import time

from . import addresses, command, wireguard
from .client import PATIENCE

PINGS_A_SECOND = 5
# Numbers of the peers that newcomers become; the lab's own clients count from 0.
FIRST_NUMBER = 1000


class Pings:
    """ping(8) from a client to the gateway through the tunnel, from now to end()."""

    def __init__(self, client):
        self._path = client.lab.directory / f"ping-{client.number}.log"
        with open(self._path, "wb") as log:
            self._process = client.namespace.popen(
                "ping", "-n", "-i", 1 / PINGS_A_SECOND, addresses.GATEWAY_INSIDE[4], stdout=log)

    def end(self):
        """The number of requests, and the sequence numbers of those that had no reply.

        Those of the last second don't count: their replies may be on their way.
        """
        self._process.send_signal(signal.SIGINT)
        self._process.wait(command.DEADLINE)
        text = self._path.read_text()
        sent = int(re.search(r"(\d+) packets transmitted", text).group(1)) - PINGS_A_SECOND
        answered = {int(number) for number in re.findall(r"icmp_seq=(\d+) ttl=", text)}
        return sent, sorted(set(range(1, sent + 1)) - answered)


class Newcomers:
    """Clients that connect, each as one new peer after the other, until end().

    A part of the peers is unknown to the origin. Attributes: seconds (how long each known peer took
    to its first reply), failures (texts), known ({public key: (allowed IPs, preshared key)}).
    """

    def __init__(self, lab, clients, seed, known=None):
        self.lab = lab
        self.seconds = []
        self.failures = []
        self.strangers = 0
        self.known = {} if known is None else known
        self._lock = threading.Lock()
        self._number = FIRST_NUMBER + len(self.known)
        self._ending = threading.Event()
        self._threads = [
            threading.Thread(target=self._work, args=(client, random.Random(f"{seed}/{number}")))
            for number, client in enumerate(clients)]
        for thread in self._threads:
            thread.start()

    def _work(self, client, rng):
        try:
            while not self._ending.is_set():
                if rng.random() < 0.1:
                    self._come_as_stranger(client)
                else:
                    self._come(client, rng)
                self._ending.wait(rng.uniform(0, 0.5))
        except Exception as error:  # a thread's ends nowhere else
            self.failures.append(f"client {client.number}: {error!r}")

    def _become_another(self, client, **options):
        with self._lock:
            number, self._number = self._number, self._number + 1
        client.become(wireguard.make_private_key(), addresses.client_inside(number), **options)

    def _come(self, client, rng):
        self._become_another(
            client, endpoint_version=rng.choice((4, 6)),
            preshared_key=wireguard.make_preshared_key() if rng.random() < 0.5 else None)
        self.known[client.public_key] = (tuple(sorted(client.allowed_ips)),
                                         client.preshared_key or "")
        self.lab.origin.add_peer(client.public_key, client.allowed_ips, client.preshared_key)
        start = time.monotonic()
        while True:
            is_over = self._ending.is_set()
            if client.first_reply() is not None:
                self.seconds.append(time.monotonic() - start)
                return
            if is_over:
                self.failures.append(f"{client.public_key} had no reply for {PATIENCE} s, "
                                     "though all was well again")
                return

    def _come_as_stranger(self, client):
        self._become_another(client)
        self.strangers += 1
        if client.first_reply(deadline=0.5) is not None:
            self.failures.append(f"{client.public_key} connected, whom the origin doesn't know")

    def end(self):
        """The last peers come; returns when each has its reply, or has waited too long for it."""
        self._ending.set()
        for thread in self._threads:
            thread.join()
