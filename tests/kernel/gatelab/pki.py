# SPDX-License-Identifier: ISC
"""A private certification authority, made by openssl(1)."""

import atexit
import functools
import shutil
import tempfile
from pathlib import Path

from . import addresses, command

ORIGIN_NAME = "control.example.net"
CURVE = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")


class Authority:
    """A CA whose files are in `directory`; ca.pem is its certificate."""

    def __init__(self, directory):
        self.directory = Path(directory)
        self.directory.mkdir(parents=True, exist_ok=True)
        self.certificate = self.directory / "ca.pem"
        self._key = self.directory / "ca.key"
        command.run("openssl", "req", "-x509", *CURVE, "-keyout", self._key,
                    "-out", self.certificate, "-days", 30, "-subj", "/CN=lab authority")

    def issue(self, name, addresses=(), names=(), days=30, usage="serverAuth"):
        """Issues a certificate; returns the files (certificate, key)."""
        certificate, key = self.directory / f"{name}.pem", self.directory / f"{name}.key"
        request, extensions = self.directory / f"{name}.csr", self.directory / f"{name}.ext"
        alternatives = [f"IP:{address}" for address in addresses] + [f"DNS:{dns}" for dns in names]
        lines = [f"extendedKeyUsage = {usage}"]
        if alternatives:
            lines.append(f"subjectAltName = {', '.join(alternatives)}")
        extensions.write_text("\n".join(lines) + "\n", encoding="ascii")
        command.run("openssl", "req", *CURVE, "-keyout", key, "-out", request,
                    "-subj", f"/CN={name}")
        command.run("openssl", "x509", "-req", "-in", request, "-CA", self.certificate,
                    "-CAkey", self._key, "-CAcreateserial", "-days", days,
                    "-extfile", extensions, "-out", certificate)
        return certificate, key


@functools.lru_cache(maxsize=1)
def shared():
    """One authority and the origin's (certificate, key), for all labs of this process."""
    directory = tempfile.mkdtemp(prefix="gatelab-authority-")
    atexit.register(shutil.rmtree, directory, ignore_errors=True)
    Path(directory).chmod(0o755)
    authority = Authority(directory)
    return authority, authority.issue("origin", addresses.ORIGIN.values(), [ORIGIN_NAME])
