# SPDX-License-Identifier: ISC
"""A directory as the origin: what is written there is so in the kernel within file_ttl, and what is
no peer's file does no harm."""

import contextlib
import json
import os
import re
import shutil
import subprocess
import time

import pytest

from gatelab import addresses, ping, pullgate as binaries, users, wireguard
from origin_table import msgpack

pytestmark = pytest.mark.wireguard

TTL = 2
# An emulated machine may take a while to do what it begins in time.
SLACK = 5


class Peers:
    """The directory, as an operator writes it: readable by the fetcher's group alone, and files are
    renamed into their place."""

    def __init__(self, lab, suffix="json"):
        users.ensure()
        self.path = lab.directory / "peers"
        self.suffix = suffix
        self.url = f"file://{self.path}/{{key}}.{suffix}"
        self.make()

    def make(self):
        self.path.mkdir(mode=0o750)
        shutil.chown(self.path, group="pullgate-fetcher")

    def file(self, key):
        return self.path / f"{wireguard.url_key(key)}.{self.suffix}"

    def put(self, key, content):
        """A file with these bytes."""
        new = self.path / "new"
        new.write_bytes(content)
        new.chmod(0o640)
        shutil.chown(new, group="pullgate-fetcher")
        new.rename(self.file(key))

    def add(self, client, **members):
        """A right one of a client, with more members or others."""
        pack = msgpack.pack if self.suffix == "msgpack" else lambda value: json.dumps(value).encode()
        self.put(client.public_key, pack({"public_key": client.public_key,
                                          "allowed_ips": list(client.allowed_ips), **members}))


def start(lab, peers, **changes):
    return lab.gateway.start_pullgate(
        peers.url, ["-v"], cache={"file_ttl": f"{TTL}s", "negative_ttl": "1s"}, **changes)


def connect(lab, peers):
    client = lab.add_client()
    peers.add(client)
    assert client.first_reply() is not None
    return client


def check_in_time(event, written):
    seconds = event.time - written
    print(f"{event.name} {seconds:.1f} s after it was written; file_ttl is {TTL} s")
    assert seconds <= TTL + 1 + SLACK


def test_client_connects_by_its_file(lab):
    """Asked about again, the file is looked at, and not read; nothing is connected to."""
    lab.origin.stop()
    peers = Peers(lab)
    pullgate = start(lab, peers)
    client = connect(lab, peers)
    pullgate.wait_event("response", key=client.public_key, status=304, count=3)
    assert [event.fields["status"] for event in pullgate.find("response")][0] == "200"
    assert not pullgate.find("connected") and not pullgate.find("connect_failed")
    done = subprocess.run([binaries.BINARIES / "pullgate", "--audit", "-c", pullgate.configuration],
                          capture_output=True, text=True, timeout=60, check=False)
    print(done.stdout)
    assert done.returncode == 0
    assert f"  root               {peers.path}" in done.stdout
    assert client.ping()


def test_changed_file_changes_the_peer(lab):
    """In place: pings go on, the handshake and endpoint stay."""
    peers = Peers(lab)
    pullgate = start(lab, peers)
    client = connect(lab, peers)
    before = lab.gateway.peers()[client.public_key]
    with contextlib.closing(ping.Steady(client.namespace, addresses.GATEWAY_INSIDE[4])) as pings:
        pullgate.wait_event("response", key=client.public_key, status=304)
        written = time.monotonic()
        peers.add(client, allowed_ips=[*client.allowed_ips, "10.65.0.0/24"], persistent_keepalive=77)
        check_in_time(pullgate.wait_event("updated", key=client.public_key), written)
        time.sleep(2)
        after = lab.gateway.peers()[client.public_key]
        sent, lost = pings.stop()
    print(f"{sent} pings, {lost} lost")
    assert sorted(after.allowed_ips) == sorted([*client.allowed_ips, "10.65.0.0/24"])
    assert after.keepalive_seconds == 77
    assert (after.endpoint, after.latest_handshake) == (before.endpoint, before.latest_handshake)
    assert lost == 0


def test_deleted_file_takes_the_peer_away(lab):
    """And one that is written anew brings it back."""
    peers = Peers(lab)
    pullgate = start(lab, peers)
    client, other = connect(lab, peers), connect(lab, peers)
    pullgate.wait_event("response", key=client.public_key, status=304)
    written = time.monotonic()
    peers.file(client.public_key).unlink()
    check_in_time(pullgate.wait_event("removed", key=client.public_key, reason="absent"), written)
    assert set(lab.gateway.peers()) == {other.public_key}
    peers.add(client)
    client.forget_session()
    assert client.first_reply() is not None


def test_msgpack_files(lab):
    peers = Peers(lab, "msgpack")
    start(lab, peers)
    connect(lab, peers)


ODD = {
    "a link to a file outside": ("symbolic link", lambda path: path.symlink_to("/etc/shadow")),
    "a link to a peer's file": ("symbolic link", lambda path: path.symlink_to("real.json")),
    "a link to nothing": ("symbolic link", lambda path: path.symlink_to("nothing")),
    "a FIFO": ("regular", os.mkfifo),
    # Where there is Landlock it isn't even opened.
    "a directory": ("regular|may not be read", lambda path: path.mkdir(mode=0o755)),
    "a file of 1 GB": ("larger", lambda path: (path.touch(0o644), os.truncate(path, 1 << 30))),
    "a file of root's": ("read", lambda path: path.touch(0o600)),
    "an empty file": ("JSON", lambda path: path.touch(0o644)),
    "half a file": ("JSON", lambda path: (path.write_text('{"public_key": "'), path.chmod(0o644))),
}


def test_what_is_no_peers_file(lab):
    """Nothing is installed, everybody else connects, and a right file heals it."""
    peers = Peers(lab)
    pullgate = start(lab, peers)
    peers.put(wireguard.public_key_of(wireguard.make_private_key()), b"{}")
    clients = {what: lab.add_client() for what in ODD}
    for what, (_, make) in ODD.items():
        make(peers.file(clients[what].public_key))
    with contextlib.ExitStack() as stack:
        for client in clients.values():
            stack.enter_context(contextlib.closing(
                ping.Steady(client.namespace, addresses.GATEWAY_INSIDE[4], 1)))
        for what, (reason, _) in ODD.items():
            failed = pullgate.wait_event("answer_failed", key=clients[what].public_key)
            print(f"{what}: {failed.fields['reason']}")
            assert re.search(reason, failed.fields["reason"])
    assert not lab.gateway.peers()
    assert not pullgate.find("origin_fails")
    other = connect(lab, peers)
    assert set(lab.gateway.peers()) == {other.public_key}
    for what, client in clients.items():
        path = peers.file(client.public_key)
        if path.is_dir() and not path.is_symlink():
            path.rmdir()
        peers.add(client)
        assert client.first_reply() is not None, what
    assert len(pullgate.children()) == 4


def test_directory_is_deleted_under_its_peers(lab):
    """An empty directory that was deleted says nothing about anybody. One in its place is found."""
    peers = Peers(lab)
    pullgate = start(lab, peers)
    clients = [connect(lab, peers) for _ in range(3)]
    keys = {client.public_key for client in clients}
    # Nobody sees it half deleted: while its files go, it can't be searched.
    directory = os.open(peers.path, os.O_RDONLY | os.O_DIRECTORY)
    os.fchmod(directory, 0)
    shutil.rmtree(peers.path)
    mark = pullgate.mark()
    os.fchmod(directory, 0o755)
    os.close(directory)
    failed = pullgate.wait_event("origin_fails", since=mark)
    assert "deleted" in failed.fields["reason"]
    for key in keys:
        pullgate.wait_event("answer_failed", since=mark, key=key, count=3)
    assert set(lab.gateway.peers()) == keys
    assert all(client.ping() for client in clients)
    peers.make()
    for client in clients:
        peers.add(client)
    mark = pullgate.mark()
    pullgate.wait_event("origin_directory_changed", since=mark)
    for key in keys:
        pullgate.wait_event("response", since=mark, key=key, answer="found")
    assert set(lab.gateway.peers()) == keys
    assert not pullgate.find("removed")
    peers.file(clients[0].public_key).unlink()
    pullgate.wait_event("removed", key=clients[0].public_key, reason="absent")


def test_origin_becomes_a_directory_and_back(lab):
    """At SIGHUP; what can't be used changes nothing."""
    peers = Peers(lab)
    client = lab.add_client(known=True)
    pullgate = lab.gateway.start_pullgate(arguments=["-v"])
    assert client.first_reply() is not None
    lab.gateway.write_configuration(f"file://{peers.path}/missing/{{key}}")
    pullgate.reload()
    pullgate.wait_event("reload_failed")
    lab.gateway.write_configuration(peers.url)
    mark = pullgate.mark()
    pullgate.reload()
    pullgate.wait_event("origin_directory_changed", since=mark)
    pullgate.wait_event("child_ready", since=mark, role="fetcher")
    other = connect(lab, peers)
    assert set(lab.gateway.peers()) == {client.public_key, other.public_key}
    lab.gateway.write_configuration()
    mark = pullgate.mark()
    pullgate.reload()
    pullgate.wait_event("origin_moved", since=mark, process="pullgate-fetcher")
    last = lab.add_client(known=True)
    assert last.first_reply() is not None


def test_configuration_without_its_directory(lab):
    """pullgate -n says so, and what else a file: URL can't be."""
    for url, reason in ((f"file://{lab.directory}/missing/{{key}}", "No such file"),
                        (f"file://{lab.directory}/{{key}}/peer", "in the file's name"),
                        ("file:///{key}", "/ itself")):
        path = lab.gateway.write_configuration(url)
        done = subprocess.run([binaries.BINARIES / "pullgate", "-n", "-c", path],
                              capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode != 0
        assert reason in done.stderr
    peers = Peers(lab)
    path = lab.gateway.write_configuration(peers.url)
    subprocess.run([binaries.BINARIES / "pullgate", "-n", "-c", path], timeout=60, check=True)
