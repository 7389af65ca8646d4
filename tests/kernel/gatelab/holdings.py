# SPDX-License-Identifier: ISC
"""What a running instance holds: processes, descriptors, sockets, memory."""

import collections
import contextlib
import os
import re
from pathlib import Path

PROCESSES = ("pullgate", "pullgate-capture", "pullgate-connector", "pullgate-fetcher",
             "pullgate-installer")
# Of the namespace: what no process has a descriptor of is counted too.
SOCKET_TABLES = ("unix", "packet", "raw", "raw6", "netlink")


def children(pid):
    """The children of a process, zombies too: {pid: binary's name}, "" for a zombie."""
    found = {}
    with contextlib.suppress(OSError):
        for child in Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split():
            found[int(child)] = name_of(child)
    return found


def name_of(pid):
    """The name of a process' binary; "" when it has ended."""
    with contextlib.suppress(OSError):
        return os.path.basename(os.readlink(f"/proc/{pid}/exe"))
    return ""


def everywhere():
    """All processes of pullgate, sorted by name: [(name, pid)]; a zombie is ("zombie", pid)."""
    found = []
    for entry in os.scandir("/proc"):
        if not entry.name.isdigit():
            continue
        with contextlib.suppress(OSError):
            name = Path(f"/proc/{entry.name}/comm").read_text(encoding="utf-8").strip()
            if name.startswith("pullgate"):
                found.append((name_of(entry.name) or "zombie", int(entry.name)))
    return sorted(found)


def resident_kilobytes(pid):
    """The process' memory that is not shared with files (status: RssAnon)."""
    text = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    return int(re.search(r"^RssAnon:\s+(\d+) kB", text, re.M).group(1))


def _table(namespace, name):
    return namespace.run("cat", f"/proc/net/{name}").splitlines()[1:]


def _tcp_inodes(namespace):
    lines = _table(namespace, "tcp") + _table(namespace, "tcp6")
    return {fields[9] for fields in map(str.split, lines)} - {"0"}


def _descriptors(pid, tcp):
    """A process' descriptors by kind; those of connections to the origin apart: (kinds, tcp)."""
    kinds, connections = collections.Counter(), 0
    for entry in os.scandir(f"/proc/{pid}/fd"):
        target = os.readlink(entry.path)
        inode = re.sub(r"^socket:\[(\d+)\]$", r"\1", target)
        if inode in tcp:
            connections += 1
        else:
            kinds[re.sub(r"\[\d+\]", "", target)] += 1
    return dict(kinds), connections


def take(namespace, pid):
    """All that the instance of supervisor `pid` holds, to be compared with what it held before.

    How many connections to the origin the fetcher keeps depends on what was asked of it; that
    there are none beside these is part of the answer.
    """
    instance = [("pullgate", pid), *((name, child) for child, name in children(pid).items())]
    tcp = _tcp_inodes(namespace)
    held, connections = {}, 0
    with contextlib.suppress(OSError):
        for name, one in sorted(instance):
            held[f"{name}'s descriptors"], count = _descriptors(one, tcp)
            connections += count
    held["processes"] = [name for name, _ in everywhere()]
    held["sockets"] = {name: len(_table(namespace, name)) for name in SOCKET_TABLES}
    held["connections that nobody holds"] = len(tcp) - connections
    return held
