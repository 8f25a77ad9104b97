"""CSRF protection of forms.

Each form contains a token that is bound to a cookie. Another site can make a browser send the cookie, but cannot read it to
compute the token. The token differs on every page, so the length of a compressed page reveals nothing about it.
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
    """Raise 403 if the token does not belong to the cookie."""
    if not cookie or not hmac.compare_digest(_token(cookie, token[:SALT_LENGTH]).encode(), token.encode()):
        raise HTTPException(403, "form too old")


def _token(cookie: str, salt: str) -> str:
    mark = hmac.new(cookie.encode(), b"chargekeeper form " + salt.encode(), hashlib.sha256).hexdigest()
    return salt + mark[:MARK_LENGTH]
