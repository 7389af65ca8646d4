# SPDX-License-Identifier: ISC
"""Time to the first ping, side by side in one run: a table of figures, and no verdict by them."""

import os
import statistics
from pathlib import Path

import pytest

pytestmark = pytest.mark.wireguard

CLIENTS = 5
HEADINGS = ("peer", "IP", "clients", "least ms", "median ms", "greatest ms", "times the median of "
            "an installed peer")


def measure(lab, prepare, version):
    """First pings of new clients, one after the other, in milliseconds."""
    times = []
    for _ in range(CLIENTS):
        client = lab.add_client(endpoint_version=version)
        prepare(client)
        seconds = client.first_reply()
        assert seconds is not None
        times.append(seconds * 1000)
        client.close()
    return times


def table(rows):
    """Lines of the table; ratios are to the first row of the same IP version."""
    base = {}
    lines = [" | ".join(HEADINGS), " | ".join("---" for _ in HEADINGS)]
    for name, version, times in rows:
        median = statistics.median(times)
        base.setdefault(version, median)
        lines.append(f"{name} | IPv{version} | {len(times)} | {min(times):.0f} | {median:.0f} | "
                     f"{max(times):.0f} | {median / base[version]:.1f}")
    return lines


def test_first_ping_side_by_side(lab, capsys):
    def known(client):
        lab.origin.add_peer(client.public_key, client.allowed_ips)

    rows = []
    pullgate = lab.gateway.start_pullgate()
    for version in (4, 6):
        rows.append(("already installed", version,
                     measure(lab, lab.gateway.add_static_peer, version)))
    for mode in ("replay", "initiate", "retry"):
        mark = pullgate.mark()
        lab.gateway.write_configuration(gateway={"connect": mode})
        pullgate.reload()
        pullgate.wait_event("reloaded", since=mark)
        for version in (4, 6):
            rows.append((mode, version, measure(lab, known, version)))
        assert bool(pullgate.find("replayed", since=mark)) == (mode == "replay")
    lines = table(rows)
    with capsys.disabled():
        print("\n\nTime to the first ping's answer (an emulated kernel where QEMU runs: compare the "
              "ratios)\n\n" + "\n".join(lines) + "\n")
    results = os.environ.get("PULLGATE_RESULTS")
    if results:
        (Path(results) / "first_ping.md").write_text("\n".join(lines) + "\n", encoding="ascii")
