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
