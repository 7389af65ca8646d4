# SPDX-License-Identifier: ISC
"""A fetcher and a capture that were taken over, against the real others on a real kernel.

Each test keeps two tunnels pinging throughout, one of a static peer and one of a pulled one, and
ends with an honest client that must be served. PULLGATE_FULL=1 sends a million messages and ten
thousand demands instead of the numbers below.
"""

import base64
import os
import re
import time
from pathlib import Path

import pytest

from gatelab import addresses, initiation, messages, ping, wireguard
from gatelab.messages import ABSENT, ID_AT, REVOKED, Raw, encode, key_bytes
from gatelab.takeover import Script, Takeover

pytestmark = pytest.mark.wireguard

FULL = os.environ.get("PULLGATE_FULL") == "1"
MESSAGES = 1_000_000 if FULL else 100_000
DEMANDS = 10_000 if FULL else 400
MAX_PEERS = 150  # so few that they are reached long before the first may yield to others, 6 s
PATIENCE = 1800 if FULL else 300

LOW_ORDER = bytes(32)
STALE_ID = 1 << 40


def make_key():
    return wireguard.public_key_of(wireguard.make_private_key())


class Siege:
    """A gateway with a static and an established peer, both pinging."""

    def __init__(self, lab, **changes):
        self.lab = lab
        self.takeover = Takeover(lab)
        self.static = lab.add_client()
        lab.gateway.add_static_peer(self.static)
        self.pullgate = lab.gateway.start_pullgate(binaries=self.takeover.directory, **changes)
        self.established = lab.add_client(known=True)
        for client in (self.static, self.established):
            assert client.first_reply() is not None
        self.inhabitants = {self.static.public_key, self.established.public_key}
        self.before = self._inhabitants()
        self.steady = [ping.Steady(client.namespace, addresses.GATEWAY_INSIDE[4])
                       for client in (self.static, self.established)]
        self.pid = self.pullgate.children()["pullgate-installer"]

    def _inhabitants(self):
        peers = self.lab.gateway.peers()
        return {key: (peers[key].allowed_ips, peers[key].preshared_key, peers[key].endpoint)
                for key in self.inhabitants}

    def said(self, word, **fields):
        return self.pullgate.wait_event("script", said=word, deadline=PATIENCE, **fields)

    def installed(self):
        """Whatever pullgate ever installed beside the established peer."""
        return {event.fields["key"] for event in self.pullgate.find("installed")} - self.inhabitants

    def dropped(self, **fields):
        """Waits for the line that has counted so much; it is said every 10 s at most."""
        since, end = 0, time.monotonic() + PATIENCE
        while time.monotonic() < end:
            event = self.pullgate.wait_event("dropped", since=since, process="pullgate-installer")
            if all(int(event.fields[name]) >= number for name, number in fields.items()):
                return event.text
            since = self.pullgate.events.index(event) + 1
        raise AssertionError(f"no line dropped with {fields}")

    def initiate(self, client, private_key):
        client.raw_sender().send(initiation.make(self.lab.gateway.public_key, private_key),
                                 client.outside[4], 4500, addresses.GATEWAY_OUTSIDE[4],
                                 addresses.LISTEN_PORT)

    def end(self, allowed=(), honest=True):
        """The siege is over: who lived here still does, nobody else came in, a guest is served."""
        guests = set()
        if honest:
            guest = self.lab.add_client(known=True)
            assert guest.first_reply() is not None
            guests.add(guest.public_key)
        for steady in self.steady:
            sent, lost = steady.stop()
            print(f"  pings of an established tunnel: {sent} sent, {lost} lost")
            assert sent > 5 and lost == 0
        assert self._inhabitants() == self.before
        strangers = set(self.lab.gateway.peers()) - self.inhabitants - guests - set(allowed)
        assert not strangers
        assert not self.installed() - guests - set(allowed)
        assert self.pullgate.children()["pullgate-installer"] == self.pid


@pytest.fixture
def besiege(lab):
    sieges = []

    def make(**changes):
        sieges.append(Siege(lab, **changes))
        return sieges[-1]

    yield make
    for siege in sieges:
        for steady in siege.steady:
            steady.close()


def answers_without_tickets(siege, others_key):
    """Answers that nobody waits for: found ones, and revocations of all who are there."""
    gateway = siege.lab.gateway.public_key
    yield "a key that nobody demanded", messages.peer(make_key(), ["10.64.9.1/32"])
    yield "another interface's key", messages.peer(others_key, ["10.64.9.2/32"])
    yield "the gateway's own key", messages.peer(gateway, ["10.64.9.3/32"])
    yield "a low-order key", messages.peer(LOW_ORDER, ["10.64.9.4/32"])
    for key in siege.inhabitants:
        yield "an inhabitant, configured anew", messages.peer(key, ["10.64.9.5/32"])
        yield "an inhabitant, revoked", messages.peer(key, answer=REVOKED)
        yield "an inhabitant, absent", messages.peer(key, answer=ABSENT)


def answers_with_tickets(siege):
    """Answers to demands of ours that the policy must refuse."""
    yield "a prefix outside of the policy", {"allowed_ips": ["192.168.1.1/32"]}
    yield "a default route", {"allowed_ips": ["0.0.0.0/0"]}
    yield "an IPv6 default route", {"allowed_ips": ["::/0"]}
    yield "more than the policy's network", {"allowed_ips": ["10.0.0.0/8"]}
    yield "too many allowed IPs", {"allowed_ips": [f"10.64.8.{i}/32" for i in range(9)]}
    yield "no allowed IPs", {"allowed_ips": []}
    yield "allowed IPs of an installed peer", {"allowed_ips": siege.established.allowed_ips[:1]}
    yield "a network around an installed peer's", {"allowed_ips": ["10.64.0.0/24"]}
    yield "allowed IPs of a static peer", {"allowed_ips": siege.static.allowed_ips[:1]}
    yield "another public key", {"allowed_ips": ["10.64.9.6/32"], "public_key": make_key()}
    yield "an inhabitant's public key", {"allowed_ips": ["10.64.9.7/32"],
                                         "public_key": siege.established.public_key}


def test_fetcher_that_lies(besiege, lab):
    """What has no ticket is dropped and counted; what has one must pass the policy."""
    siege = besiege()
    other = make_key()
    lab.gateway.namespace.ip("link add wg1 type wireguard")
    lab.gateway.namespace.run("wg", "set", "wg1", "peer", other, "allowed-ips", "10.64.9.2/32")
    client = lab.add_client()
    script = Script()
    loose = list(answers_without_tickets(siege, other))
    for _, message in loose:
        script.send("installer", message)
    bound = []
    for what, answer in answers_with_tickets(siege):
        private_key = wireguard.make_private_key()
        bound.append((what, private_key))
        key = wireguard.public_key_of(private_key)
        script.step("await", key_bytes(key).hex())
        script.send("installer", messages.peer(key, **answer), id_at=ID_AT)
    # One whose demand is answered with a stale id, and then twice with the right one.
    private_key = wireguard.make_private_key()
    twice = wireguard.public_key_of(private_key)
    script.step("await", key_bytes(twice).hex())
    script.send("installer", messages.peer(twice, ["10.64.9.8/32"], identifier=STALE_ID))
    script.send("installer", messages.peer(twice, ["10.64.9.9/32"]), id_at=ID_AT)
    script.send("installer", messages.peer(twice, ["10.64.9.10/32"]), id_at=ID_AT)
    script.send("installer", messages.peer(twice, answer=REVOKED), id_at=ID_AT)
    script.say("done").step("idle")
    siege.takeover.seize("fetcher", script)
    # A source may send 20 at once.
    for _, key in [*bound, ("twice", private_key)]:
        siege.initiate(client, key)
    siege.said("done")
    print(siege.dropped(without_ticket=len(loose) + 3, rejected=len(bound)))
    for (what, key) in bound:
        assert siege.pullgate.find("rejected", key=wireguard.public_key_of(key)), what
    assert lab.gateway.peers()[twice].allowed_ips == ("10.64.9.9/32",)
    siege.takeover.release("fetcher")
    siege.end(allowed=[twice])
    print(f"  {len(loose)} answers without a ticket, {len(bound)} against the policy, 3 with a used "
          "or stale one: none installed")


def test_capture_that_demands_the_fleet(besiege, lab):
    """Keys that may never be installed, then more of the fleet than may wait for a handshake."""
    siege = besiege(eviction={"max_peers": MAX_PEERS}, origin={"requests": "100000/s"})
    forbidden = [lab.gateway.public_key, base64.b64encode(LOW_ORDER).decode(), siege.static.public_key]
    fleet = [make_key() for _ in range(DEMANDS)]
    lab.origin.add_peer(siege.static.public_key, siege.static.allowed_ips)
    for number, key in enumerate([*forbidden[:2], *fleet]):
        lab.origin.add_peer(key, [f"10.65.{number >> 8}.{number & 255}/32"])
    script = Script()
    for number, key in enumerate([*forbidden, siege.established.public_key, *fleet], 1):
        script.send("installer", messages.demand(key, number))
        script.send("fetcher", messages.lookup(key, number))
        if number % 100 == 0:
            script.step("pause", 300)  # within the tickets' lives, the origin must keep up
    script.say("done").step("idle")
    siege.takeover.seize("capture", script)
    siege.said("done")
    siege.dropped(no_room=1)
    most = 0
    for _ in range(20):
        most = max(most, len(lab.gateway.peers()))
        time.sleep(0.1)
    unconfirmed = siege.installed()
    assert not unconfirmed & set(forbidden)
    assert len(unconfirmed) >= MAX_PEERS - 1
    assert most <= MAX_PEERS + 1  # with the static one
    siege.takeover.release("capture")
    siege.end(allowed=fleet)
    print(f"  {DEMANDS} demands for real keys: {len(unconfirmed)} installed, at most {most} peers "
          "at a time")


def test_flood_of_messages(besiege, lab):
    """Both at once: answers and demands, as fast as the installer takes them."""
    siege = besiege()
    started = time.monotonic()
    share = MESSAGES // 5
    answers = Script().send("installer", messages.peer(make_key(), ["10.64.9.1/32"]), 2 * share)
    demands = Script().send("installer", messages.demand(make_key(), 1), 2 * share)
    demands.send("fetcher", messages.lookup(make_key(), 1), share)
    answers.say("done")
    demands.say("done")
    siege.takeover.seize("fetcher", answers)
    siege.takeover.seize("capture", demands)
    siege.said("done", process="pullgate-fetcher")
    siege.said("done", process="pullgate-capture")
    took = time.monotonic() - started
    print(siege.dropped(without_ticket=2 * share))
    lines = len(siege.pullgate.events)
    assert lines < 2000 + MESSAGES // 100
    assert not siege.installed()
    for role in ("fetcher", "capture"):
        siege.takeover.release(role)
    siege.end()
    print(f"  {5 * share} messages in {took:.0f} s, {lines} lines in the log")


DEMAND = messages.demand(bytes(range(32)), 1)
LOOKUP = messages.lookup(bytes(range(32)), 1)
PEER = messages.peer(bytes(range(32)), ["10.64.9.1/32"])
CONNECT = messages.connect(7)


def replaced(message, old, new):
    assert message.count(old) == 1
    return message.replace(old, new)


# What an honest process can never send: (sender, receiver, what, bytes).
BROKEN = [
    ("fetcher", "installer", "nothing", b""),
    ("fetcher", "installer", "PEER truncated", PEER[:-1]),
    ("fetcher", "installer", "PEER extended", PEER + b"\0"),
    ("fetcher", "installer", "PEER with text for an id",
     messages.peer(bytes(32), answer=ABSENT, identifier="7")),
    ("fetcher", "installer", "PEER with a key of 31 bytes",
     messages.peer(bytes(31), answer=ABSENT)),
    ("fetcher", "installer", "PEER with a number beyond its limit",
     messages.peer(bytes(32), answer=4)),
    ("fetcher", "installer", "PEER with 65 prefixes",
     messages.peer(bytes(32), 65 * ["10.64.9.1/32"])),
    ("fetcher", "installer", "an unknown number", encode(99, 1)),
    ("fetcher", "connector", "CONNECT truncated", CONNECT[:-1]),
    ("fetcher", "installer", "OUTCOME, which is not the fetcher's",
     encode("OUTCOME", 1, bytes(32), 0, 0)),
    ("fetcher", "installer", "an array of 2^32 elements", b"\xdd\xff\xff\xff\xff\x10"),
    ("fetcher", "installer", "PEER with an array in it",
     messages.peer(bytes(32), answer=ABSENT, identifier=Raw(b"\x91\x01"))),
    ("fetcher", "installer", "60,000 bytes", bytes(60000)),
    ("fetcher", "capture", "anything at all", LOOKUP),
    ("fetcher", "connector", "CONNECT extended", CONNECT + b"\0"),
    ("fetcher", "supervisor", "DEVICE, which is not the fetcher's", encode("DEVICE", 1, 51820)),
    ("capture", "installer", "nothing", b""),
    ("capture", "installer", "DEMAND truncated", DEMAND[:-1]),
    ("capture", "installer", "DEMAND extended", DEMAND + b"\0"),
    ("capture", "installer", "DEMAND with an address of family 9",
     replaced(DEMAND, messages.address("198.18.0.9"), b"\x09" + bytes(16))),
    ("capture", "installer", "a number alone", encode("DEMAND")),
    ("capture", "fetcher", "LOOKUP truncated", LOOKUP[:-1]),
    ("capture", "fetcher", "LOOKUP extended", LOOKUP + b"\0"),
    ("capture", "installer", "REMOVED, which is not capture's", encode("REMOVED", bytes(32))),
    ("capture", "installer", "KNOWN, which is not capture's", encode("KNOWN", 0, bytes(32))),
    ("capture", "installer", "5,121 bytes", DEMAND.ljust(5121, b"\0")),
    ("capture", "fetcher", "PEER, which is not capture's", PEER),
    ("capture", "fetcher", "nothing", b""),
    ("capture", "supervisor", "OFFENCE truncated", encode("OFFENCE", 2)[:-1]),
    ("capture", "supervisor", "an unknown number", encode(0)),
]


@pytest.mark.parametrize("name, message", [("DEMAND", DEMAND), ("LOOKUP", LOOKUP), ("PEER", PEER),
                                           ("CONNECT", CONNECT)])
def test_messages_have_the_fields_of_the_table(name, message):
    """What is broken must be broken by what the row says, not because the table has changed."""
    table = (Path(__file__).parents[2] / "common" / "message_table.h").read_text(encoding="utf-8")
    definition = re.search(rf"^#define MESSAGE_{name}\(F\)(.*?)(?<!\\)\n", table, re.M | re.S)
    assert message[0] == 0x91 + len(re.findall(r"\bF\(", definition.group(1)))
    assert message[1] == messages.NUMBERS[name]


@pytest.mark.parametrize("half", [0, 1])
def test_broken_messages(besiege, half):
    """Each is an offence: its sender is killed and started afresh, and its receiver goes on.

    Two halves, for a child that ends often is restarted ever later.
    """
    siege = besiege()
    counts = {}
    for role in ("fetcher", "capture"):
        cases = [case for case in BROKEN if case[0] == role]
        cases = cases[:len(cases) // 2] if half == 0 else cases[len(cases) // 2:]
        mark = siege.pullgate.mark()
        siege.takeover.seize(role, *(Script().send(receiver, message).step("idle")
                                     for _, receiver, _, message in cases))
        # Each start takes one script; behind the last one the process is honest.
        siege.pullgate.wait_event("child_restarted", since=mark, role=role, count=len(cases) + 1)
        for receiver in {case[1] for case in cases}:
            number = sum(case[1] == receiver for case in cases)
            name = "child_misbehaved" if receiver == "supervisor" else "offender_killed"
            found = siege.pullgate.find(name, since=mark, role=role)
            if receiver != "supervisor":
                found = [event for event in found if event.fields["reported_by"] == receiver]
            assert len(found) == number, (role, receiver)
            counts[f"{role} to {receiver}"] = number
        siege.takeover.release(role)
    assert not siege.pullgate.find("script_broken")
    siege.end()
    print(f"  offences, each reported, its sender killed and started afresh: {counts}")


def test_descriptors_where_none_belong(besiege):
    """They are not taken: a receiver that doesn't expect any can't be filled with them."""
    siege = besiege()
    pids = siege.pullgate.children()
    peer = messages.peer(make_key(), ["10.64.9.1/32"])
    receivers = {"installer": pids["pullgate-installer"], "connector": pids["pullgate-connector"]}
    before = {name: len(os.listdir(f"/proc/{pid}/fd")) for name, pid in receivers.items()}
    script = Script()
    for number in (1, 2, 8):
        script.step("attach", "installer", peer.hex(), number)
        script.step("attach", "connector", CONNECT.hex(), number)
    siege.takeover.seize("fetcher", script.say("done"))
    siege.said("done")
    siege.dropped(without_ticket=3)
    siege.takeover.release("fetcher")
    after = {name: len(os.listdir(f"/proc/{pid}/fd")) for name, pid in receivers.items()}
    assert after["installer"] == before["installer"]
    assert after["connector"] <= before["connector"] + 1  # an honest connection under way
    assert not siege.pullgate.find("offence")
    siege.end()
    print(f"  22 descriptors sent with 6 messages; open before and after: {before}, {after}")


def test_fetcher_that_denies_everybody(besiege, lab):
    """What it said for 49 days ends with it."""
    siege = besiege()
    client = lab.add_client(known=True)
    key = client.public_key
    denial = messages.peer(key, answer=ABSENT, valid_ms=(1 << 32) - 1)
    script = Script().step("await", key_bytes(key).hex()).send("installer", denial, id_at=ID_AT)
    siege.takeover.seize("fetcher", script.say("done").step("idle"))
    siege.initiate(client, client.private_key)
    siege.said("done")
    siege.takeover.release("fetcher")
    assert client.first_reply() is not None
    siege.end(allowed=[key])
