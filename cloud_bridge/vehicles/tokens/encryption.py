"""AES-256-GCM. A sealed value is bound to its place: it cannot be decrypted as another person's or another grant's value."""

import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from cloud_bridge.errors import BridgeError

NONCE_BYTES = 12  # random: safe for 2**32 encryptions with one key (NIST SP 800-38D, 8.3); each refresh is one


class SealBroken(BridgeError):
    """The value was changed, moved, or encrypted with another key."""


def seal(key: bytes, plain: bytes, place: bytes) -> bytes:
    """Return nonce and ciphertext. `key` has 32 bytes. `place` is authenticated but not stored."""
    nonce = os.urandom(NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, plain, place)


def unseal(key: bytes, sealed: bytes, place: bytes) -> bytes:
    """Return the plaintext. Raises SealBroken."""
    try:
        return AESGCM(key).decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], place)
    except (InvalidTag, ValueError) as error:
        raise SealBroken("a stored grant cannot be opened: the car must be connected again") from error
