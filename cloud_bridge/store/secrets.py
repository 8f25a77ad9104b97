"""Secrets that we hand out once and keep only as a hash.

They are random with 256 bits, so a plain SHA-256 is as good as a slow hash and costs the event loop microseconds:
a slow one let 9 units a second reconnect after the mast came back. People choose their passwords, so those go
through argon2 (store/people.py).
"""

import base64
import hashlib
import hmac
import re
import secrets
import string

CLAIM_ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"  # no 0/O, 1/I/L, U/V mix-ups on a printed label
CLAIM_LENGTH = 12  # 30 symbols each: 58 bits, typed once
KEY_ALPHABET, KEY_LENGTH = string.ascii_letters + string.digits, 20
SALT_BYTES = 12  # mosquitto's own length
NO_HASH = "0" * 64  # what a stranger is compared with, so that an unknown name takes the same time


def new_secret() -> str:
    """43 characters that are safe in a URL, a header and a JSON text."""
    return secrets.token_urlsafe(32)


def new_authorization_key() -> str:
    """20 characters, the most that a charger of OCPP has to take (AuthorizationKey, "Improved security for OCPP 1.6-J"): 119
    bits, which nobody guesses by their hash either."""
    return "".join(secrets.choice(KEY_ALPHABET) for _ in range(KEY_LENGTH))


def is_authorization_key(secret: str) -> bool:
    """Whether a charger of OCPP could have made it: its own, as its label or its maker says."""
    return re.fullmatch("[!-~]{16,40}", secret) is not None


def is_strong(secret: str) -> bool:
    """Whether it is a secret as units make them: 256 bits as hexadecimal digits."""
    return re.fullmatch("[0-9a-f]{64}", secret) is not None


def new_claim_code() -> str:
    """As printed on the unit: three groups of four, 7K4M-2QXP-9BCD."""
    symbols = [secrets.choice(CLAIM_ALPHABET) for _ in range(CLAIM_LENGTH)]
    return "-".join("".join(symbols[at : at + 4]) for at in range(0, CLAIM_LENGTH, 4))


def hash_of(secret: str) -> str:
    return hashlib.sha256(secret.encode(errors="surrogatepass")).hexdigest()


def broker_hash(secret: str) -> str:
    """As mosquitto's password file has it: salted SHA-512, its fast kind, for the same reason as above."""
    salt = secrets.token_bytes(SALT_BYTES)
    digest = hashlib.sha512(secret.encode() + salt).digest()
    return f"$6${base64.b64encode(salt).decode()}${base64.b64encode(digest).decode()}"


def matches(secret: str, kept_hash: str | None) -> bool:
    """Whether the secret is the one the hash was made of. None (nobody of that name) never matches, nor NO_HASH:
    no secret is known whose hash it is."""
    return hmac.compare_digest(hash_of(secret), kept_hash or NO_HASH)
