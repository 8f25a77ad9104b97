"""Secrets that we give out once and keep only as a hash.

They have 256 random bits, so a plain SHA-256 is as good as a slow hash and costs the event loop only microseconds: with
a slow one only 9 units a second could reconnect after a mast came back. People choose their passwords themselves, so
those are hashed with argon2 (cloud_bridge/passwords.py).
"""

import base64
import hashlib
import hmac
import re
import secrets
import string

CLAIM_ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"  # 0/O, 1/I/L and U/V cannot be confused on a printed label
CLAIM_LENGTH = 12  # each one of 30 symbols: 58 bits; typed once
KEY_ALPHABET, KEY_LENGTH = string.ascii_letters + string.digits, 20
SALT_BYTES = 12  # the length that mosquitto uses
NO_HASH = "0" * 64  # compared with the secret of an unknown name, so that it takes the same time


def new_secret() -> str:
    """A new secret of 43 characters that are safe in a URL, a header and a JSON text."""
    return secrets.token_urlsafe(32)


def new_authorization_key() -> str:
    """A new key of 20 characters, the most that an OCPP charger has to accept (AuthorizationKey, "Improved security for
    OCPP 1.6-J"): 119 bits, which cannot be guessed even from the hash."""
    return "".join(secrets.choice(KEY_ALPHABET) for _ in range(KEY_LENGTH))


def is_authorization_key(secret: str) -> bool:
    """Whether it can be the key of an OCPP charger: its own, as given by its label or its maker."""
    return re.fullmatch("[!-~]{16,40}", secret) is not None


def is_strong(secret: str) -> bool:
    """Whether it is a secret like those that units make: 256 bits as hexadecimal digits."""
    return re.fullmatch("[0-9a-f]{64}", secret) is not None


def new_claim_code() -> str:
    """A new claim code as printed on the unit: three groups of four, 7K4M-2QXP-9BCD."""
    symbols = [secrets.choice(CLAIM_ALPHABET) for _ in range(CLAIM_LENGTH)]
    return "-".join("".join(symbols[at : at + 4]) for at in range(0, CLAIM_LENGTH, 4))


def hash_of(secret: str) -> str:
    return hashlib.sha256(secret.encode(errors="surrogatepass")).hexdigest()


def broker_hash(secret: str) -> str:
    """The hash as in mosquitto's password file: salted SHA-512, its fast kind, for the same reason as above."""
    salt = secrets.token_bytes(SALT_BYTES)
    digest = hashlib.sha512(secret.encode() + salt).digest()
    return f"$6${base64.b64encode(salt).decode()}${base64.b64encode(digest).decode()}"


def matches(secret: str, kept_hash: str | None) -> bool:
    """Whether the hash was made from this secret. None (an unknown name) never matches, nor does NO_HASH: no secret
    with that hash is known."""
    return hmac.compare_digest(hash_of(secret), kept_hash or NO_HASH)
