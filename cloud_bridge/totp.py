"""Time-based one-time passwords (RFC 6238), as authenticator apps make them. Pure: the clock is handed in.

SHA-1, 6 digits and 30 s are what every app can do; many ignore the parameters of the address and use these anyway.
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
STEPS_EITHER_WAY = 1  # a phone whose clock is off by up to 30 s, and the time to type (RFC 6238 5.2)
ISSUER = "Chargekeeper"


def new_totp_secret() -> bytes:
    return secrets.token_bytes(SECRET_BYTES)


def matching_step(secret: bytes, code: str, now_ms: int, used: Collection[int] = ()) -> int | None:
    """The time step that the code is of, near the present one and not in `used`; None if there is none."""
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
    """As a person types it into an app, in groups of four."""
    text = base64.b32encode(secret).decode().rstrip("=")
    return " ".join(text[at : at + 4] for at in range(0, len(text), 4))


def app_address(secret: bytes, name: str) -> str:
    """The otpauth address by which an app takes the secret in. It is the secret: for the page alone."""
    return _totp(secret).get_provisioning_uri(name, ISSUER)


def _totp(secret: bytes) -> TOTP:
    return TOTP(secret, DIGITS, SHA1(), STEP_S)  # the construction is not weakened by collisions of SHA-1 (RFC 6238 B)
