# SPDX-License-Identifier: ISC
"""Running commands, here or in a network namespace."""

import subprocess

# Enough for any single command on an emulated machine; a wait that ends is not a measurement.
DEADLINE = 60


class CommandFailed(Exception):
    """A command ended with another status than 0; the text holds what it said."""


def run(*words, stdin=None, check=True, deadline=DEADLINE):
    """Runs a command and returns its standard output. Raises CommandFailed if it fails."""
    words = [str(word) for word in words]
    done = subprocess.run(words, input=stdin or "", text=True, capture_output=True,
                          timeout=deadline, check=False)
    if check and done.returncode != 0:
        raise CommandFailed(f"{' '.join(words)}: status {done.returncode}\n"
                            f"{done.stdout}{done.stderr}")
    return done.stdout


def start(*words):
    """Starts a command that says nothing unless it fails: its standard error is kept."""
    return subprocess.Popen([str(word) for word in words], stdin=subprocess.DEVNULL,
                            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)


def stop(process, patience=DEADLINE):
    """Ends a subprocess.Popen with SIGTERM, after `patience` seconds with SIGKILL; its status."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(patience)
        except subprocess.TimeoutExpired:
            process.kill()
    return process.wait(DEADLINE)
