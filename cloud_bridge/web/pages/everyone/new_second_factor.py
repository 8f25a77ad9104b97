"""A new secret for an authenticator app: shown on a page, sealed into its form, and stored when its first code is right.

Nothing is stored before that. The sealed secret can be opened only in the browser that it was made for, so nobody can make
another person confirm a secret that they know.
"""

from typing import NamedTuple

from fastapi import Request

from cloud_bridge.app_state import AppState
from cloud_bridge.store.access import Person
from cloud_bridge.store.security_events import Kind
from cloud_bridge.totp import app_address, as_base32, matching_step, new_totp_secret
from cloud_bridge.vehicles.tokens.encryption import SealBroken
from cloud_bridge.vehicles.tokens.keys import KeyGone
from cloud_bridge.web.errors import Refused
from cloud_bridge.web.security.log import note
from cloud_bridge.web.security.second_factor import CodeRefused, wrong_code
from cloud_bridge.words import gettext as _


class NewSecret(NamedTuple):
    """The secret as the page shows it, and sealed for the form."""

    text: str
    address: str
    sealed: str


def new_secret_form(app_state: AppState, person: Person, browser: str, sealed: str | None = None) -> NewSecret:
    """Make a new secret, or open the one of a form that was sent (`sealed`). `browser` is a cookie value that no other browser
    has. Raises Refused."""
    try:
        if sealed is not None:
            secret = app_state.second_factors.open_new(sealed, browser)
        else:
            secret = new_totp_secret()
            sealed = app_state.second_factors.seal_new(secret, browser)
    except (KeyGone, SealBroken, ValueError):
        raise _not_opened() from None
    return NewSecret(as_base32(secret), app_address(secret, person.name), sealed)


def add_checked(
    request: Request, app_state: AppState, person: Person, browser: str, sealed: str, code: str
) -> list[str] | CodeRefused:
    """Store the secret if the code shows that the app has it, and return the recovery codes. Guesses are not limited, because
    the person sees the secret anyway. Raises Refused, and AlreadyThere if the person has a second factor."""
    now_ms = app_state.clock.now_ms()
    try:
        secret = app_state.second_factors.open_new(sealed, browser)
        step = matching_step(secret, code.replace(" ", ""), now_ms)
        if step is None:
            return wrong_code(app_state)
        with app_state.database.writing() as connection:
            codes = app_state.second_factors.add(connection, person.id, secret, step, now_ms)
    except (KeyGone, SealBroken, ValueError):
        raise _not_opened() from None
    note(request, Kind.SECOND_FACTOR_ADDED, person)
    return codes


def _not_opened() -> Refused:
    return Refused(_("This form is too old"), _("Open the page again. Nothing was changed."), 403)
