# SPDX-License-Identifier: ISC
"""pullgate --audit: a gateway as designed, and some that aren't."""

import os
import shutil
import subprocess

import pytest

from gatelab import pullgate as binaries, users

BUILT = binaries.BINARIES
pytestmark = pytest.mark.wireguard


def audit(configuration, cwd="/"):
    """What the audit prints, and its exit status."""
    done = subprocess.run([binaries.BINARIES / "pullgate", "--audit", "-c", configuration],
                          cwd=cwd, capture_output=True, text=True, timeout=60, check=False)
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
    running = lab.gateway.start_pullgate()
    client = lab.add_client(known=True)
    assert client.first_reply() is not None
    done = audit(os.path.relpath(running.configuration, lab.directory), lab.directory)
    assert differences(done) == []
    assert done.returncode == 0
    assert done.stdout.splitlines()[-1].startswith("all as designed: 5 processes, ")
    assert running.children().keys() == {f"pullgate-{role}" for role in
                                         ("capture", "fetcher", "connector", "installer")}


@pytest.fixture
def other_binaries(lab, monkeypatch):
    """A copy of the binaries, which the next start takes, for a test to spoil."""
    directory = lab.directory / "bin"
    directory.mkdir()
    for name in ("pullgate", *(f"pullgate-{role}" for role in
                               ("capture", "fetcher", "connector", "installer"))):
        shutil.copy(binaries.BINARIES / name, directory)
    monkeypatch.setattr(binaries, "BINARIES", directory)
    return directory


def test_a_capability_too_many(lab, other_binaries):
    shutil.copy(BUILT / "test_installer_with_capability", other_binaries / "pullgate-installer")
    running = lab.gateway.start_pullgate()
    done = audit(running.configuration)
    assert done.returncode == 1
    assert differences(done) == [("pullgate-installer", "CapPrm"), ("pullgate-installer", "CapEff")]
    assert "cap_net_admin,cap_net_raw" in done.stdout
    assert "DIFFERS: expected cap_net_admin\n" in done.stdout


def test_a_descriptor_and_a_program_between(lab, other_binaries):
    """Something else starts the fetcher: with a file open, and its own environment."""
    hidden = other_binaries / "hidden"
    hidden.mkdir()
    (other_binaries / "pullgate-fetcher").rename(hidden / "pullgate-fetcher")
    wrapper = other_binaries / "pullgate-fetcher"
    wrapper.write_text(f"#!/bin/sh\nexec 8</etc/passwd\nPASSED=on exec {hidden}/pullgate-fetcher\n")
    wrapper.chmod(0o755)
    running = lab.gateway.start_pullgate()
    done = audit(running.configuration)
    assert done.returncode == 1
    assert set(differences(done)) == {("pullgate-fetcher", fact) for fact in
                                      ("executable", "environment", "descriptor 8")}


def test_a_binary_that_was_replaced(lab, other_binaries):
    """What runs is no longer what is on disk: an upgrade without a restart."""
    running = lab.gateway.start_pullgate()
    capture = other_binaries / "pullgate-capture"
    shutil.copy(capture, other_binaries / "new")
    (other_binaries / "new").rename(capture)
    done = audit(running.configuration)
    assert done.returncode == 1
    assert differences(done) == [("pullgate-capture", "executable")]


def test_nothing_to_audit(lab):
    path = lab.gateway.write_configuration(lab.origin.url())
    users.ensure()
    done = audit(path)
    assert done.returncode == 3
    assert f"no pullgate runs with {path}" in done.stderr
    done = audit(lab.directory / "missing.conf")
    assert done.returncode == 3 and "missing.conf" in done.stderr
    done = subprocess.run(["setpriv", "--reuid", "65534", "--clear-groups",
                           binaries.BINARIES / "pullgate", "--audit", "-c", path],
                          capture_output=True, text=True, check=False)
    assert done.returncode == 3 and "root" in done.stderr
