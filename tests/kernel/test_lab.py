# SPDX-License-Identifier: ISC
"""The lab itself, proved with plain WireGuard and no pullgate."""

import json
import socket
import subprocess
import time

import pytest

from gatelab import addresses, configuration, hostile, packets, pullgate, waiting, wireguard
from gatelab.client import OUTSIDE
from gatelab.command import CommandFailed, run
from gatelab.waiting import wait_until

STRANGER = {4: "203.0.113.77", 6: "2001:db8:bad::77"}


def curl(lab, url, *words):
    """Status, protocol version and body of one GET from the gateway's namespace."""
    body, _, last = lab.gateway.namespace.run(
        "curl", "-sS", "--max-time", 30, "-w", "\n%{http_code} %{http_version} %{content_type}",
        *words, url).rpartition("\n")
    status, version, kind = last.split(" ", 2)
    return int(status), version, kind, body


@pytest.mark.wireguard
@pytest.mark.parametrize("endpoint", [4, 6])
@pytest.mark.parametrize("preshared", [False, True])
def test_static_peer_answers(lab, endpoint, preshared):
    key = wireguard.make_preshared_key() if preshared else None
    client = lab.add_client(endpoint_version=endpoint, preshared_key=key)
    lab.gateway.add_static_peer(client)
    assert client.first_reply(4) is not None
    assert client.first_reply(6) is not None
    assert client.ping(4) and client.ping(6)
    peer = lab.gateway.peers()[client.public_key]
    assert peer.latest_handshake > 0 and peer.received_bytes > 0
    assert peer.preshared_key == (key or "")
    assert set(peer.allowed_ips) == set(client.allowed_ips)
    assert addresses.url_host(client.outside[endpoint]) in peer.endpoint
    assert lab.gateway.interface.handshake_age(client.public_key) < 300


@pytest.mark.wireguard
def test_a_client_that_the_gateway_does_not_know_gets_no_answer(lab):
    client = lab.add_client()
    recorder = client.record()
    assert client.first_reply(deadline=2) is None
    assert len(recorder.initiations()) == 1
    assert not [datagram for datagram in recorder.datagrams() if not datagram.outgoing]
    assert not lab.gateway.peers()


@pytest.mark.wireguard
def test_a_client_says_nothing_by_itself(lab):
    client = lab.add_client()
    recorder = client.record()
    time.sleep(2)
    assert recorder.datagrams() == []


@pytest.mark.wireguard
def test_several_clients_at_once(lab):
    clients = [lab.add_client() for _ in range(5)]
    for client in clients:
        lab.gateway.add_static_peer(client)
    assert all(client.first_reply() is not None for client in clients)
    assert set(lab.gateway.peers()) == {client.public_key for client in clients}


@pytest.mark.wireguard
@pytest.mark.parametrize("endpoint", [4, 6])
def test_userspace_client(lab, endpoint):
    client = lab.add_client(kind="userspace", endpoint_version=endpoint)
    lab.gateway.add_static_peer(client)
    assert client.first_reply() is not None
    kind = client.namespace.run("ip", "-details", "link", "show", client.interface.name)
    assert " tun " in kind and "wireguard" not in kind
    assert lab.gateway.peers()[client.public_key].latest_handshake > 0


@pytest.mark.wireguard
@pytest.mark.netem
def test_latency_of_a_client_link(lab):
    client = lab.add_client(latency_ms=400)
    lab.gateway.add_static_peer(client)
    # One round trip for the handshake, one for the ping (and one for ARP).
    assert client.first_reply(pause=30) >= 0.8


@pytest.mark.netem
def test_latency_of_the_origin_link(make_lab):
    lab = make_lab(origin_latency_ms=300)
    with lab.gateway.namespace.inside():
        start = time.monotonic()
        socket.create_connection((addresses.ORIGIN[4], 8080), timeout=30).close()
    assert time.monotonic() - start >= 0.3


@pytest.mark.wireguard
def test_peers_change_behind_the_back(lab):
    client, other = lab.add_client(), lab.add_client()
    lab.gateway.add_static_peer(client)
    text = lab.gateway.interface.configuration()
    lab.gateway.add_static_peer(other)
    assert set(lab.gateway.peers()) == {client.public_key, other.public_key}
    lab.gateway.interface.sync_configuration(text)
    assert set(lab.gateway.peers()) == {client.public_key}
    lab.gateway.interface.remove_peer(client.public_key)
    assert lab.gateway.peers() == {}


@pytest.mark.wireguard
@pytest.mark.parametrize("version", [4, 6])
def test_a_recorded_initiation_connects_again_from_elsewhere(lab, version):
    """What eviction makes possible: the kernel has forgotten the initiation's timestamp."""
    client, replayer = lab.add_client(endpoint_version=version), lab.add_client()
    recorder = client.record()
    lab.gateway.add_static_peer(client)
    assert client.first_reply() is not None
    initiation, = recorder.initiations()
    assert initiation.source == client.outside[version]
    lab.gateway.interface.remove_peer(client.public_key)
    lab.gateway.add_static_peer(client)
    lab.gateway.route_to(f"{STRANGER[version]}", replayer)
    seen = replayer.record()
    replayer.raw_sender().replay(initiation, STRANGER[version], 4242)
    response, = seen.wait(lambda datagram: datagram.payload[:1] == b"\2", "the response")
    assert (response.destination, response.destination_port) == (STRANGER[version], 4242)
    assert STRANGER[version] in lab.gateway.peers()[client.public_key].endpoint


@pytest.mark.wireguard
def test_a_client_can_forget_its_session(lab):
    client = lab.add_client()
    lab.gateway.add_static_peer(client)
    recorder = client.record()
    assert client.first_reply() is not None
    assert client.first_reply() is not None
    assert len(recorder.initiations()) == 1
    client.forget_session()
    assert client.first_reply() is not None
    assert len(recorder.initiations()) >= 2


@pytest.mark.parametrize("version", [4, 6])
def test_raw_sender_chooses_its_source(lab, version):
    client = lab.add_client()
    recorder = packets.Recorder(lab.gateway.namespace, client.gateway_interface)
    with lab.gateway.namespace.inside():
        receiver = socket.socket(socket.AF_INET if version == 4 else socket.AF_INET6,
                                 socket.SOCK_DGRAM)
    receiver.bind((addresses.GATEWAY_OUTSIDE[version], 7000))
    receiver.settimeout(60)
    client.raw_sender().send(b"odd", STRANGER[version], 4242,
                             addresses.GATEWAY_OUTSIDE[version], 7000)
    # Arrived, so the checksums are right: an IPv6 packet with a wrong one is dropped.
    payload, source = receiver.recvfrom(100)
    assert payload == b"odd" and source[:2] == (STRANGER[version], 4242)
    datagram, = recorder.wait(lambda datagram: datagram.destination_port == 7000, "the datagram")
    assert not datagram.outgoing and datagram.payload == b"odd"
    receiver.close()
    recorder.close()


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("version", [4, 6])
def test_origin_answers(lab, scheme, version):
    known, revoked, unknown = (wireguard.public_key_of(wireguard.make_private_key())
                               for _ in range(3))
    lab.origin.add_peer(known, ["10.64.0.9/32"], "cHNr", 25, note="x")
    lab.origin.add_peer(revoked, ["10.64.0.8/32"])
    lab.origin.revoke_peer(revoked)
    options = ["--cacert", lab.origin.ca_file] if scheme == "https" else []

    def get(key):
        return curl(lab, lab.origin.url(scheme, version, wireguard.url_key(key)), *options)

    status, protocol, kind, body = get(known)
    assert (status, kind) == (200, "application/json")
    assert protocol == ("2" if scheme == "https" else "1.1")
    assert json.loads(body) == {"public_key": known, "allowed_ips": ["10.64.0.9/32"],
                                "preshared_key": "cHNr", "persistent_keepalive": 25, "note": "x"}
    assert get(revoked)[0] == 410
    assert get(unknown)[0] == 404
    request, = lab.origin.wait_requests(known)
    assert (request.method, request.status) == ("GET", 200)
    assert request.protocol == ("HTTP/2.0" if scheme == "https" else "HTTP/1.1")
    assert [request.status for request in lab.origin.wait_requests(count=3)] == [200, 410, 404]
    lab.origin.remove_peer(known)
    lab.origin.add_peer(revoked, ["10.64.0.8/32"])
    assert (get(known)[0], get(revoked)[0]) == (404, 200)


def test_origin_certificate_is_not_trusted_elsewhere(lab):
    with pytest.raises(CommandFailed, match="certificate"):
        curl(lab, lab.origin.url("https", 4, "x"))
    url = lab.origin.url("https", 4, "x").replace(addresses.ORIGIN[4], "control.example.net")
    assert curl(lab, url, "--cacert", lab.origin.ca_file, "--resolve",
                f"control.example.net:8443:{addresses.ORIGIN[4]}")[0] == 404


def test_origin_stops_and_starts_with_other_headers(lab):
    lab.origin.add_body("A" * 43 + "=", b"\xff not json")
    lab.origin.stop()
    with pytest.raises(CommandFailed):
        curl(lab, lab.origin.url(key="A" * 43))
    lab.origin.start(server_lines='add_header Cache-Control "max-age=7";')
    assert "max-age=7" in lab.gateway.namespace.run("curl", "-sSi", lab.origin.url(key="A" * 43),
                                                    "-o", "/dev/null", "-D", "-")


def test_hostile_origin(lab):
    wrong = lab.add_hostile_origin(hostile.answer('{"public_key": "other"}', "200 OK"))
    assert curl(lab, wrong.url("x"))[3] == '{"public_key": "other"}'
    assert wrong.paths == ["/peer/x"]
    wrong.behave = hostile.silence()
    with pytest.raises(CommandFailed, match="timed out"):
        curl(lab, wrong.url("y"), "--max-time", 2)
    for announced in (True, False):
        wrong.behave = hostile.endless(announced=announced)
        with pytest.raises(CommandFailed, match="maximum|exceeded|larger|status 23|Failed"):
            lab.gateway.namespace.run("bash", "-c", "set -o pipefail; curl -sS --max-time 30 "
                                      f"{wrong.url('z')} | head -c 2000000 >/dev/null")


def test_namespaces_and_processes_go_away(make_lab):
    lab = make_lab()
    client = lab.add_client()
    process = client.namespace.popen("sleep", 1000)
    wait_until(lambda: process.pid in client.namespace.pids(), "the process to be inside")
    names = [lab.gateway.namespace.name, lab.origin.namespace.name, client.namespace.name]
    assert set(names) <= set(run("ip", "netns", "list").split())
    directory = lab.directory
    lab.close()
    assert not set(names) & set(run("ip", "netns", "list").split())
    assert process.wait(30) == -9 and not directory.exists()
    lab.close()


def test_configuration_is_rendered():
    sections = configuration.merge(configuration.defaults("http://a/{key}"), {
        "gateway": {"connect": "retry"}, "origin": {"timeout": "1s", "insecure_http": None},
        "cache": {"negative_ttl": "1s"}})
    assert configuration.render(sections) == (
        "[gateway]\ninterface = wg0\nconnect = retry\n\n"
        "[origin]\nurl = http://a/{key}\ntimeout = 1s\n\n"
        "[policy]\nallowed_ips = 10.64.0.0/10, fd64::/32\n\n[cache]\nnegative_ttl = 1s\n")


def test_log_lines_are_parsed():
    event = pullgate.parse_event('pullgate-fetcher level=info event=answer id=7 reason="a \\"b\\""')
    assert (event.process, event.name) == ("pullgate-fetcher", "answer")
    assert event.fields == {"level": "info", "id": "7", "reason": 'a \\"b\\"'}
    assert pullgate.parse_event("<4>pullgate event=x").process == "pullgate"
    assert pullgate.parse_event("Segmentation fault").name == ""


def test_interfaces_of_the_lab_are_where_they_belong(lab):
    client = lab.add_client()
    assert client.namespace.link(OUTSIDE)["operstate"] == "UP"
    assert lab.gateway.namespace.link(client.gateway_interface)["operstate"] == "UP"
    assert subprocess.run(["ip", "link", "show", client.gateway_interface], check=False,
                          capture_output=True).returncode != 0


STAND_IN = """\
#!/bin/bash
trap 'echo "pullgate level=notice event=reloaded" >&2' HUP
trap 'echo "pullgate level=notice event=stopped" >&2; kill $child; exit 3' TERM
sleep 1000 & child=$!
echo "pullgate level=notice event=ready configuration=$2" >&2
while true; do wait $child; done
"""


def test_a_daemon_is_started_watched_and_stopped(lab, monkeypatch):
    """With a stand-in that logs as pullgate does: the lab must not need pullgate to be proved."""
    stand_in = lab.directory / "bin" / "pullgate"
    stand_in.parent.mkdir()
    stand_in.write_text(STAND_IN, encoding="ascii")
    stand_in.chmod(0o755)
    monkeypatch.setattr(pullgate, "BINARIES", stand_in.parent)
    daemon = lab.gateway.start_pullgate(gateway={"connect": "retry"})
    path = daemon.find("ready")[0].fields["configuration"]
    with open(path, encoding="utf-8") as file:
        assert "connect = retry" in file.read()
    assert list(daemon.children()) == ["sleep"]
    place = daemon.mark()
    with pytest.raises(waiting.Late, match="event=reloaded"):
        daemon.wait_event("reloaded", deadline=0.2)
    daemon.reload()
    assert daemon.wait_event("reloaded", since=place, process="pullgate", level="notice")
    assert lab.gateway.stop_pullgate() == 3
    assert daemon.find("stopped") and not daemon.find("ready", since=place)
    assert lab.gateway.namespace.pids() == []
    with pytest.raises(waiting.Late, match="pullgate ended"):
        daemon.wait_event("never")
