# SPDX-License-Identifier: ISC
"""Every row of the table "the origin does X" ends as it says; nothing crashes or hangs.

The rows are in origin_table; each asks for a key of its own. The table is printed at the end, and
kept as origin-table in the folder for results.
"""

import dataclasses
import os
from collections import Counter
from pathlib import Path

import pytest

from origin_table import (bodies, connections, endings, framing, http2, keepalive, nginx, slow, statuses,
                          tls)
from origin_table.course import Course

# TLS 1.0 and SHA-1 are meant to be old.
pytestmark = [pytest.mark.wireguard, pytest.mark.filterwarnings("ignore::DeprecationWarning"),
              pytest.mark.filterwarnings("ignore::cryptography.utils.CryptographyDeprecationWarning")]

SHARE = int(os.environ.get("PULLGATE_SHARE") or 1)
FIRST = int(os.environ.get("PULLGATE_FIRST") or 0)
# Stages of few rows are whole, for some rows need the one before.
SHARED_FROM = 16


def share_of(stage):
    """The stage, or one row in SHARE of a long one; FIRST says which."""
    if len(stage.rows) < SHARED_FROM:
        return stage
    return dataclasses.replace(stage, rows=stage.rows[FIRST % SHARE::SHARE])


STAGES = [share_of(stage) for module in (statuses, framing, bodies, endings, keepalive, slow, connections, tls,
                               http2, nginx) for stage in module.STAGES]
REASON_SHOWN = 60


class Table:
    """The rows as they end."""

    def __init__(self):
        self.lines = []
        self.outcomes = Counter()
        results = os.environ.get("PULLGATE_RESULTS", os.devnull)
        path = Path(results) / "origin-table" if os.path.isdir(results) else os.devnull
        self._file = open(path, "w", encoding="utf-8")

    def add(self, stage, row, result):
        self.lines.append(f"{stage.name:<14} | {row.origin:<60} | {result.outcome:<8} | "
                          f"{result.reason[:REASON_SHOWN]}")
        self.outcomes[result.outcome] += 1
        print(self.lines[-1], file=self._file, flush=True)

    def end(self):
        self._file.close()
        print("", *self.lines, sep="\n")
        print(f"{len(self.lines)} rows: " + ", ".join(
            f"{number} {outcome}" for outcome, number in self.outcomes.most_common()))


@pytest.fixture(scope="module")
def course(module_lab):
    table = Table()
    running = Course(module_lab, table.add)
    try:
        yield running
    finally:
        running.close()
        table.end()


@pytest.mark.parametrize("stage, row", [
    pytest.param(stage, row, id=f"{stage.name}: {row.origin}")
    for stage in STAGES for row in stage.rows])
def test_the_origin(course, stage, row):
    result = course.result(stage, row)
    assert row.is_as_stated(result), result


@pytest.mark.parametrize("stage", [pytest.param(stage, id=f"{stage.name} {number}")
                                   for number, stage in enumerate(STAGES)])
def test_nothing_else_changed(course, stage):
    assert not course.problems(stage)


def test_nothing_is_left_behind(course):
    assert not course.left_behind()
