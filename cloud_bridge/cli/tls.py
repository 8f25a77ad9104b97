"""`python -m cloud_bridge tls make`: a certificate authority of one's own, for development and small sites."""

import argparse
import ipaddress
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from cloud_bridge.cli.area import Answer, Area
from cloud_bridge.errors import AlreadyThere
from cloud_bridge.settings import Settings
from cloud_bridge.store.private_files import make_private_folder

CA_DAYS = 3650
SERVER_DAYS = 397  # what browsers accept at most
EARLIER = timedelta(days=1)  # a clock a little behind must not refuse a new certificate

Key = ec.EllipticCurvePrivateKey


def declare(area: Area) -> None:
    make = area.command("make", "make a development authority and a server certificate", run)
    make.add_argument("--name", action="append", help="a host name or address units call; may be repeated")
    make.add_argument("--folder", type=Path, help="where to; without it, tls/ in the data folder")


def run(settings: Settings, options: argparse.Namespace) -> Answer:
    """ca.pem goes into the units; server.pem and server.key are what the listener is told of. Raises AlreadyThere."""
    folder: Path = options.folder or settings.folder / "tls"
    if (folder / "ca.key").exists():
        raise AlreadyThere(f"{folder} has an authority already: units that trust it would refuse a new one")
    make_private_folder(folder)
    names = options.name or ["localhost", "127.0.0.1"]
    ca_key, server_key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))  # small, and mbedTLS has it
    authority = _authority(ca_key)
    _write(folder / "ca.pem", authority.public_bytes(serialization.Encoding.PEM), 0o644)
    _write(folder / "ca.key", _pem(ca_key), 0o600)
    server = _server(server_key, names, authority, ca_key)
    _write(folder / "server.pem", server.public_bytes(serialization.Encoding.PEM), 0o644)
    _write(folder / "server.key", _pem(server_key), 0o600)
    return {
        "CHARGEKEEPER_TLS_CERT": str(folder / "server.pem"),
        "CHARGEKEEPER_TLS_KEY": str(folder / "server.key"),
        "ca": str(folder / "ca.pem"),
        "names": ", ".join(names),
    }


def _authority(key: Key) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Chargekeeper development CA")])
    usage = x509.KeyUsage(
        digital_signature=False,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=True,
        crl_sign=True,
        encipher_only=False,
        decipher_only=False,
    )
    return (
        _draft(name, name, key, CA_DAYS)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )


def _server(key: Key, names: list[str], authority: x509.Certificate, ca_key: Key) -> x509.Certificate:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0])])
    issuer_id = x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key())
    return (
        _draft(subject, authority.subject, key, SERVER_DAYS)
        .add_extension(x509.SubjectAlternativeName([_alternative(name) for name in names]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(issuer_id, critical=False)
        .sign(ca_key, hashes.SHA256())
    )


def _draft(subject: x509.Name, issuer: x509.Name, key: Key, days: int) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - EARLIER)
        .not_valid_after(now + timedelta(days=days))
    )


def _alternative(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _pem(key: Key) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _write(path: Path, content: bytes, mode: int) -> None:
    with open(os.open(path, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, mode), "wb") as file:
        os.fchmod(file.fileno(), mode)  # certificates are public, whatever the umask
        file.write(content)
