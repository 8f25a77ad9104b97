"""Forms that only our own pages can have sent.

Each form carries a token that is bound to a cookie: another site can make a browser send the cookie, but cannot read it
to compute the token.
"""

import hashlib
import hmac

from fastapi import HTTPException


def form_token(cookie: str) -> str:
    return hmac.new(cookie.encode(), b"chargekeeper form", hashlib.sha256).hexdigest()


def check_form(cookie: str | None, token: str) -> None:
    """Raises 403 when the form does not belong to the cookie."""
    if not cookie or not hmac.compare_digest(form_token(cookie).encode(), token.encode()):
        raise HTTPException(403, "this form is too old: go back, reload the page, and try again")
