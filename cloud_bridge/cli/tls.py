"""`python -m cloud_bridge tls ...`: a certificate authority of your own, for development and small sites, and the change of
all units to the next authority before the present one expires (cloud_bridge/README.md)."""

import argparse
import ipaddress
import os
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from cloud_bridge.authority_files import present_authority, read_next
from cloud_bridge.cli.area import Answer, Area
from cloud_bridge.cli.security_log import record
from cloud_bridge.clock import SystemClock, iso_utc
from cloud_bridge.errors import AlreadyThere, BridgeError
from cloud_bridge.settings import Settings
from cloud_bridge.store import authorities
from cloud_bridge.store.authorities import Authority, Progress
from cloud_bridge.store.database import open_database
from cloud_bridge.store.private_files import make_private_folder
from cloud_bridge.store.security_events import Kind

CA_DAYS = 3650
SERVER_DAYS = 397  # the most that browsers accept
# Nodes of a cluster also authenticate to each other.
USAGES = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
NEXT_FOLDER = "tls-next"  # in the data folder
SHOWN_MAX = 100_000  # most units listed
EARLIER = timedelta(days=1)  # so that a machine whose clock is slightly behind accepts a new certificate

Key = ec.EllipticCurvePrivateKey


def declare(area: Area) -> None:
    make = area.command("make", "create a development authority and a server certificate", run)
    make.add_argument("--name", action="append", help="host name or address that units connect to; may be repeated")
    make.add_argument("--folder", type=Path, help="target folder; default: tls/ in the data folder")
    about = "issue a new server certificate of the present authority; units are not affected"
    renewing = area.command("renew", about, renew)
    renewing.add_argument(
        "--name", action="append", help="another name or address, besides those of the present certificate"
    )
    renewing.add_argument("--folder", type=Path, help="folder of the authority; default: tls/ in the data folder")
    following = area.command(
        "next", "create the next authority and a server certificate of it, in a separate folder", run_next
    )
    following.add_argument(
        "--name", action="append", help="host name or address that units connect to; may be repeated"
    )
    following.add_argument("--folder", type=Path, help="target folder; default: tls-next/ in the data folder")
    about = "order all units to trust another authority beside the present one; offline units get the order later"
    ordering = area.command("order", about, order)
    ordering.add_argument("--ca", type=Path, help="its certificate, PEM; default: tls-next/ca.pem in the data folder")
    area.command("units", "list the units that have not connected with the ordered authority", show_units)
    about = "order the units that have connected with the ordered authority to drop any other"
    area.command("retire", about, retire)


def run(settings: Settings, options: argparse.Namespace) -> Answer:
    """Create an authority and a server certificate. Set ca.pem on the units, and server.pem and server.key on the listener.
    Raises AlreadyThere."""
    return _make(options.folder or settings.folder / "tls", options)


def renew(settings: Settings, options: argparse.Namespace) -> Answer:
    """Issue a new server certificate. A running listener loads it by itself. Raises BridgeError if there is no authority of
    ours."""
    folder: Path = options.folder or settings.folder / "tls"
    try:
        authority = x509.load_pem_x509_certificate((folder / "ca.pem").read_bytes())
        ca_key = serialization.load_pem_private_key((folder / "ca.key").read_bytes(), None)
        present = x509.load_pem_x509_certificate((folder / "server.pem").read_bytes())
        named = present.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (OSError, ValueError, TypeError, x509.ExtensionNotFound) as error:
        raise BridgeError(
            f"{folder} has no authority made by `tls make` ({error}): renew the certificate where you got it"
        ) from error
    if not isinstance(ca_key, ec.EllipticCurvePrivateKey):
        raise BridgeError(f"{folder / 'ca.key'} is no key made by `tls make`: renew the certificate where you got it")
    names = list(dict.fromkeys([str(one.value) for one in named] + (options.name or [])))
    server_key = ec.generate_private_key(ec.SECP256R1())
    server = _server(server_key, names, authority, ca_key)
    _write(folder / "server.key", _pem(server_key), 0o600)
    _write(folder / "server.pem", server.public_bytes(serialization.Encoding.PEM), 0o644)
    return {
        "renewed": str(folder / "server.pem"),
        "until": f"{server.not_valid_after_utc:%Y-%m-%d}",
        "names": ", ".join(names),
    }


def run_next(settings: Settings, options: argparse.Namespace) -> Answer:
    """Create the next authority, in a folder beside the files in use. Raises AlreadyThere."""
    return _make(options.folder or settings.folder / NEXT_FOLDER, options)


def order(settings: Settings, options: argparse.Namespace) -> Answer:
    """Store the order; the running bridge sends it to the units. Raises BridgeError if units cannot use the certificate."""
    now_ms = SystemClock().now_ms()
    wanted = read_next(options.ca or settings.folder / NEXT_FOLDER / "ca.pem")._replace(ordered_ms=now_ms)
    present = present_authority(settings)
    with closing(open_database(settings.store)) as database, database.writing() as connection:
        if present is not None:
            authorities.know(connection, present)
        before = authorities.ordered(connection)
        if before is not None and (before.ordered_ms or 0) >= now_ms:  # the clock was ahead then
            wanted = wanted._replace(ordered_ms=(before.ordered_ms or 0) + 1)
        authorities.order(connection, wanted)
        record(connection, Kind.AUTHORITY_ORDERED, wanted.sha256)
    return {
        "sha256": wanted.sha256,
        "ends": iso_utc(wanted.expires_ms),
        "next": "wait until `tls units` lists all as stored, then let the broker present a certificate of this authority",
    }


def show_units(settings: Settings, _options: argparse.Namespace) -> Answer:
    """List the units that have not connected with the ordered authority. Raises BridgeError if none was ordered."""
    with closing(open_database(settings.store)) as database, database.reading() as connection:
        wanted = _ordered(authorities.ordered(connection))
        found = authorities.unconfirmed(connection, wanted, SHOWN_MAX)
        return [{"id": unit.unit_id, "authority": _stage(wanted, unit)} for unit in found]


def retire(settings: Settings, _options: argparse.Namespace) -> Answer:
    """Order the units to drop any other authority. Units that have not connected with the ordered one keep both. Raises
    BridgeError if none was ordered."""
    with closing(open_database(settings.store)) as database, database.writing() as connection:
        wanted = _ordered(authorities.ordered(connection))
        authorities.order(connection, wanted._replace(alone=True))
        record(connection, Kind.AUTHORITY_ALONE, wanted.sha256)
        waiting = len(authorities.unconfirmed(connection, wanted, SHOWN_MAX))
    return {"sha256": wanted.sha256, "unconfirmed": waiting}


def _ordered(found: Authority | None) -> Authority:
    if found is None:
        raise BridgeError("no authority was ordered: use `tls order` first")
    return found


def _stage(wanted: Authority, unit: Progress) -> str:
    if unit.trusts is not None and unit.trusts.startswith(wanted.sha256):
        return "connected with it, and trusts another one too"
    if unit.trusts is not None and wanted.sha256 in unit.trusts:
        return "stored, not connected with it yet"
    return "not sent, or not answered yet" if unit.refused is None else f"refused: {unit.refused}"


def _make(folder: Path, options: argparse.Namespace) -> Answer:
    if (folder / "ca.key").exists():
        raise AlreadyThere(f"{folder} already has an authority: units that trust it would refuse a new one")
    make_private_folder(folder)
    names = options.name or ["localhost", "127.0.0.1"]
    ca_key, server_key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))  # small, and supported by mbedTLS
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
        .add_extension(x509.ExtendedKeyUsage(USAGES), critical=False)
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
