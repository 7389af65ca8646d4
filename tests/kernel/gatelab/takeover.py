# SPDX-License-Identifier: ISC
"""Processes that were taken over: a copy of pullgate's binaries in which one follows a script."""

import os
import shutil
import signal
from pathlib import Path

from .pullgate import BINARIES

MALICIOUS = BINARIES.parent / "tests" / "malice"
NAMES = ("pullgate", "pullgate-capture", "pullgate-fetcher", "pullgate-connector",
         "pullgate-installer")


class Script:
    """Steps of a malicious process; see tests/malice/script.h."""

    def __init__(self):
        self._lines = []

    def step(self, *words):
        """Any step, word by word."""
        self._lines.append(" ".join(map(str, words)))
        return self

    def send(self, role, message, times=1, id_at=None):
        """Sends the bytes; id_at: where the id of the LOOKUP awaited last goes."""
        words = ["send", role, message.hex() or "-", times]
        return self.step(*words, *([] if id_at is None else [id_at]))

    def say(self, word):
        """Logs event=script said=WORD."""
        return self.step("say", word)

    def text(self):
        """The script as the process reads it."""
        return "\n".join(self._lines) + "\n"


class Takeover:
    """A directory with pullgate's binaries, for start_pullgate(binaries=...)."""

    def __init__(self, lab):
        self.directory = Path(lab.directory) / "bin"
        self.directory.mkdir()
        self.lab = lab
        for name in NAMES:
            shutil.copy2(BINARIES / name, self.directory / name)

    def _replace(self, role, binary):
        new = self.directory / f"{role}.new"
        shutil.copy2(binary, new)
        os.replace(new, self.directory / f"pullgate-{role}")

    def _clear(self, role):
        for script in self.directory.glob(f"{role}.script.*"):
            script.unlink()
        for mark in self.directory.glob(f"{role}.taken.*"):
            mark.rmdir()

    def write(self, role, *scripts):
        """From its next start on the process is the malicious one, a script a start."""
        self._clear(role)
        for number, script in enumerate(scripts):
            (self.directory / f"{role}.script.{number}").write_text(script.text(), encoding="ascii")
        self._replace(role, MALICIOUS / f"malicious-{role}")

    def seize(self, role, *scripts):
        """write(), and the running process is ended, so that the next start is at once."""
        self.write(role, *scripts)
        self.end(role)

    def release(self, role):
        """The honest binary is back, and runs."""
        self._clear(role)
        self._replace(role, BINARIES / f"pullgate-{role}")
        pullgate = self.lab.gateway.pullgate
        mark = pullgate.mark()
        self.end(role)
        pullgate.wait_event("child_restarted", since=mark, role=role)

    def end(self, role):
        """Ends the running process of that role."""
        os.kill(self.lab.gateway.pullgate.children()[f"pullgate-{role}"], signal.SIGKILL)
