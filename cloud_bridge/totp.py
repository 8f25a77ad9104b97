"""Time-based one-time passwords (RFC 6238) for authenticator apps. Pure: the time is passed in.

SHA-1, 6 digits and 30 s are supported by every app. Many apps ignore the parameters of the otpauth URL and use these
anyway.
"""

import base64
import secrets
from collections.abc import Collection

from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor import InvalidToken
from cryptography.hazmat.primitives.twofactor.totp import TOTP

STEP_S = 30
DIGITS = 6
SECRET_BYTES = 20  # 160 bits (RFC 4226 4, R6)
STEPS_EITHER_WAY = 1  # allows for a phone clock that is off by up to 30 s, and for the time to type (RFC 6238 5.2)
ISSUER = "Chargekeeper"


def new_totp_secret() -> bytes:
    return secrets.token_bytes(SECRET_BYTES)


def matching_step(secret: bytes, code: str, now_ms: int, used: Collection[int] = ()) -> int | None:
    """Return the time step that the code belongs to, if it is near the present one and not in `used`; else None."""
    if len(code) != DIGITS or not (code.isascii() and code.isdigit()):
        return None
    now_step = now_ms // 1000 // STEP_S
    found = None
    for step in range(now_step - STEPS_EITHER_WAY, now_step + STEPS_EITHER_WAY + 1):
        try:
            _totp(secret).verify(code.encode(), step * STEP_S)
        except InvalidToken:
            continue
        if step not in used:
            found = step
    return found


def as_base32(secret: bytes) -> str:
    """Return the secret in base32, in groups of four, for typing it into an app."""
    text = base64.b32encode(secret).decode().rstrip("=")
    return " ".join(text[at : at + 4] for at in range(0, len(text), 4))


def app_address(secret: bytes, name: str) -> str:
    """Return the otpauth URL for an app. It contains the secret, so it must appear on the page only."""
    return _totp(secret).get_provisioning_uri(name, ISSUER)


def _totp(secret: bytes) -> TOTP:
    return TOTP(secret, DIGITS, SHA1(), STEP_S)  # the construction is not weakened by collisions of SHA-1 (RFC 6238 B)
