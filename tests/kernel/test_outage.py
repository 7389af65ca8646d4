# SPDX-License-Identifier: ISC
"""The cache that survives: a gateway that starts again while the control plane is down admits whom it
knew, and nobody whom the control plane took back.
"""

import base64
import contextlib
import os
import shutil
import signal
import sqlite3
import subprocess
import tempfile

import pytest

from gatelab import addresses, command, pullgate as programs, wireguard
from gatelab.waiting import wait_until

pytestmark = pytest.mark.wireguard

PEERS = 200
AT_A_TIME = 20
# Numbers of the peers; the lab's own clients count from 0.
FIRST_NUMBER = 1000
PATIENCE = 600

RATE = 20
CONCURRENCY = 4
BURST = RATE // 10


def cache_directory(lab):
    return lab.directory / "cache" / "wg0"


def start(lab, fresh="30s", **changes):
    cache = {"fresh_ttl": fresh, "min_revalidate": "1s", "directory": cache_directory(lab)}
    return lab.gateway.start_pullgate(
        arguments=["-v"], cache={**cache, **changes.pop("cache", {})},
        limits={"per_source": "1000/s burst 2000"}, **changes)


def stored_keys(lab):
    """The keys in the database, from copies of its files: pullgate has them to itself."""
    with tempfile.TemporaryDirectory() as folder:
        for file in cache_directory(lab).iterdir():
            shutil.copy(file, folder)
        try:
            with contextlib.closing(sqlite3.connect(f"{folder}/peers.sqlite")) as database:
                return {key for key, in database.execute("SELECT key FROM entry")}
        except sqlite3.DatabaseError:
            return set()  # copied in the middle of a change


def wait_stored(lab, public_keys, absent=()):
    wanted, unwanted = (set(map(base64.b64decode, keys)) for keys in (public_keys, absent))

    def are_stored():
        stored = stored_keys(lab)
        return wanted <= stored and not unwanted & stored
    wait_until(are_stored, f"{len(wanted)} keys in the database")


def reboot(lab):
    """The gateway as after a power cut: nothing ends in order, and the kernel holds no peer."""
    running = lab.gateway.pullgate
    running.signal(signal.SIGKILL)
    running.wait()
    lab.gateway.stop_pullgate()
    lab.gateway.remove_interface()
    lab.gateway.make_interface()
    assert not lab.gateway.peers()


class Fleet:
    """So many WireGuard interfaces in one client's namespace, down until they are to connect."""

    def __init__(self, lab):
        self.lab = lab
        self.host = lab.add_client()
        self.namespace = self.host.namespace
        self.keys = {}
        for number in range(PEERS):
            self._add(f"fleet{number}", FIRST_NUMBER + number)

    def _add(self, name, number):
        private_key = wireguard.make_private_key()
        key = wireguard.public_key_of(private_key)
        inside = addresses.client_inside(number)
        self.lab.origin.add_peer(key, map(addresses.host_prefix, inside.values()))
        self.namespace.ip(f"link add {name} type wireguard")
        wireguard.Interface(self.namespace, name).set_configuration(
            wireguard.interface_section(private_key) +
            wireguard.peer_section(
                self.lab.gateway.public_key,
                map(addresses.host_prefix, addresses.GATEWAY_INSIDE.values()), None,
                f"{addresses.GATEWAY_OUTSIDE[4]}:{addresses.LISTEN_PORT}", keepalive=3600))
        self.keys[name] = key

    def _has_session(self, name):
        interface = wireguard.Interface(self.namespace, name)
        return interface.handshake_age(self.lab.gateway.public_key) is not None

    def disconnect(self):
        """Their sessions are gone."""
        self.namespace.ip(*(f"link set {name} down" for name in self.keys))

    def connect(self):
        """Each one connects; the initiations that they needed."""
        names = list(self.keys)
        with contextlib.closing(self.host.record()) as recorder:
            for first in range(0, PEERS, AT_A_TIME):
                some = names[first:first + AT_A_TIME]
                self.namespace.ip(*(f"link set {name} up" for name in some))
                wait_until(lambda: set(map(self.keys.get, some)) <= self.connected(),
                           f"{len(some)} handshakes", PATIENCE)
            return len(recorder.initiations())

    def connected(self):
        """Who has a session, as the gateway's kernel says."""
        return {key for key, peer in self.lab.gateway.peers().items() if peer.latest_handshake}

    def wait_answers(self, since):
        """Waits until the origin was asked about each of them, in its log behind `since`."""
        wanted = {wireguard.url_key(key) for key in self.keys.values()}

        def all_asked():
            return wanted <= {request.key for request in self.lab.origin.requests()[since:]
                              if request.status in (200, 304)}
        wait_until(all_asked, f"{PEERS} revalidations", PATIENCE, 1)


def check_rate(requests):
    """An answer is logged late by no more than those under way: the bound holds however slow it is."""
    times = sorted(request.time for request in requests)
    most = 0
    for first, begin in enumerate(times):
        most = max(most, sum(1 for time in times[first:] if time < begin + 1))
    print(f"{len(times)} requests in {times[-1] - times[0]:.1f} s, at most {most} in a second")
    assert most <= RATE + BURST + CONCURRENCY


def test_gateway_restarts_while_the_origin_is_down(lab):
    options = {"origin": {"requests": f"{RATE}/s", "concurrency": CONCURRENCY},
               "eviction": {"idle_after": "off"}}
    pullgate = start(lab, **options)
    fleet = Fleet(lab)
    fleet.connect()
    wait_stored(lab, fleet.keys.values())
    lab.origin.stop()
    fleet.disconnect()
    reboot(lab)
    pullgate = start(lab, **options)
    print(pullgate.wait_event("cache_loaded", peers=PEERS).text)
    initiations = fleet.connect()
    cached = pullgate.find("answer_cached", answer="found")
    print(f"{len(cached)} answers from the cache; {initiations} initiations of {PEERS} peers")
    assert fleet.connected() == set(fleet.keys.values())
    assert initiations == PEERS
    since = len(lab.origin.requests())
    lab.origin.start()
    fleet.wait_answers(since)
    check_rate(lab.origin.requests()[since:])
    assert fleet.connected() == set(fleet.keys.values())
    assert not pullgate.find("removed")


def test_fetcher_restarts_while_the_origin_is_down(lab):
    pullgate = start(lab, eviction={"idle_after": "5s"})
    client = lab.add_client(known=True, preshared_key=wireguard.make_preshared_key())
    assert client.first_reply() is not None
    wait_stored(lab, [client.public_key])
    pullgate.wait_event("removed", key=client.public_key, reason="idle")
    lab.origin.stop()
    mark = pullgate.mark()
    os.kill(pullgate.children()["pullgate-fetcher"], signal.SIGKILL)
    pullgate.wait_event("cache_loaded", since=mark, peers=1)
    client.forget_session()
    assert client.first_reply() is not None


def test_who_was_taken_back_stays_away(lab):
    """A 410 and a 404 hold across a restart, whatever was stored before."""
    pullgate = start(lab, fresh="5s")
    revoked, absent, other = (lab.add_client(known=True) for _ in range(3))
    for client in (revoked, absent, other):
        assert client.first_reply() is not None
    wait_stored(lab, [revoked.public_key, absent.public_key, other.public_key])
    lab.origin.revoke_peer(revoked.public_key)
    lab.origin.remove_peer(absent.public_key)
    pullgate.wait_event("removed", key=revoked.public_key)
    pullgate.wait_event("removed", key=absent.public_key)
    wait_stored(lab, [other.public_key], absent=[revoked.public_key, absent.public_key])
    lab.origin.stop()
    reboot(lab)
    pullgate = start(lab, fresh="5s")
    pullgate.wait_event("cache_loaded", peers=1)
    for client in (revoked, absent, other):
        client.forget_session()
    assert other.first_reply() is not None
    for client in (revoked, absent):
        assert not client.ping()
    assert set(lab.gateway.peers()) == {other.public_key}


def test_cache_without_preshared_keys(lab):
    pullgate = start(lab, cache={"persist_psk": "no"})
    secret = lab.add_client(known=True, preshared_key=wireguard.make_preshared_key())
    other = lab.add_client(known=True)
    for client in (secret, other):
        assert client.first_reply() is not None
    wait_stored(lab, [other.public_key], absent=[secret.public_key])
    lab.origin.stop()
    reboot(lab)
    pullgate = start(lab, cache={"persist_psk": "no"})
    pullgate.wait_event("cache_loaded", peers=1)
    for client in (secret, other):
        client.forget_session()
    assert other.first_reply() is not None
    assert not secret.ping()


@pytest.mark.parametrize("content", [b"", b"somebody else's\n" * 100])
def test_file_that_is_no_cache(lab, content):
    """The gateway serves as if there were none, and a foreign file stays as it is."""
    directory = cache_directory(lab)
    directory.mkdir(parents=True, mode=0o700)
    file = directory / "peers.sqlite"
    file.write_bytes(content)
    file.chmod(0o600)
    pullgate = start(lab)
    client = lab.add_client(known=True)
    assert client.first_reply() is not None
    if content:
        pullgate.wait_event("cache_unusable", process="pullgate-fetcher")
        assert file.read_bytes() == content
    else:
        wait_stored(lab, [client.public_key])


def test_directory_of_others(lab):
    directory = cache_directory(lab)
    directory.mkdir(parents=True)
    directory.chmod(0o755)
    pullgate = start(lab)
    pullgate.wait_event("cache_unusable", process="pullgate")
    client = lab.add_client(known=True)
    assert client.first_reply() is not None
    assert not list(directory.iterdir())


def test_cache_is_the_fetchers_alone(lab):
    """Two descriptors, and what --audit says of them; the files are root's."""
    pullgate = start(lab)
    files = {12: "peers.sqlite", 13: "peers.sqlite-wal"}
    for name, pid in pullgate.children().items():
        for number, file in files.items():
            target = os.readlink(f"/proc/{pid}/fd/{number}")
            assert target == (str(cache_directory(lab) / file) if name == "pullgate-fetcher"
                              else "/dev/null")
    for path in (cache_directory(lab), *cache_directory(lab).iterdir()):
        status = path.stat()
        assert (status.st_uid, status.st_mode & 0o077) == (0, 0)
    audit = subprocess.run([programs.BINARIES / "pullgate", "--audit", "-c", pullgate.configuration],
                           capture_output=True, text=True, check=False)
    print(audit.stdout)
    assert audit.returncode == 0
    assert "descriptor 12" in audit.stdout


def test_nothing_touches_the_disk_without_the_setting(lab):
    pullgate = start(lab, cache={"directory": None})
    client = lab.add_client(known=True)
    assert client.first_reply() is not None
    pid = pullgate.children()["pullgate-fetcher"]
    assert [os.readlink(f"/proc/{pid}/fd/{number}") for number in (12, 13)] == ["/dev/null"] * 2
    assert command.run("awk", "/Max file size/ {print $4, $5}", f"/proc/{pid}/limits") == "0 0\n"
    assert not cache_directory(lab).exists()
