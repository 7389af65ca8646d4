# SPDX-License-Identifier: ISC
"""One row of the table, and the peer that it is about."""

import json
import re
from dataclasses import dataclass
from functools import cached_property
from typing import Callable

from gatelab import addresses, wireguard

FOUND, ABSENT, REVOKED, FAILED, REJECTED = "found", "absent", "revoked", "failed", "rejected"

# What capture is told of a demand (event=outcome) for each.
RESULTS = {"installed": FOUND, "absent": ABSENT, "revoked": REVOKED, "failed": FAILED,
           "rejected": REJECTED}


@dataclass(frozen=True)
class Result:
    """How the demand for a key ended, and what was logged of a failure."""

    outcome: str
    reason: str


@dataclass(frozen=True, eq=False)
class Row:
    """`The origin` `does` something, and the demand for one key ends with `outcome`.

    does(it): what `it` is, is the stage's matter. `reason` is a regular expression that must be
    found in the reason that is logged.
    """

    origin: str
    does: Callable
    outcome: str
    reason: str = ""

    def is_as_stated(self, result):
        """Whether it ended so."""
        return result.outcome == self.outcome and re.search(self.reason, result.reason) is not None


@dataclass(frozen=True)
class Peer:
    """A key that is asked for, and what the origin should say of it."""

    number: int
    private_key: str

    @cached_property
    def public_key(self):
        """As wg(8) writes it."""
        return wireguard.public_key_of(self.private_key)

    @property
    def inside(self):
        """Its addresses in the tunnel."""
        return addresses.client_inside(self.number)

    @property
    def allowed_ips(self):
        """Its allowed IPs."""
        return [addresses.host_prefix(address) for address in self.inside.values()]

    @property
    def name(self):
        """Its last path segment in the origin's URL."""
        return wireguard.url_key(self.public_key)

    @property
    def members(self):
        """What the right answer holds."""
        return {"public_key": self.public_key, "allowed_ips": self.allowed_ips}

    @property
    def body(self):
        """The right answer's body."""
        return json.dumps(self.members).encode()
