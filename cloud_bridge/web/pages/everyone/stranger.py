"""Pages with a form for people who are not logged in. The form's token is bound to a cookie of the browser."""

from typing import Any
from urllib.parse import urlencode

from fastapi import Depends, Request
from fastapi.responses import Response

from cloud_bridge.store.secrets import new_secret
from cloud_bridge.web.page import Field, is_secure, page
from cloud_bridge.web.security.forms import check_form, form_token

LOGIN_COOKIE = "chargekeeper_login"  # binds the form to the browser that requested it
JOIN_COOKIE = "chargekeeper_join"  # the code of the household invitation with which this browser signs up
NO_REFERRER = {"Referrer-Policy": "no-referrer"}  # for pages with a code in their address


def join_path(code: str) -> str:
    """Return the path on which an invitation to a household is accepted (household.py)."""
    return f"/join?{urlencode({'code': code})}"


def stranger_page(request: Request, template: str, status: int = 200, **content: Any) -> Response:
    """Show a page with a form that `StrangerForm` accepts."""
    cookie = request.cookies.get(LOGIN_COOKIE) or new_secret()
    response = page(request, template, None, status, form=form_token(cookie), **content)
    response.set_cookie(LOGIN_COOKIE, cookie, httponly=True, samesite="strict", secure=is_secure(request))
    return response


async def stranger_form(request: Request, form: Field) -> None:
    """Check that the form was made by us for this browser. Raises 403."""
    check_form(request.cookies.get(LOGIN_COOKIE), form)


StrangerForm = Depends(
    stranger_form
)  # for every route that changes something without a login: dependencies=[StrangerForm]
