# SPDX-License-Identifier: ISC
"""A gateway, an origin that holds three peers, and clients: what happens, as it happens.

usage: demo.py replay|initiate|retry
"""

import signal
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tests" / "kernel"))

from gatelab import Lab, addresses  # noqa: E402  (found by the path above)
from gatelab.waiting import Late, wait_until  # noqa: E402


def say(text=""):
    print(text, flush=True)


def short(key):
    return key[:8] + "..."


class Timeline:
    """Prints what happens, with the milliseconds since the client's first packet."""

    def __init__(self):
        self.start = None

    def begin(self, when):
        self.start = when

    def add(self, when, who, text):
        say(f"  {(when - self.start) * 1000:8.1f} ms  {who:<10} {text}")


def describe(event):
    """One line of pullgate's log as a person would say it; None for what isn't of the story."""
    fields = event.fields
    return {
        "demand": lambda: f"initiation seen from {fields['source']}, key {short(fields['key'])}",
        "request": lambda: "GET " + fields["url"].split("/", 3)[-1].join(["/", ""]),
        "response": lambda: f"{fields['status']}: {fields['answer']}",
        "installed": lambda: f"installed, allowed IPs {fields['allowed_ips']}",
        "replayed": lambda: "the client's own initiation replayed",
        "outcome": lambda: f"done: {fields['result']}",
    }.get(event.name, lambda: None)()


def tell(pullgate, mark, key, timeline):
    """The log's lines about a key, in the order of their times."""
    for event in pullgate.find(since=mark, key=key):
        text = describe(event)
        if text:
            timeline.add(event.time, event.process.removeprefix("pullgate-"), text)


def connect_known(lab, pullgate, client):
    """A client whose key the origin knows. Seconds to its first ping's answer."""
    say(f"A client whose key the origin knows ({short(client.public_key)}) sends its first ping:")
    timeline, recorder, mark = Timeline(), client.record(), pullgate.mark()
    before = time.monotonic()
    seconds = client.first_reply()
    if seconds is None:
        raise Late("the client got no answer; pullgate's log:\n" + pullgate.log())
    pullgate.wait_event("outcome", since=mark, key=client.public_key)
    timeline.begin(before)
    timeline.add(before, "client", "ping sent into the tunnel; WireGuard sends an initiation")
    tell(pullgate, mark, client.public_key, timeline)
    sent = [one for one in recorder.initiations() if one.outgoing]
    peer = lab.gateway.peers()[client.public_key]
    timeline.add(before + seconds, "kernel", "handshake complete at "
                 + time.strftime("%H:%M:%S", time.gmtime(peer.latest_handshake)) + " UTC")
    timeline.add(before + seconds, "client",
                 f"first ping answered after {seconds * 1000:.0f} ms, "
                 f"{len(sent)} initiation{'s' if len(sent) > 1 else ''} sent")
    return seconds


def connect_unknown(pullgate, client):
    """A client whose key the origin doesn't know."""
    say(f"A client whose key the origin doesn't know ({short(client.public_key)}) does the same:")
    timeline, mark = Timeline(), pullgate.mark()
    before = time.monotonic()
    answered = client.first_reply(deadline=3)
    pullgate.wait_event("outcome", since=mark, key=client.public_key)
    timeline.begin(before)
    timeline.add(before, "client", "ping sent into the tunnel; WireGuard sends an initiation")
    tell(pullgate, mark, client.public_key, timeline)
    if answered is not None:
        raise AssertionError("an unknown key was connected")
    timeline.add(time.monotonic(), "client", "no answer, as it should be")


def run(connect):
    say(f"connect = {connect}. Gateway, clients and origin (nginx) are network namespaces of one "
        "machine.")
    with Lab() as lab:
        client, *others = [lab.add_client(known=True) for _ in range(3)]
        stranger = lab.add_client()
        pullgate = lab.gateway.start_pullgate(arguments=["-v"], gateway={"connect": connect})
        say(f"The origin holds three peers; the gateway's kernel holds {len(lab.gateway.peers())}.")
        say()
        seconds = connect_known(lab, pullgate, client)
        say()
        connect_unknown(pullgate, stranger)
        say()
        say("wg show wg0, on the gateway: of three peers that the origin holds, who connected:")
        say()
        for line in lab.gateway.namespace.run("wg", "show", "wg0").splitlines():
            say("  " + line)
        say()
        wait_until(lambda: set(lab.gateway.peers()) == {client.public_key}, "one peer, the client")
        assert not any(other.public_key in lab.gateway.peers() for other in others)
        assert lab.gateway.stop_pullgate() == 0
        retry = "a client's own retry would have come after 5 s" if connect != "retry" else \
            "the client's own retry made it: pullgate only installed the peer"
        say(f"First ping: {seconds * 1000:.0f} ms; {retry}.")
        if (seconds < 4.5) != (connect != "retry"):
            raise AssertionError(f"{seconds:.1f} s is not what connect = {connect} takes")


def main():
    if len(sys.argv) != 2 or sys.argv[1] not in ("replay", "initiate", "retry"):
        sys.exit(__doc__)
    signal.signal(signal.SIGTERM, signal.getsignal(signal.SIGINT))  # ends the lab too
    try:
        run(sys.argv[1])
    except KeyboardInterrupt:
        say("interrupted; everything is removed")
        sys.exit(130)


if __name__ == "__main__":
    main()
