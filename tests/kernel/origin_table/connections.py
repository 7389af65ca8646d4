# SPDX-License-Identifier: ISC
"""Origins that can't be reached, or speak before they are asked."""

from gatelab import addresses

from .exchange import LoudOrigin
from .row import FAILED, Row
from .stage import Stage

REFUSED_PORT = 9
ABSENT_HOST = "198.51.100.77"
PROHIBITED_HOST = "198.51.100.78"


class Nobody:
    """An address at which there is no origin."""

    settings = {}

    def __init__(self, lab, host=addresses.ORIGIN[4], port=REFUSED_PORT):
        self.url = f"http://{host}:{port}/peer/{{key}}"
        del lab

    def begin(self, row, peer):
        """Nobody is served."""

    end = begin

    def asked(self, peer):
        """Nobody can tell."""

    def strays(self):
        """None."""
        return []

    def close(self):
        """Nothing to end."""


class Absent(Nobody):
    """An address that no machine on the link has."""

    def __init__(self, lab):
        super().__init__(lab, ABSENT_HOST)


class Prohibited(Nobody):
    """An address that the gateway's own routes prohibit."""

    def __init__(self, lab):
        super().__init__(lab, PROHIBITED_HOST)
        lab.gateway.namespace.ip(f"route replace prohibit {PROHIBITED_HOST}/32")


def _nothing(it):
    del it


LOUD = (
    Row("closes when a connection is made", lambda it: it.close(), FAILED, ""),
    Row("resets when a connection is made", lambda it: it.reset(), FAILED, ""),
    Row("greets as SSH does and closes",
        lambda it: (it.send("SSH-2.0-OpenSSH_9.2p1\r\n"), it.close()), FAILED, ""),
    Row("greets as SSH does and waits", lambda it: (it.send("SSH-2.0-OpenSSH_9.2p1\r\n"), it.wait()),
        FAILED, ""),
)

STAGES = (
    Stage("refused", (Row("is not there: refused", _nothing, FAILED, "refused"),), Nobody,
          honest=False),
    Stage("absent", (Row("is not there: no such host", _nothing, FAILED, "time|route|reach"),), Absent,
          settings={"timeout": "1s"}, honest=False),
    Stage("prohibited", (Row("is not there: prohibited", _nothing, FAILED, "prohibit|ermission|route"),),
          Prohibited, honest=False),
    Stage("loud", LOUD, LoudOrigin),
)
