# SPDX-License-Identifier: ISC
"""The processes as an auditor sees them, and what happens when one of them ends."""

import os
import pwd
import signal
from pathlib import Path

import pytest

from gatelab import command
from gatelab.waiting import wait_until

pytestmark = pytest.mark.wireguard

CAP_NET_ADMIN = 1 << 12
# By linux/capability.h: KILL, SETGID, SETUID, SETPCAP, NET_BIND_SERVICE, NET_ADMIN, NET_RAW, SYS_ADMIN.
SUPERVISOR_AUTHORITY = sum(1 << number for number in (5, 6, 7, 8, 10, 12, 13, 21))
AUTHORITY = {"pullgate-capture": 0, "pullgate-fetcher": 0, "pullgate-connector": 0,
             "pullgate-installer": CAP_NET_ADMIN}


def status(pid):
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return dict(line.split(":\t", 1) for line in lines if ":\t" in line)


def test_children_have_the_authority_that_the_readme_says(lab):
    pullgate = lab.gateway.start_pullgate()
    children = pullgate.children()
    assert set(children) == set(AUTHORITY)
    for name, pid in children.items():
        found, user = status(pid), pwd.getpwnam(name)
        print(name, {key: found[key] for key in ("Uid", "CapEff", "NoNewPrivs", "Seccomp")})
        assert found["Uid"].split() == [str(user.pw_uid)] * 4
        assert found["Gid"].split() == [str(user.pw_gid)] * 4
        assert found["Groups"].split() == []
        for kind in ("CapEff", "CapPrm"):
            assert int(found[kind], 16) == AUTHORITY[name], (name, kind)
        for kind in ("CapInh", "CapBnd", "CapAmb"):
            assert int(found[kind], 16) == 0, (name, kind)
        assert found["NoNewPrivs"] == "1"
        assert found["Seccomp"] == "2"
        assert Path(f"/proc/{pid}/environ").read_bytes().count(b"=") <= 1
        limits = Path(f"/proc/{pid}/limits").read_text()
        assert "Max core file size        0 " in limits


def test_supervisor_has_the_authority_that_the_readme_says(lab):
    pullgate = lab.gateway.start_pullgate()
    found = status(pullgate.pid)
    print("pullgate", {key: found[key] for key in ("Uid", "CapEff", "NoNewPrivs", "Seccomp")})
    for kind in ("CapEff", "CapPrm", "CapBnd"):
        assert int(found[kind], 16) == SUPERVISOR_AUTHORITY, kind
    for kind in ("CapInh", "CapAmb"):
        assert int(found[kind], 16) == 0, kind
    assert (found["Seccomp"], found["NoNewPrivs"]) == ("2", "0")
    descriptors = [os.readlink(link) for link in Path(f"/proc/{pullgate.pid}/fd").iterdir()]
    assert [link for link in descriptors if link.startswith("/memfd:")] == \
        ["/memfd:timestamps (deleted)"]  # no certificate, key or token


def test_children_have_namespaces_and_roots_of_their_own(lab):
    pullgate = lab.gateway.start_pullgate()
    children = pullgate.children()
    pids = [pullgate.pid, *children.values()]
    spaces = {kind: [os.stat(f"/proc/{pid}/ns/{kind}").st_ino for pid in pids]
              for kind in ("mnt", "pid", "ipc", "uts", "cgroup")}
    for kind, found in spaces.items():
        assert len(set(found)) == 5, kind
    network = os.stat(f"/proc/{pullgate.pid}/ns/net").st_ino
    for name, pid in children.items():
        is_shared = os.stat(f"/proc/{pid}/ns/net").st_ino == network
        assert is_shared == (name in ("pullgate-connector", "pullgate-installer")), name
        mounts = Path(f"/proc/{pid}/mountinfo").read_text().splitlines()
        print(name, mounts)
        assert len(mounts) == 1
        assert " / / ro,nosuid,nodev,noexec,relatime - tmpfs " in mounts[0]
        files = [path for path in Path(f"/proc/{pid}/root").rglob("*") if path.is_file()]
        assert (name == "pullgate-connector") == bool(files), name
        assert {path.parent.name for path in files} <= {"etc"}
        assert Path(f"/proc/{pid}/coredump_filter").read_text() == "00000000\n"
        assert (status(pid)["VmLck"].split() != ["0", "kB"]) == (name != "pullgate-connector"), name


def test_descriptors_are_the_fixed_table(lab):
    pullgate = lab.gateway.start_pullgate()
    for name, pid in pullgate.children().items():
        inherited = {int(fd) for fd in os.listdir(f"/proc/{pid}/fd")}
        channels = {"pullgate-capture": {5, 7, 8, 9}, "pullgate-fetcher": {4, 6, 7},
                    "pullgate-connector": {5}, "pullgate-installer": {4, 5, 10, 11}}[name]
        assert {0, 1, 2, 3} | channels <= inherited, name
        for fd in set(range(4, 12)) - channels:  # taken, so that nothing else gets the number
            assert os.readlink(f"/proc/{pid}/fd/{fd}") == "/dev/null", (name, fd)


@pytest.mark.parametrize("name", sorted(AUTHORITY))
def test_a_killed_child_comes_back_and_clients_connect(lab, name):
    """Killed while clients connect: each of them is connected at the latest by its next retry."""
    pullgate = lab.gateway.start_pullgate(arguments=["-v"])
    clients = [lab.add_client(known=True) for _ in range(6)]
    established = clients.pop()
    assert established.first_reply() is not None
    recorders = [client.record() for client in clients]
    for number, client in enumerate(clients):
        client.namespace.popen("ping", "-n", "-c", 1, "-W", 1, "10.64.0.1")
        if number == 2:
            mark = pullgate.mark()
            os.kill(pullgate.children()[name], signal.SIGKILL)
    pullgate.wait_event("child_ready", since=mark, role=name.removeprefix("pullgate-"))
    assert established.ping()
    for client in clients:
        assert client.first_reply() is not None
    print(f"{name} killed; initiations that each client sent:",
          [len([one for one in recorder.initiations() if one.outgoing]) for recorder in recorders])
    assert set(lab.gateway.peers()) == {client.public_key for client in [*clients, established]}
    assert set(pullgate.children()) == set(AUTHORITY)


# The connector, which may wait for name servers, is found only after 20 s: with the rest by flag.
STOPPED = sorted(AUTHORITY) if os.environ.get("PULLGATE_FULL") else ["pullgate-capture"]


@pytest.mark.parametrize("name", STOPPED)
def test_a_stopped_child_is_found_and_clients_connect(lab, name):
    pullgate = lab.gateway.start_pullgate(arguments=["-v"])
    established, waiting = lab.add_client(known=True), lab.add_client(known=True)
    assert established.first_reply() is not None
    role, pid, mark = name.removeprefix("pullgate-"), pullgate.children()[name], pullgate.mark()
    os.kill(pid, signal.SIGSTOP)
    hung = pullgate.wait_event("child_hung", since=mark, role=role, pid=pid)
    assert int(hung.fields["silent_ms"]) >= 5000
    pullgate.wait_event("child_ready", since=mark, role=role)
    assert established.ping()
    assert waiting.first_reply() is not None
    assert pullgate.children()[name] != pid
    assert len(pullgate.find("child_hung", since=mark)) == 1


def expected_wait(number):
    """Milliseconds before the start after that end in a row, counted from 1."""
    return 0 if number == 1 else min(5000, 10 * 2 ** (number - 2))


# 50 in a row take four minutes, most of which is backoff at its greatest: by flag.
KILLS = 50 if os.environ.get("PULLGATE_FULL") else 9


def test_a_child_that_is_killed_again_and_again_backs_off_and_recovers(lab):
    pullgate = lab.gateway.start_pullgate(arguments=["-v"])
    established, waiting = lab.add_client(known=True), lab.add_client(known=True)
    assert established.first_reply() is not None
    waits, mark = [], pullgate.mark()
    for number in range(1, KILLS + 1):
        since = pullgate.mark()
        os.kill(pullgate.children()["pullgate-fetcher"], signal.SIGKILL)
        ended = pullgate.wait_event("child_ended", since=since, role="fetcher")
        started = pullgate.wait_event("child_restarted", since=since, role="fetcher")
        waits.append(round((started.time - ended.time) * 1000))
        assert started.time - ended.time >= expected_wait(number) / 1000 - 0.05  # lines are read late
        pullgate.wait_event("child_ready", since=since, role="fetcher")
    print("ms from an end to the next start:", waits)
    assert established.ping()
    assert waiting.first_reply() is not None  # within the first start that lives
    pullgate.wait_event("recovered", since=mark)
    changes = [event.name for event in pullgate.find(since=mark)
               if event.name in ("degraded", "recovered")]
    # Once for all of them, unless a slow machine lets it recover between two.
    assert changes == ["degraded", "recovered"] * (len(changes) // 2)
    assert not [event for event in pullgate.find("child_ended", since=mark)
                if event.fields["role"] != "fetcher"]


def test_changed_resolver_files_restart_the_connector_alone(lab, tmp_path):
    """Another file is mounted over /etc/hosts, where pullgate sees it."""
    pullgate = lab.gateway.start_pullgate(arguments=["-v"])
    (tmp_path / "hosts").write_text(Path("/etc/hosts").read_text() + "# changed\n")
    inside = ("nsenter", f"--mount=/proc/{pullgate.pid}/ns/mnt")
    mark = pullgate.mark()
    command.run(*inside, "mount", "--bind", tmp_path / "hosts", "/etc/hosts")
    try:
        pullgate.wait_event("resolver_files_changed", since=mark, file="/etc/hosts")
        pullgate.wait_event("child_ready", since=mark, role="connector")
        assert lab.add_client(known=True).first_reply() is not None
    finally:
        command.run(*inside, "umount", "/etc/hosts")
    assert not pullgate.find("degraded", since=mark)


def test_stop_leaves_the_tunnels_and_no_process(lab):
    pullgate = lab.gateway.start_pullgate()
    client = lab.add_client(known=True)
    assert client.first_reply() is not None
    children = pullgate.children().values()
    assert lab.gateway.stop_pullgate() == 0
    assert client.ping()
    for pid in children:
        assert not Path(f"/proc/{pid}").exists()


def test_killed_supervisor_takes_its_children_along(lab):
    pullgate = lab.gateway.start_pullgate()
    client = lab.add_client(known=True)
    assert client.first_reply() is not None
    children = list(pullgate.children().values())
    assert len(children) == 4
    pullgate.signal(signal.SIGKILL)
    pullgate.wait()
    wait_until(lambda: not any(Path(f"/proc/{pid}/exe").exists() and
                               "State:\tZ" not in Path(f"/proc/{pid}/status").read_text()
                               for pid in children if Path(f"/proc/{pid}/status").exists()),
               "the children to end with their supervisor")
    assert client.ping()


def test_reload_applies_what_can_change_and_says_what_cannot(lab):
    pullgate = lab.gateway.start_pullgate(arguments=["-v"])
    pids = pullgate.children()
    client = lab.add_client()
    lab.origin.add_peer(client.public_key, ["192.168.7.7/32", *client.allowed_ips])
    assert client.first_reply(deadline=1) is None
    pullgate.wait_event("rejected", key=client.public_key)
    mark = pullgate.mark()
    lab.gateway.write_configuration(policy={"allowed_ips": "10.64.0.0/10, fd64::/32, 192.168.0.0/16"},
                                    eviction={"max_peers": 7})
    pullgate.reload()
    pullgate.wait_event("reload_needs_restart", since=mark, key="eviction.max_peers")
    pullgate.wait_event("reloaded", since=mark)
    assert client.first_reply() is not None
    assert "192.168.7.7/32" in lab.gateway.peers()[client.public_key].allowed_ips
    mark = pullgate.mark()
    pullgate.configuration.write_text("[gateway]\ncolour = blue\n")
    pullgate.reload()
    failed = pullgate.wait_event("reload_failed", since=mark)
    assert ":2:" in failed.fields["reason"] and "colour" in failed.fields["reason"]
    assert client.ping()
    assert pullgate.children() == pids


@pytest.mark.parametrize("break_it, reason", [
    (lambda gateway: gateway.remove_interface(), "wg0"),
    (lambda gateway: gateway.namespace.run("wg", "set", "wg0", "private-key", "/dev/null"), "private"),
    (lambda gateway: gateway.namespace.ip("link del wg0", "link add wg0 type dummy"), "WireGuard"),
])
def test_interface_that_can_not_be_served(lab, break_it, reason):
    break_it(lab.gateway)
    pullgate = lab.gateway.start_pullgate(ready=False)
    assert pullgate.wait() == 1
    event = pullgate.wait_event("interface_unusable")
    assert reason in event.text
    lab.gateway.pullgate = None


def test_not_root_is_a_clear_error(lab):
    from gatelab.pullgate import BINARIES
    path = lab.gateway.write_configuration(lab.origin.url())
    path.chmod(0o644)
    with pytest.raises(command.CommandFailed) as failure:
        command.run("setpriv", "--reuid", "65534", "--clear-groups", BINARIES / "pullgate", "-c", path)
    assert "root" in str(failure.value)
