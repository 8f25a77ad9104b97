"""Certificate authority files: the authority that units trust now, and the next one that they are to trust."""

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
DER_MAX = 1410  # bytes; 1,880 characters in base64, the bound of the command (tests/samples/schema.toml)


def present_authority(settings: Settings) -> Authority | None:
    """Return the authority that units are set up with: ca.pem beside CHARGEKEEPER_TLS_CERT, or else in tls/ of the data
    folder. Return None if there is no readable certificate in either place."""
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
    """Store the present authority, so that its expiry can be announced."""
    authority = present_authority(settings)
    if authority is not None:
        with database.writing() as connection:
            know(connection, authority)


def read_next(path: Path) -> Authority:
    """Read the next authority from a PEM file. Raises BridgeError with the reason if units cannot use the
    certificate."""
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
            f"{path} has {size:,} bytes, and units accept at most {DER_MAX:,}: use an EC key, or RSA with 2,048 bits"
        )
    return described(certificate)


def described(certificate: x509.Certificate) -> Authority:
    """Return the certificate as the store has it: SHA-256 fingerprint in hexadecimal, DER in base64, and its expiry."""
    der = base64.b64encode(certificate.public_bytes(Encoding.DER)).decode()
    expires_ms = int(certificate.not_valid_after_utc.timestamp()) * 1000
    return Authority(certificate.fingerprint(hashes.SHA256()).hex(), der, expires_ms, None, False)


def _is_authority(certificate: x509.Certificate) -> bool:
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except (x509.ExtensionNotFound, ValueError):
        return False
