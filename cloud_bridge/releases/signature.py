"""ECDSA on P-256 over SHA-256, with a key file or by an outside signer (openssl, a hardware security module). Pure.

A unit gets r and s, 32 bytes each, big-endian. openssl and most modules write DER. Both formats are accepted.
"""

import hashlib
from collections.abc import Sequence

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

from cloud_bridge.releases.release_errors import BadKey, BadSignature

HALF_BYTES = 32  # length of r, and of s
MAX_KEY_BYTES = 10_000  # of a key file

PrivateKey = ec.EllipticCurvePrivateKey
PublicKey = ec.EllipticCurvePublicKey


def read_private_key(pem: bytes) -> PrivateKey:
    """Parse a private key. Raises BadKey unless it is unencrypted and on P-256."""
    try:
        key = serialization.load_pem_private_key(pem[:MAX_KEY_BYTES], None)
    except (ValueError, TypeError) as error:  # TypeError for a key with a password
        raise BadKey("it is not an unencrypted private key in PEM format") from error
    if not isinstance(key, PrivateKey) or not isinstance(key.curve, ec.SECP256R1):
        raise BadKey("it is not a key on the curve P-256, the only one that units support")
    return key


def read_public_key(pem: bytes) -> PublicKey:
    """Parse a public key. Raises BadKey unless it is on P-256."""
    try:
        key = serialization.load_pem_public_key(pem[:MAX_KEY_BYTES])
    except ValueError as error:
        raise BadKey("it is not a public key in PEM format") from error
    if not isinstance(key, PublicKey) or not isinstance(key.curve, ec.SECP256R1):
        raise BadKey("it is not a key on the curve P-256, the only one that units support")
    return key


def sign(key: PrivateKey, line: bytes) -> bytes:
    """Return the signature as r and s."""
    return _as_halves(key.sign(line, ec.ECDSA(hashes.SHA256())))


def digest(line: bytes) -> str:
    """Return the digest for an outside signer, in hexadecimal."""
    return hashlib.sha256(line).hexdigest()


def read_signature(given: bytes) -> bytes:
    """Return r and s from the output of an outside signer: these 64 bytes, or DER. Raises BadSignature."""
    if len(given) == 2 * HALF_BYTES:
        return given
    try:
        return _as_halves(given)
    except ValueError as error:
        raise BadSignature("the signature is neither 64 bytes of r and s nor DER") from error


def verify(keys: Sequence[PublicKey | None], number: int, line: bytes, signature: bytes) -> None:
    """Raise BadSignature unless the key with this number has signed the line."""
    key = keys[number] if number < len(keys) else None
    if key is None:
        raise BadSignature(f"there is no public key {number} to verify it by: give it with --public")
    r, s = signature[:HALF_BYTES], signature[HALF_BYTES:]
    try:
        der = encode_dss_signature(int.from_bytes(r, "big"), int.from_bytes(s, "big"))
        key.verify(der, line, ec.ECDSA(hashes.SHA256()))
    except InvalidSignature as error:
        raise BadSignature(f"public key {number} has not signed this manifest") from error


def _as_halves(der: bytes) -> bytes:
    r, s = decode_dss_signature(der)
    if not (0 < r < 1 << 8 * HALF_BYTES and 0 < s < 1 << 8 * HALF_BYTES):
        raise ValueError("not of P-256")
    return r.to_bytes(HALF_BYTES, "big") + s.to_bytes(HALF_BYTES, "big")
