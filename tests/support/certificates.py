"""Certificates for a TLS server on loopback: one valid, and one for each flaw. They are created once per test run.

A test file that imports this module is skipped if ``cryptography`` is not installed. On Linux, keyring depends on it.
"""

from __future__ import annotations

import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

import pytest

pytest.importorskip("cryptography", reason="cryptography makes the certificates")

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

Flaw = Literal["", "self-signed", "unknown authority", "expired", "not yet valid", "another host", "no host"]
FLAWS: tuple[Flaw, ...] = ("self-signed", "unknown authority", "expired", "not yet valid", "another host", "no host")
"""Each way in which a certificate can be invalid."""
_DAY = timedelta(days=1)


class Authority:
    """A certificate authority. ``path`` is the file to name in ``SSL_CERT_FILE`` so that a client trusts it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _name("Authority of the tests")
        root = _builder(self._name, self._name, self._key).add_extension(x509.BasicConstraints(True, None), True)  # noqa: FBT003 - the library's own order
        identifier = x509.SubjectKeyIdentifier.from_public_key(self._key.public_key())
        self._identifier = x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier)
        usage = x509.KeyUsage(*(name in {"cert", "crl"} for name in _USAGES))
        root = root.add_extension(identifier, critical=False).add_extension(usage, critical=True)
        self.path = folder / "authority.pem"
        self.path.write_bytes(root.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))

    def server(self, host: str = "localhost", flaw: Flaw = "") -> ssl.SSLContext:
        """Return the TLS context of a server for this host, with the given flaw or without one."""
        key = ec.generate_private_key(ec.SECP256R1())
        name, signing, issuer = _name("server"), self._key, self._name
        if flaw == "self-signed":
            signing, issuer = key, name
        elif flaw == "unknown authority":
            signing, issuer = ec.generate_private_key(ec.SECP256R1()), _name("Another authority")
        shift = {"expired": -400 * _DAY, "not yet valid": 400 * _DAY}.get(flaw, 0 * _DAY)
        built = _builder(name, issuer, key, shift)
        if flaw not in {"self-signed", "unknown authority"}:
            built = built.add_extension(self._identifier, critical=False)
        named = {"another host": "models.example", "no host": ""}.get(flaw, host)
        if named:
            built = built.add_extension(x509.SubjectAlternativeName([x509.DNSName(named)]), critical=False)
        return self._context(built.sign(signing, hashes.SHA256()), key)

    def _context(self, certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> ssl.SSLContext:
        path = self._folder / "server.pem"
        pem = serialization.Encoding.PEM
        plain = serialization.NoEncryption()
        held = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain)
        path.write_bytes(held + certificate.public_bytes(pem))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(path)
        return context


_USAGES = ("signature", "commitment", "key", "data", "agreement", "cert", "crl", "encipher", "decipher")
"""The permitted uses of a key, in the order of the parameters of ``x509.KeyUsage``."""


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, shift: timedelta = 0 * _DAY
) -> Any:
    now = datetime.now(UTC)
    return x509.CertificateBuilder(
        issuer, subject, key.public_key(), x509.random_serial_number(), now + shift - _DAY, now + shift + _DAY
    )
