# SPDX-License-Identifier: ISC
"""Rows that share an origin, and pullgate's settings for it."""

from dataclasses import dataclass, field
from typing import Callable

from .row import Row

# So long that hardly anything but what never ends runs into it, and below the 10 s that a ticket lives.
LONG = "9s"


@dataclass(frozen=True, eq=False)
class Stage:
    """`opens(lab)` starts the origin: an object with

        url, settings    for pullgate's section [origin]
        begin(row, peer) from now on the row's peer is served as the row says
        end(row, peer)   the row is over
        welcome(peer)    this one is served rightly
        asked(peer)      how many requests there were for it; None where nobody can tell
        strays()         what was asked for beside peers
        close()

    Rows go `at_once`, or one after the other. Where they are `followed`, another key is asked for
    behind each, and must be served, whatever the row left behind in the connections.
    """

    name: str
    rows: tuple[Row, ...]
    opens: Callable
    at_once: int = 1
    followed: bool = False
    settings: dict = field(default_factory=dict)  # of pullgate's section [origin]
    honest: bool = True  # this origin also serves those who are welcome
