"""Forms that only our own pages can have sent.

Each form carries a token that is bound to a cookie: another site can make a browser send the cookie, but cannot read it
to compute the token. The token is different on every page, so that the length of a compressed page tells nothing of it.
"""

import hashlib
import hmac
import secrets

from fastapi import HTTPException

SALT_LENGTH = 16  # hexadecimal digits
MARK_LENGTH = 48


def form_token(cookie: str) -> str:
    return _token(cookie, secrets.token_hex(SALT_LENGTH // 2))


def check_form(cookie: str | None, token: str) -> None:
    """Raises 403 when the form does not belong to the cookie."""
    if not cookie or not hmac.compare_digest(_token(cookie, token[:SALT_LENGTH]).encode(), token.encode()):
        raise HTTPException(403, "form too old")


def _token(cookie: str, salt: str) -> str:
    mark = hmac.new(cookie.encode(), b"chargekeeper form " + salt.encode(), hashlib.sha256).hexdigest()
    return salt + mark[:MARK_LENGTH]
