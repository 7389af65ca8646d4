# SPDX-License-Identifier: ISC
"""pullgate --audit: a gateway as designed, and some that aren't."""

import os
import shutil
import subprocess

import pytest

from gatelab import pullgate as binaries, users

BUILT = binaries.BINARIES
pytestmark = pytest.mark.wireguard


def audit(configuration, cwd="/", before=()):
    """What the audit prints, and its exit status."""
    done = subprocess.run([*before, BUILT / "pullgate", "--audit", "-c", configuration], cwd=cwd,
                          capture_output=True, text=True, timeout=60, check=False)
    print(done.stdout, done.stderr)
    return done


def differences(done):
    """The lines that differ, as (process, fact)."""
    found, process = [], None
    for line in done.stdout.splitlines():
        if line and not line.startswith(" "):
            process = line.split(",")[0]
        if "DIFFERS" in line:
            found.append((process, line.split("  ")[1]))
    return found


def test_a_gateway_as_designed(lab):
    users.ensure()
    path = lab.gateway.write_configuration()
    done = audit(path)
    assert done.returncode == 3 and f"no pullgate runs with {path}" in done.stderr
    running = lab.gateway.start_pullgate()
    client = lab.add_client(known=True)
    assert client.first_reply() is not None
    done = audit(os.path.relpath(running.configuration, lab.directory), lab.directory)
    assert differences(done) == []
    assert done.returncode == 0
    assert done.stdout.splitlines()[-1].startswith("all as designed: 5 processes, ")
    done = audit(lab.directory / "missing.conf")
    assert done.returncode == 3 and "missing.conf" in done.stderr
    done = audit(path, before=("setpriv", "--reuid", "65534", "--clear-groups"))
    assert done.returncode == 3 and "root" in done.stderr


@pytest.fixture
def other_binaries(lab, monkeypatch):
    """A copy of the binaries, which the next start takes, for a test to spoil."""
    directory = lab.directory / "bin"
    directory.mkdir()
    for name in ("pullgate", *(f"pullgate-{role}" for role in
                               ("capture", "fetcher", "connector", "installer"))):
        shutil.copy(BUILT / name, directory)
    monkeypatch.setattr(binaries, "BINARIES", directory)
    return directory


def test_what_differs_is_told(lab, other_binaries):
    """A capability too many in one child, a program between with a file open in another, and one
    whose binary was replaced since it started."""
    shutil.copy(BUILT / "test_installer_with_capability", other_binaries / "pullgate-installer")
    hidden = other_binaries / "hidden"
    hidden.mkdir()
    fetcher = other_binaries / "pullgate-fetcher"
    fetcher.rename(hidden / fetcher.name)
    shutil.copy(BUILT / "test_program_between", fetcher)
    running = lab.gateway.start_pullgate()
    shutil.copy(BUILT / "pullgate-capture", other_binaries / "new")
    (other_binaries / "new").rename(other_binaries / "pullgate-capture")
    done = audit(running.configuration)
    assert done.returncode == 1
    assert set(differences(done)) == {
        ("pullgate-installer", "CapPrm"), ("pullgate-installer", "CapEff"),
        ("pullgate-fetcher", "executable"), ("pullgate-fetcher", "environment"),
        ("pullgate-fetcher", "descriptor 8"), ("pullgate-capture", "executable")}
    assert "cap_net_admin,cap_net_raw" in done.stdout
    assert "DIFFERS: expected cap_net_admin\n" in done.stdout
    assert done.stdout.splitlines()[-1].startswith("6 of ")
