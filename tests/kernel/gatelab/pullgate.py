# SPDX-License-Identifier: ISC
"""A running pullgate: its processes and what they log."""

import contextlib
import os
import re
import signal
import subprocess
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

from . import command
from .waiting import DEADLINE, Late

BINARIES = Path(os.environ.get("PULLGATE_BIN",
                               Path(__file__).resolve().parents[3] / "build" / "bin"))

_PAIR = re.compile(r'([a-z][a-z0-9_]*)=("(?:[^"\\]|\\.)*"|\S*)')


@dataclass(frozen=True)
class Event:
    """One line of the log. time is time.monotonic()'s, when the line was read."""

    time: float
    process: str
    name: str
    fields: dict = field(hash=False)
    text: str


def parse_event(text, when=0.0):
    """The Event in a log line; its name is "" where the line has no event= (a crash report)."""
    fields = {key: value[1:-1] if value.startswith('"') else value
              for key, value in _PAIR.findall(text)}
    process = re.sub(r"^<\d>", "", text).split(" ", 1)[0]
    return Event(when, process, fields.pop("event", ""), fields, text)


class Pullgate:
    """Starts `pullgate -c configuration` in a namespace and reads its log until it ends."""

    def __init__(self, namespace, configuration, log_file, arguments=(), binaries=None):
        self.configuration = Path(configuration)
        self.events = []
        self._changed = threading.Condition()
        self._ended = False
        self.process = namespace.popen((binaries or BINARIES) / "pullgate", *arguments, "-c", configuration,
                                       stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        self.pid = self.process.pid
        self._reader = threading.Thread(target=self._read, args=(log_file,), daemon=True)
        self._reader.start()

    def _read(self, log_file):
        with open(log_file, "a", encoding="utf-8") as copy:
            for line in self.process.stderr:
                text = line.decode("utf-8", "replace").rstrip("\n")
                copy.write(text + "\n")
                copy.flush()
                with self._changed:
                    self.events.append(parse_event(text, time.monotonic()))
                    self._changed.notify_all()
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def mark(self):
        """A place in the log: pass it as `since` to see only what comes later."""
        with self._changed:
            return len(self.events)

    def find(self, name=None, since=0, **fields):
        """The events so far with that name and these fields (compared as text)."""
        wanted = {key: str(value) for key, value in fields.items()}
        with self._changed:
            events = self.events[since:]
        return [event for event in events if name in (None, event.name)
                and wanted.items() <= {**event.fields, "process": event.process}.items()]

    def wait_event(self, name, since=0, deadline=DEADLINE, count=1, **fields):
        """Waits for an event (the count-th such) and returns it. `process` counts as a field."""
        end = time.monotonic() + deadline
        while True:
            with self._changed:
                seen, ended = len(self.events), self._ended
            found = self.find(name, since, **fields)
            if len(found) >= count:
                return found[count - 1]
            if ended or time.monotonic() > end:
                why = "pullgate ended" if ended else f"{deadline} s went by"
                raise Late(f"{why} without event={name} {fields}; its log:\n{self.log(60)}")
            with self._changed:
                self._changed.wait_for(
                    lambda: len(self.events) > seen or self._ended, end - time.monotonic())

    def log(self, lines=None):
        """The log's text, or its last lines."""
        with self._changed:
            events = self.events[-lines:] if lines else list(self.events)
        return "\n".join(event.text for event in events)

    def children(self):
        """The child processes: {"pullgate-capture": pid, ...}."""
        found = {}
        for status in Path("/proc").glob("[0-9]*/status"):
            with contextlib.suppress(OSError):
                pid = int(status.parent.name)
                text = status.read_text()
                if re.search(rf"^PPid:\t{self.pid}$", text, re.M) and "State:\tZ" not in text:
                    binary = os.path.basename(os.readlink(f"/proc/{pid}/exe"))
                    found[binary.removesuffix(" (deleted)")] = pid
        return found

    def signal(self, number):
        """Sends a signal to the supervisor."""
        self.process.send_signal(number)

    def reload(self):
        """SIGHUP: read the configuration again."""
        self.signal(signal.SIGHUP)

    def wait(self, deadline=DEADLINE):
        """Waits until the supervisor has ended by itself; its exit status."""
        return self.process.wait(deadline)

    def stop(self):
        """SIGTERM, and waits; the exit status."""
        status = command.stop(self.process)
        self._reader.join(10)
        return status
