# SPDX-License-Identifier: ISC
"""The system users that pullgate's processes run as."""

import pwd

from . import command

NAMES = ("pullgate-capture", "pullgate-fetcher", "pullgate-connector", "pullgate-installer")


def ensure():
    """Makes those that are missing."""
    for name in NAMES:
        try:
            pwd.getpwnam(name)
        except KeyError:
            command.run("useradd", "--system", "--user-group", "--no-create-home",
                        "--home-dir", "/nonexistent", "--shell", "/usr/sbin/nologin", name)
