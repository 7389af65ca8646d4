# SPDX-License-Identifier: ISC
"""Network namespaces, and the links between them."""

import contextlib
import ctypes
import functools
import json
import os
import signal
import subprocess

from . import command
from .waiting import wait_until

CLONE_NEWNET = 0x40000000
_libc = ctypes.CDLL(None, use_errno=True)


def _setns(descriptor):
    if _libc.setns(descriptor, CLONE_NEWNET) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def _parent(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
        return int(file.read().rpartition(")")[2].split()[1])


class Namespace:
    """A named network namespace with lo up. Everything that runs in it ends with it."""

    def __init__(self, name):
        self.name = name
        command.run("ip", "netns", "add", name)
        try:
            self.ip("link set lo up")
            # Addresses are used at once: nobody else on these links could have them.
            self.sysctl("ipv6/conf/all/accept_dad", 0)
            self.sysctl("ipv6/conf/default/accept_dad", 0)
        except BaseException:
            self.close()
            raise

    def run(self, *words, **options):
        """command.run() inside the namespace."""
        return command.run("ip", "netns", "exec", self.name, *words, **options)

    def popen(self, *words, **options):
        """subprocess.Popen inside the namespace; the process' own pid, as `ip` becomes it."""
        words = ["ip", "netns", "exec", self.name, *(str(word) for word in words)]
        options.setdefault("stdin", subprocess.DEVNULL)
        return subprocess.Popen(words, **options)

    def ip(self, *lines):
        """Runs lines of `ip` in one process: "link add wg0 type wireguard"."""
        return command.run("ip", "-n", self.name, "-batch", "-", stdin="\n".join(lines) + "\n")

    def link(self, interface):
        """What the kernel says of an interface, as `ip -json link` has it."""
        text = command.run("ip", "-n", self.name, "-json", "link", "show", "dev", interface)
        return json.loads(text)[0]

    @contextlib.contextmanager
    def inside(self):
        """The calling thread is in the namespace; sockets that it makes stay there."""
        with open("/proc/thread-self/ns/net", "rb") as home, \
                open(f"/run/netns/{self.name}", "rb") as there:
            _setns(there.fileno())
            try:
                yield self
            finally:
                _setns(home.fileno())

    def pids(self):
        """The processes in the namespace, and their children, which may have left it. Only this
        lab's can be."""
        own = os.stat(f"/run/netns/{self.name}").st_ino
        parents, inside = {}, set()
        for entry in os.scandir("/proc"):
            with contextlib.suppress(OSError):
                if entry.name.isdigit():
                    parents[int(entry.name)] = _parent(entry.name)
                    if os.stat(f"/proc/{entry.name}/ns/net").st_ino == own:
                        inside.add(int(entry.name))
        return sorted(pid for pid, parent in parents.items() if {pid, parent} & inside)

    def sysctl(self, name, value):
        """Sets net.NAME, a setting of the namespace: sysctl("ipv4/ip_forward", 1)."""
        with self.inside(), open(f"/proc/sys/net/{name}", "w", encoding="ascii") as file:
            file.write(str(value))

    def close(self):
        """Ends what runs in the namespace and removes it."""
        if not os.path.exists(f"/run/netns/{self.name}"):
            return
        for pid in self.pids():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        with contextlib.suppress(AssertionError):
            wait_until(lambda: not self.pids(), f"the end of {self.name}'s processes", 10)
        command.run("ip", "netns", "del", self.name, check=False)


def join(left, left_name, right, right_name):
    """A veth pair between two namespaces, both ends up, without addresses of their own."""
    command.run("ip", "-n", left.name, "link", "add", left_name, "type", "veth",
                "peer", "name", right_name, "netns", right.name)
    for namespace, name in ((left, left_name), (right, right_name)):
        namespace.ip(f"link set {name} up")


def add_latency(namespace, interface, milliseconds):
    """Delays what leaves by the interface; half a round trip if done on one end alone."""
    namespace.run("tc", "qdisc", "replace", "dev", interface, "root", "netem",
                  "delay", f"{milliseconds}ms", "limit", 100000)


@functools.lru_cache(maxsize=1)
def has_latency():
    """Whether this kernel can do add_latency()."""
    try:
        command.run("unshare", "--net", "tc", "qdisc", "add", "dev", "lo", "root", "netem")
    except command.CommandFailed:
        return False
    return True
