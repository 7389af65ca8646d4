# SPDX-License-Identifier: ISC
"""The configurations of docs/examples do what docs/origin.md says: real nginx, with the very files.

Only paths are put in the place of theirs.
"""

import contextlib
import json
import re
import socket
import ssl
import threading
import time

import pytest

from gatelab import addresses, ping, wireguard
from gatelab.control_plane import ControlPlane
from gatelab.example import Example
from gatelab.waiting import wait_until

with_wireguard = pytest.mark.wireguard

# As the examples have it, and some more, so that time is surely over.
KEPT = 10
KEPT_404 = 1
PATIENCE = 180
NOBODY = wireguard.public_key_of(wireguard.make_private_key())


class Answer:
    """What curl(1) got, its line ends made plain: status, fields (names in small letters), body."""

    def __init__(self, text):
        head, _, self.body = text.partition("\n\n")
        status_line, *lines = head.split("\n")
        self.version, self.status = status_line.split()[0], int(status_line.split()[1])
        self.fields = {name.lower(): value for name, value in
                       (line.split(": ", 1) for line in lines)}


def get(lab, example, path, *options):
    """Asks as a gateway would, in its place; a key is asked for as its path."""
    if not path.startswith("/"):
        path = f"/peer/{wireguard.url_key(path)}"
    return Answer(lab.gateway.namespace.run(
        "curl", "-sS", "-i", "--path-as-is", "--http1.1", "--cacert", example.ca_file, *options,
        f"https://{addresses.ORIGIN[4]}{path}"))


def pipeline(lab, example, path, count):
    """The statuses of so many requests that are sent without a pause."""
    context = ssl.create_default_context(cafile=example.ca_file)
    request = f"GET {path} HTTP/1.1\r\nHost: x\r\n"
    with lab.gateway.namespace.inside():
        connection = socket.create_connection((addresses.ORIGIN[4], 443), timeout=60)
    with context.wrap_socket(connection, server_hostname=addresses.ORIGIN[4]) as secured:
        secured.sendall((f"{request}\r\n" * (count - 1) + f"{request}Connection: close\r\n\r\n").encode())
        received = b"".join(iter(lambda: secured.recv(65536), b""))
    return [int(status) for status in re.findall(rb"HTTP/1\.1 (\d{3}) ", received)]


def connect(lab, client):
    assert client.first_reply() is not None
    return lab.gateway.peers()[client.public_key]


# Files


class Files:
    """The peers' files, and the nginx that serves them."""

    def __init__(self, lab):
        self.root = lab.directory / "srv"
        for name in ("peer", "gone"):
            (self.root / name).mkdir(parents=True)
        self.nginx = Example(lab.origin.namespace, lab.directory / "files", "nginx-files.conf",
                             {"/srv/pullgate": self.root})
        self.certificate, self.key = self.nginx.gateways.issue("gateway", usage="clientAuth")
        self.options = ("--cert", self.certificate, "--key", self.key)
        self.settings = {"ca_file": self.nginx.ca_file, "client_cert_file": self.certificate,
                         "client_key_file": self.key}

    def _file(self, folder, public_key):
        return self.root / folder / wireguard.url_key(public_key)

    def add_peer(self, public_key, allowed_ips):
        new = self.root / "new"
        new.write_text(json.dumps({"public_key": public_key, "allowed_ips": allowed_ips}))
        new.rename(self._file("peer", public_key))

    def remove_peer(self, public_key):
        self._file("peer", public_key).unlink()

    def revoke_peer(self, public_key):
        self._file("gone", public_key).touch()


@pytest.fixture
def files(lab):
    serving = Files(lab)
    serving.nginx.start()
    yield serving
    serving.nginx.stop()


def test_files_as_the_contract_has_them(lab, files):
    files.add_peer(NOBODY, ["10.64.0.9/32"])
    found = get(lab, files.nginx, NOBODY, *files.options)
    assert (found.status, json.loads(found.body)["public_key"]) == (200, NOBODY)
    assert found.fields["content-type"] == "application/json"
    assert found.fields["cache-control"] == "max-age=60, stale-if-error=86400"
    tag = found.fields["etag"]
    same = get(lab, files.nginx, NOBODY, *files.options, "-H", f"If-None-Match: {tag}")
    assert (same.status, same.body) == (304, "")
    assert same.fields["cache-control"] == found.fields["cache-control"]
    files.add_peer(NOBODY, ["10.64.0.9/32", "10.64.0.10/32"])
    assert get(lab, files.nginx, NOBODY, *files.options, "-H", f"If-None-Match: {tag}").status == 200
    files.revoke_peer(NOBODY)
    gone = get(lab, files.nginx, NOBODY, *files.options)
    assert gone.status == 410 and "cache-control" not in gone.fields
    files.remove_peer(NOBODY)
    assert get(lab, files.nginx, NOBODY, *files.options).status == 410


def test_files_of_nobody_else(lab, files):
    files.add_peer(NOBODY, ["10.64.0.9/32"])
    name = wireguard.url_key(NOBODY)
    for path in ("/", "/peer/", f"/peer/{name[:-1]}", f"/peer/{name}/", "/peer/../new", "/gone/",
                 f"/peer/%2e%2e/peer/{name}x", f"/gone/{name}"):
        assert get(lab, files.nginx, path, *files.options).status == 404, path


def test_files_over_http_2(lab, files):
    files.add_peer(NOBODY, ["10.64.0.9/32"])
    found = get(lab, files.nginx, NOBODY, *files.options, "--http2")
    assert (found.version, found.status) == ("HTTP/2", 200)


@with_wireguard
def test_files_serve_gateways(lab, files):
    """Known keys connect, one that isn't doesn't; what is taken back or changes does in time."""
    stays, revoked, removed, unknown = (lab.add_client() for _ in range(4))
    for client in (stays, revoked, removed):
        files.add_peer(client.public_key, client.allowed_ips)
    pullgate = lab.gateway.start_pullgate(files.nginx.url, arguments=["-v"], origin=files.settings)
    before = connect(lab, stays)
    connect(lab, revoked)
    connect(lab, removed)
    assert pullgate.find("response", http="2", status=200)
    assert unknown.first_reply(deadline=7) is None
    pullgate.wait_event("outcome", key=unknown.public_key, result="absent")
    files.add_peer(stays.public_key, [*stays.allowed_ips, "10.65.0.0/24"])
    files.revoke_peer(revoked.public_key)
    files.remove_peer(removed.public_key)
    with contextlib.closing(ping.Steady(stays.namespace, addresses.GATEWAY_INSIDE[4])) as pings:
        pullgate.wait_event("removed", key=revoked.public_key, reason="revoked", deadline=PATIENCE)
        pullgate.wait_event("removed", key=removed.public_key, reason="absent", deadline=PATIENCE)
        pullgate.wait_event("updated", key=stays.public_key, deadline=PATIENCE)
        sent, lost = pings.stop()
    print(f"{sent} pings, {lost} lost")
    peers = lab.gateway.peers()
    assert set(peers) == {stays.public_key}
    assert "10.65.0.0/24" in peers[stays.public_key].allowed_ips
    assert peers[stays.public_key].endpoint == before.endpoint
    assert lost == 0
    assert not revoked.ping()
    # A key that is made later connects: its 404 is over by then.
    files.add_peer(unknown.public_key, unknown.allowed_ips)
    connect(lab, unknown)
    # Without a change a renewal costs no body.
    pullgate.wait_event("response", key=stays.public_key, status=304, deadline=PATIENCE)


@with_wireguard
@pytest.mark.parametrize("certificate", ["no certificate", "a stranger's certificate"])
def test_files_refuse_strangers(lab, files, certificate):
    client = lab.add_client()
    files.add_peer(client.public_key, client.allowed_ips)
    settings = {"ca_file": files.nginx.ca_file}
    if certificate != "no certificate":
        stranger = type(files.nginx.gateways)(lab.directory / "stranger")
        own = stranger.issue("gateway", usage="clientAuth")
        settings |= {"client_cert_file": own[0], "client_key_file": own[1]}
    pullgate = lab.gateway.start_pullgate(files.nginx.url, arguments=["-v"], origin=settings)
    assert client.first_reply(deadline=3) is None
    pullgate.wait_event("credentials_refused")
    assert not lab.gateway.peers()


# A caching proxy


class Proxy:
    """The caching nginx, and a control plane behind it whose answers are good for 5 s."""

    def __init__(self, lab):
        self.lab = lab
        self.log = lab.directory / "pullgate-access.log"
        self.nginx = Example(lab.origin.namespace, lab.directory / "proxy", "nginx-cache.conf",
                             {"/var/cache/nginx/pullgate": lab.directory / "cache",
                              "/var/log/nginx/pullgate.log": self.log})
        self.origin = ControlPlane(lab.origin.namespace, "max-age=5")
        self.origin.start()
        self.nginx.start()

    def get(self, public_key, *options):
        return get(self.lab, self.nginx, public_key, *options)

    def lines(self, public_key):
        """(status, cache status) of each answer for that key so far."""
        path = f"/peer/{wireguard.url_key(public_key)}"
        words = (line.split() for line in self.log.read_text().splitlines())
        return [(int(line[2]), line[3]) for line in words if line[-1] == path]

    def wait_line(self, public_key, status, cached, since=0):
        wait_until(lambda: (status, cached) in self.lines(public_key)[since:],
                   f"{status} {cached} in the proxy's log", PATIENCE)

    def close(self):
        self.origin.may_answer.set()
        self.nginx.stop()
        self.origin.stop()


@pytest.fixture
def proxy(lab):
    serving = Proxy(lab)
    yield serving
    serving.close()


def ask_at_once(proxy, public_key):
    """The statuses that two gateways get for a key that the proxy doesn't know."""
    proxy.origin.add_peer(public_key, ["10.64.0.9/32"])
    proxy.origin.may_answer.clear()
    statuses = []
    both = [threading.Thread(target=lambda: statuses.append(proxy.get(public_key).status))
            for _ in range(2)]
    for one in both:
        one.start()
    wait_until(lambda: proxy.origin.asked(public_key), "a request at the control plane")
    time.sleep(0.3)  # the other one waits by now, or comes later and finds the answer
    proxy.origin.may_answer.set()
    for one in both:
        one.join()
    return statuses


def test_proxy_asks_once_for_two(proxy):
    """On a machine that sleeps for longer than the proxy waits, again."""
    for _ in range(10):
        key = wireguard.public_key_of(wireguard.make_private_key())
        if ask_at_once(proxy, key) == [200, 200]:
            break
    assert len(proxy.origin.asked(key)) == 1


def test_proxy_revalidates(proxy):
    """However long the gateways may keep it."""
    proxy.origin.cache_control = "max-age=3600"
    proxy.origin.add_peer(NOBODY, ["10.64.0.9/32"])
    first = proxy.get(NOBODY)
    assert first.fields["cache-control"] == "max-age=3600"
    tag = first.fields["etag"]
    assert proxy.get(NOBODY, "-H", f"If-None-Match: {tag}").status == 304
    time.sleep(KEPT + 1)
    assert proxy.get(NOBODY).body == first.body
    first, *later = [request.status for request in proxy.origin.asked(NOBODY)]
    assert (first, set(later)) == (200, {304})


def test_proxy_lets_an_end_to_end_request_through(proxy):
    proxy.origin.add_peer(NOBODY, ["10.64.0.9/32"])
    first = proxy.get(NOBODY)
    conditions = ("-H", "Cache-Control: no-cache", "-H", f"If-None-Match: {first.fields['etag']}")
    assert proxy.get(NOBODY, *conditions).status == 304
    proxy.origin.revoke_peer(NOBODY)
    assert proxy.get(NOBODY, *conditions).status == 410
    assert proxy.lines(NOBODY)[1:] == [(304, "BYPASS"), (410, "BYPASS")]
    assert proxy.get(NOBODY).status == 410


def test_proxy_is_stale_rather_than_dead(proxy):
    proxy.origin.add_peer(NOBODY, ["10.64.0.9/32"])
    proxy.get(NOBODY)
    time.sleep(KEPT + 1)
    proxy.origin.may_answer.clear()
    assert proxy.get(NOBODY).status == 200  # it is too slow
    proxy.origin.may_answer.set()
    proxy.origin.stop()
    assert proxy.get(NOBODY).status == 200
    assert proxy.lines(NOBODY)[1:] == [(200, "STALE")] * 2
    other = wireguard.public_key_of(wireguard.make_private_key())
    assert proxy.get(other).status == 502


@pytest.mark.parametrize("status", [404, 410])
def test_proxy_revives_nobody(lab, proxy, status):
    """Nor does what it kept of before, when the control plane dies behind its last word."""
    proxy.origin.add_peer(NOBODY, ["10.64.0.9/32"])
    proxy.get(NOBODY)
    (proxy.origin.revoke_peer if status == 410 else proxy.origin.remove_peer)(NOBODY)
    time.sleep(KEPT + 1)
    assert proxy.get(NOBODY).status == status
    proxy.origin.stop()
    time.sleep(KEPT_404 + 1)
    assert proxy.get(NOBODY).status == status


def test_proxy_knows_a_new_key_soon(proxy):
    assert proxy.get(NOBODY).status == 404
    proxy.origin.add_peer(NOBODY, ["10.64.0.9/32"])
    time.sleep(KEPT_404 + 1)
    assert proxy.get(NOBODY).status == 200


def test_proxy_limits_what_the_control_plane_bears(lab, proxy):
    """A burst of a hundred at once, a hundred a second behind it."""
    proxy.origin.add_peer(NOBODY, ["10.64.0.9/32"])
    proxy.get(NOBODY)
    said = pipeline(lab, proxy.nginx, f"/peer/{wireguard.url_key(NOBODY)}", 400)
    assert len(said) == 400
    assert said[:100] == [200] * 100
    assert set(said) == {200, 429}
    assert len(proxy.origin.requests) < 100


@with_wireguard
def test_proxy_serves_gateways(lab, proxy):
    stays, revoked, later, unknown, new = (lab.add_client() for _ in range(5))
    for client in (stays, revoked, later):
        proxy.origin.add_peer(client.public_key, client.allowed_ips)
    pullgate = lab.gateway.start_pullgate(
        proxy.nginx.url, arguments=["-v"], origin={"ca_file": proxy.nginx.ca_file},
        cache={"min_revalidate": "1s"})
    before = connect(lab, stays)
    connect(lab, revoked)
    assert unknown.first_reply(deadline=3) is None
    pullgate.wait_event("outcome", key=unknown.public_key, result="absent")
    # Within its 10 s the proxy answers renewals by itself; then it asks, conditionally.
    proxy.wait_line(stays.public_key, 304, "HIT")
    wait_until(lambda: any(request.status == 304 for request in proxy.origin.asked(stays.public_key)),
               "a conditional request at the control plane", PATIENCE)
    assert len(proxy.lines(stays.public_key)) > len(proxy.origin.asked(stays.public_key))
    proxy.origin.add_peer(stays.public_key, [*stays.allowed_ips, "10.65.0.0/24"])
    pullgate.wait_event("updated", key=stays.public_key, deadline=PATIENCE)
    proxy.origin.revoke_peer(revoked.public_key)
    pullgate.wait_event("removed", key=revoked.public_key, reason="revoked", deadline=PATIENCE)
    # The control plane dies: what the proxy knows goes on, for clients that are new here too.
    proxy.get(later.public_key)
    proxy.origin.stop()
    time.sleep(KEPT + 1)
    proxy.wait_line(stays.public_key, 304, "STALE")
    connect(lab, later)
    proxy.wait_line(later.public_key, 200, "STALE")
    assert new.first_reply(deadline=3) is None
    pullgate.wait_event("outcome", key=new.public_key, result="failed")
    assert not revoked.ping()
    assert set(lab.gateway.peers()) == {stays.public_key, later.public_key}
    assert lab.gateway.peers()[stays.public_key].endpoint == before.endpoint
    # It comes back, and has forgotten one.
    proxy.origin.remove_peer(later.public_key)
    proxy.origin.start()
    pullgate.wait_event("removed", key=later.public_key, reason="absent", deadline=PATIENCE)
    assert set(lab.gateway.peers()) == {stays.public_key}
    asked = [request for request in proxy.origin.asked(later.public_key) if request.status == 404]
    print(f"{len(asked)} times 404 at the control plane before it went, "
          f"{sum('no-cache' in request.fields.values() for request in asked)} of them end to end")
