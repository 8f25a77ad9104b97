"""The certificates of authorities as files: the one that units were given, and one that they are to be given."""

import base64
from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding

from cloud_bridge.errors import BridgeError
from cloud_bridge.settings import Settings
from cloud_bridge.store.authorities import Authority, know
from cloud_bridge.store.database import Database

FILE = "ca.pem"
DER_MAX = 1410  # bytes; in base64 the 1,880 characters of the order's bound (tests/samples/schema.toml)


def present_authority(settings: Settings) -> Authority | None:
    """The authority that units are given on their consoles: ca.pem beside CHARGEKEEPER_TLS_CERT, or in tls/ of the data
    folder. None if there is no such certificate."""
    folders = (
        [settings.folder / "tls"] if settings.tls_cert is None else [settings.tls_cert.parent, settings.folder / "tls"]
    )
    for folder in folders:
        try:
            return described(x509.load_pem_x509_certificate((folder / FILE).read_bytes()))
        except (OSError, ValueError):
            continue
    return None


def know_present_authority(database: Database, settings: Settings) -> None:
    """Store it, for the day when it ends."""
    authority = present_authority(settings)
    if authority is not None:
        with database.writing() as connection:
            know(connection, authority)


def read_next(path: Path) -> Authority:
    """The certificate in a file, PEM, if units can use it. Raises BridgeError that says what is wrong with it."""
    try:
        found = x509.load_pem_x509_certificates(path.read_bytes())
    except OSError as error:
        raise BridgeError(f"{path} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise BridgeError(f"{path} holds no certificate in PEM") from error
    if len(found) != 1:
        raise BridgeError(f"{path} holds {len(found)} certificates: give the authority's alone")
    (certificate,) = found
    if not _is_authority(certificate):
        raise BridgeError(f"{path} is not the certificate of an authority (basicConstraints CA:TRUE)")
    if not certificate.not_valid_before_utc <= datetime.now(UTC) < certificate.not_valid_after_utc:
        raise BridgeError(
            f"{path} is valid from {certificate.not_valid_before_utc:%d %b %Y} to {certificate.not_valid_after_utc:%d %b %Y}"
        )
    size = len(certificate.public_bytes(Encoding.DER))
    if size > DER_MAX:
        raise BridgeError(
            f"{path} has {size:,} bytes, and a unit takes {DER_MAX:,}: use an EC key, or RSA with 2,048 bits"
        )
    return described(certificate)


def described(certificate: x509.Certificate) -> Authority:
    der = base64.b64encode(certificate.public_bytes(Encoding.DER)).decode()
    expires_ms = int(certificate.not_valid_after_utc.timestamp()) * 1000
    return Authority(certificate.fingerprint(hashes.SHA256()).hex(), der, expires_ms, None, False)


def _is_authority(certificate: x509.Certificate) -> bool:
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except (x509.ExtensionNotFound, ValueError):
        return False
