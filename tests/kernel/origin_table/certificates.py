# SPDX-License-Identifier: ISC
"""Certificates of every kind that an origin should not have, by Debian's python3-cryptography."""

import datetime
import ipaddress
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

DAY = datetime.timedelta(days=1)


@dataclass(frozen=True)
class Identity:
    """A certificate with its key, in files and in memory; chain holds all of it, leaf first."""

    certificate: x509.Certificate
    key: object
    chain_file: Path
    key_file: Path


def _alternatives(names, addresses):
    return x509.SubjectAlternativeName(
        [*map(x509.DNSName, names),
         *(x509.IPAddress(ipaddress.ip_address(address)) for address in addresses)])


class Maker:
    """Makes certificates in a directory. authority is one that pullgate is told to trust."""

    def __init__(self, directory):
        self.directory = Path(directory)
        self.directory.mkdir(exist_ok=True)
        self.directory.chmod(0o755)
        self.authority = self.make("authority", is_authority=True)
        self.ca_file = self.authority.chain_file

    def make(self, name, issuer=None, names=(), addresses=(), is_authority=False, days=(-1, 30),
             usage=ExtendedKeyUsageOID.SERVER_AUTH, algorithm=None, rsa_bits=None, common_name=None,
             path_length=None, send=()):
        """An Identity, self-signed without an issuer; `send` are the chain's further certificates."""
        key = rsa.generate_private_key(65537, rsa_bits) if rsa_bits \
            else ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name or name)])
        now = datetime.datetime.utcnow()
        builder = x509.CertificateBuilder().subject_name(subject) \
            .issuer_name(issuer.certificate.subject if issuer else subject) \
            .public_key(key.public_key()).serial_number(x509.random_serial_number()) \
            .not_valid_before(now + days[0] * DAY).not_valid_after(now + days[1] * DAY) \
            .add_extension(x509.BasicConstraints(is_authority, path_length), critical=True)
        if names or addresses:
            builder = builder.add_extension(_alternatives(names, addresses), critical=False)
        if not is_authority:
            builder = builder.add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
        certificate = builder.sign(issuer.key if issuer else key, algorithm or hashes.SHA256())
        return self._write(name, certificate, key, send)

    def _write(self, name, certificate, key, send):
        chain_file, key_file = self.directory / f"{name}.pem", self.directory / f"{name}.key"
        pem = serialization.Encoding.PEM
        chain_file.write_bytes(b"".join(one.public_bytes(pem) for one in (
            certificate, *(other.certificate for other in send))))
        key_file.write_bytes(key.private_bytes(pem, serialization.PrivateFormat.PKCS8,
                                               serialization.NoEncryption()))
        return Identity(certificate, key, chain_file, key_file)
