"""Ed25519 keys in the format of NATS: base32 of a prefix, the key and a CRC-16 (github.com/nats-io/nkeys).

The kinds in use are: an account, whose seed signs our answers to logins; a server, which signs its requests; and a
user, which a node creates for each new connection.
"""

import base64
import binascii

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

ACCOUNT = 0  # its letter is A; of a seed SA
SERVER = 13 << 3  # the letter N
_SEED = bytes((18 << 3, ACCOUNT << 3))  # of an account: the letters S and A, five bits each
_KEY_BYTES = 32


class BadKey(ValueError):
    """The text is not a key, or a key of another kind."""


def new_seed() -> str:
    """Return a new seed of an account, which is a secret."""
    key = Ed25519PrivateKey.generate().private_bytes_raw()
    return _encode(_SEED + key)


class Signer:
    """Signs with the seed of an account."""

    def __init__(self, seed: str) -> None:
        """Raises BadKey if `seed` is not the seed of an account."""
        raw = _decode(seed)
        if len(raw) != len(_SEED) + _KEY_BYTES or not raw.startswith(_SEED):
            raise BadKey("it is not the seed of an account: it begins with SA")
        self._key = Ed25519PrivateKey.from_private_bytes(raw[len(_SEED) :])
        self.public = _encode(bytes([ACCOUNT]) + self._key.public_key().public_bytes_raw())

    def sign(self, data: bytes) -> bytes:
        """Return the signature, 64 bytes."""
        return self._key.sign(data)


def is_signed_by(server: str, data: bytes, signature: bytes) -> bool:
    """Return whether the server with this public key has signed the data. Return False also if `server` is not such a
    key."""
    try:
        raw = _decode(server)
        if len(raw) != _KEY_BYTES + 1 or raw[0] != SERVER:
            return False
        Ed25519PublicKey.from_public_bytes(raw[1:]).verify(signature, data)
    except (BadKey, InvalidSignature, ValueError):
        return False
    return True


def _encode(raw: bytes) -> str:
    checked = raw + binascii.crc_hqx(raw, 0).to_bytes(2, "little")
    return base64.b32encode(checked).decode().rstrip("=")


def _decode(text: str) -> bytes:
    try:
        checked = base64.b32decode(text + "=" * (-len(text) % 8))
    except (binascii.Error, ValueError) as error:
        raise BadKey("it is not base32") from error
    raw, crc = checked[:-2], checked[-2:]
    if binascii.crc_hqx(raw, 0).to_bytes(2, "little") != crc:
        raise BadKey("its checksum is wrong: a part is missing or mistyped")
    return raw
