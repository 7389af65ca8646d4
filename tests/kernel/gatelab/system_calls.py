# SPDX-License-Identifier: ISC
"""The system calls that running processes make, by strace, and the lists that they are held to."""

import re
from dataclasses import dataclass
from pathlib import Path

from . import command
from .pullgate import BINARIES
from .waiting import wait_until

# strace ends by itself then; a run takes a few minutes.
LIFETIME = 3000

_CALL = re.compile(r"^(\d+) +([a-z_][a-z0-9_]*)\((.*)$")
_OTHER = re.compile(r"^\d+ +(?:<\.\.\. \w+ resumed>|\+\+\+ |--- )")
SECCOMP_SET_MODE_FILTER = 1


@dataclass(frozen=True)
class Row:
    """One row of a role's list. Conditions are (argument, mask, value)."""

    role: str
    call: str
    reason: str
    conditions: tuple

    @property
    def label(self):
        """What the row is named by in a test: the call and its reason."""
        return self.call, self.reason

    def allows(self, call, arguments):
        """Whether the row lets this call through."""
        return call == self.call and all(
            number < len(arguments) and arguments[number] & mask == value
            for number, mask, value in self.conditions)


def _parse_condition(text):
    number, mask, value = text.split(":")
    return int(number), int(mask, 16), int(value, 16)


def row_of(rows, call, arguments):
    """The row that is meant for this call, of those that allow it the narrowest; None without any."""
    return max((row for row in rows if row.allows(call, arguments)),
               key=lambda row: len(row.conditions), default=None)


def lists():
    """Every process' list, as compiled into the binaries: {role: [Row]}."""
    rows = {}
    for line in command.run(BINARIES / "print-calls").splitlines():
        role, call, reason, conditions = line.split("\t")
        parsed = tuple(map(_parse_condition, conditions.split(","))) if conditions else ()
        rows.setdefault(role, []).append(Row(role, call, reason, parsed))
    return rows


def parse_call(line):
    """(pid, call, arguments) of a line of `strace -f -o -e raw=all`; None for a line without a call."""
    if _OTHER.match(line):
        return None
    match = _CALL.match(line)
    if not match:
        raise ValueError(f"not a line of strace: {line}")
    pid, call, rest = match.groups()
    text = re.split(r"\)\s+= |\)$| <", rest)[0]
    # The call that strace found the process in has none: restart_syscall(<... resuming ...>).
    arguments = [] if text.startswith("<") else [int(one, 0) for one in text.split(", ") if one]
    return int(pid), call, tuple(arguments)


def behind_filter(calls):
    """Those of a process' calls that came after it closed its filter."""
    closed = [number for number, (call, arguments) in enumerate(calls)
              if call == "seccomp" and arguments[0] == SECCOMP_SET_MODE_FILTER]
    return calls[closed[-1] + 1:] if closed else calls


class Trace:
    """strace of one process and whatever it starts, from the making to end()."""

    def __init__(self, pid, path):
        self.pid = pid
        self.path = Path(path)
        self._process = command.start(
            "timeout", "-k", 5, LIFETIME, "strace", "-f", "-qq", "-e", "raw=all",
            "-o", path, "-p", pid)
        wait_until(self._attached, f"strace to trace {pid}")

    def _attached(self):
        if self._process.poll() is not None:
            raise RuntimeError(f"strace ended: {self._process.stderr.read()}")
        return not re.search(r"^TracerPid:\t0$", Path(f"/proc/{self.pid}/status").read_text(), re.M)

    def end(self):
        """Lets the processes go on alone; the calls seen, {pid: [(call, arguments)]}."""
        command.stop(self._process)
        self._process.stderr.close()
        seen = {}
        for line in self.path.read_text(encoding="ascii").splitlines():
            parsed = parse_call(line)
            if parsed:
                seen.setdefault(parsed[0], []).append(parsed[1:])
        return seen
