# SPDX-License-Identifier: ISC
"""TLS that begins anew between request and answer, by openssl(1): Python has no word for it."""

import contextlib
import socket
import subprocess
import threading

from gatelab import command
from gatelab.waiting import wait_until

from .row import FOUND, Row

# Letters that s_server(1) takes as commands when a line begins with them.
RENEGOTIATE, WANT_CERTIFICATE, NEW_KEY, NEW_KEYS = b"r\n", b"R\n", b"k\n", b"K\n"


def _relay(source, target):
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_WR)


class Server:
    """s_server behind one connection that a client has made."""

    def __init__(self, connection, identity, version):
        directory = identity.key_file.parent
        self._path = directory / "s_server"
        self._process = subprocess.Popen(
            ["stdbuf", "-oL", "openssl", "s_server", "-unix", self._path.name, f"-{version}", "-naccept", "1",
             "-cert", identity.chain_file, "-key", identity.key_file],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, bufsize=0,
            cwd=directory)  # s_server takes no long path
        self._socket = socket.socket(socket.AF_UNIX)
        wait_until(lambda: self._socket.connect_ex(str(self._path)) == 0, "s_server to listen")
        for ends in ((connection, self._socket), (self._socket, connection)):
            threading.Thread(target=_relay, args=ends, daemon=True).start()

    def _read_line(self, beginning):
        for line in self._process.stdout:
            if line.startswith(beginning):
                return line
        raise EOFError

    def read_path(self):
        """Waits for the request."""
        return self._read_line(b"GET ").split()[1].decode()

    def order(self, command):
        """A command, and waits until it has been obeyed: what follows is a line of its own."""
        self._process.stdin.write(command)
        self._read_line(b"SSL_do_handshake")

    def say(self, text):
        """What the client is sent."""
        self._process.stdin.write(text)

    def close(self):
        """Ends it."""
        command.stop(self._process, 5)
        self._socket.close()
        self._path.unlink(missing_ok=True)


def _row(what, version, letter, times):
    def does(it):
        server = Server(it.connection, it.origin.identities["right"], version)
        try:
            peer, _ = it.origin.peer_of(server.read_path())
            for _ in range(times):
                server.order(letter)
            server.say(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(peer.body), peer.body))
            it.done()
            it.connection.recv(1, socket.MSG_PEEK)
            wait_until(lambda: not it.origin.row_peer, "the end of the row")
        finally:
            server.close()
    return Row(what, does, FOUND)


ROWS = (
    _row("renegotiates", "tls1_2", RENEGOTIATE, 1),
    _row("renegotiates 20 times", "tls1_2", RENEGOTIATE, 20),
    _row("renegotiates, and wants a client certificate", "tls1_2", WANT_CERTIFICATE, 1),
    _row("changes its key", "tls1_3", NEW_KEY, 1),
    _row("changes both keys 20 times", "tls1_3", NEW_KEYS, 20),
)
