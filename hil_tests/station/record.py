"""The record of a unit: what was measured and done, signed with the station's own Ed25519 key.

The signature covers the bytes of the file. With a copy of the station's public key from elsewhere, anyone can check that a
record is unchanged.
"""

import json
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from hil_tests.station.errors import StationTrouble
from hil_tests.station.journal import write_private

KEY, PUBLIC_KEY = "station-key.pem", "station-key.pub.pem"
SIGNATURE = ".sig"  # suffix of the file with the signature, beside the record


def station_key(folder: Path) -> Ed25519PrivateKey:
    """Return the station's key, generated on first use. Raises StationTrouble."""
    path = folder / KEY
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not path.exists():
        made = Ed25519PrivateKey.generate()
        pem, plain = serialization.Encoding.PEM, serialization.NoEncryption()
        write_private(path, made.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain))
    try:
        key = serialization.load_pem_private_key(path.read_bytes(), None)
    except (OSError, ValueError) as error:
        raise StationTrouble(f"{path} is not a key: {error}") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise StationTrouble(f"{path} is not an Ed25519 key")
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    if not (folder / PUBLIC_KEY).exists():
        write_private(folder / PUBLIC_KEY, public)
    return key


def write_record(path: Path, facts: dict[str, Any], key: Ed25519PrivateKey) -> None:
    """Write the record, then its signature: a record with a signature is complete."""
    text = json.dumps(facts, indent=1, sort_keys=True).encode() + b"\n"
    write_private(path, text)
    write_private(path.with_name(path.name + SIGNATURE), key.sign(text))


def verify_record(path: Path, public_key: Path) -> dict[str, Any]:
    """Return the record's facts. Raises StationTrouble if the signature does not match."""
    try:
        key = serialization.load_pem_public_key(public_key.read_bytes())
        text, signature = path.read_bytes(), path.with_name(path.name + SIGNATURE).read_bytes()
        if not isinstance(key, Ed25519PublicKey):
            raise StationTrouble(f"{public_key} is not an Ed25519 key")
        key.verify(signature, text)
        facts: dict[str, Any] = json.loads(text)
        return facts
    except (OSError, ValueError) as error:
        raise StationTrouble(f"cannot verify {path}: {error}") from None
    except InvalidSignature:
        raise StationTrouble(f"{path} is not what this station has signed") from None
