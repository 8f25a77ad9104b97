"""The second factor of a login: the state between password and code, and the check of a code."""

import logging
from typing import NamedTuple

from fastapi import Request

from cloud_bridge.app_state import AppState
from cloud_bridge.second_factor import Answer
from cloud_bridge.store.access import Person
from cloud_bridge.store.known_devices import device_of
from cloud_bridge.store.second_factors import count_recovery_codes, who_waits
from cloud_bridge.store.security_events import Kind
from cloud_bridge.vehicles.tokens.encryption import SealBroken
from cloud_bridge.vehicles.tokens.keys import KeyGone
from cloud_bridge.web.presentation.words import lasting, utc_second
from cloud_bridge.web.security.attempts import Attempts, code_limits
from cloud_bridge.web.security.log import note
from cloud_bridge.words import N_
from cloud_bridge.words import gettext as _

PENDING_COOKIE = (
    "chargekeeper_pending"  # of a login whose password was right; it gives access only to the pages for the code
)
DEVICE_COOKIE = "chargekeeper_device"

_log = logging.getLogger(__name__)


class CodeRefused(NamedTuple):
    """Why a code was refused: the text for the person, and the HTTP status."""

    title: str
    meaning: str
    status: int

    def said(self) -> "CodeRefused":
        """The texts of a constant in the reader's language."""
        return self._replace(title=_(self.title), meaning=_(self.meaning))


def waiting_person(request: Request, app_state: AppState) -> Person | None:
    """Return the person whose password was right in this browser a few minutes ago and whose second factor is still due; else
    None."""
    cookie = request.cookies.get(PENDING_COOKIE)
    if not cookie:
        return None
    with app_state.database.reading() as connection:
        return who_waits(connection, cookie, app_state.verified.now_ms())


def known_device(request: Request, app_state: AppState, name: str) -> str | None:
    """Return the key of this browser's own allowance if the person of that name has logged in here before; else None."""
    cookie = request.cookies.get(DEVICE_COOKIE)
    if not cookie:
        return None
    with app_state.database.reading() as connection:
        return device_of(connection, cookie, name)


def check_code(request: Request, app_state: AppState, person: Person, typed: str, why: str = "") -> CodeRefused | None:
    """Check a code, and use it up. Return None if it is right. `why` goes to the security log."""
    attempts: Attempts = request.app.state.attempts
    limits = code_limits(person.id, known_device(request, app_state, person.name))
    if wait_ms := attempts.reserve(limits, app_state.verified.now_ms()):
        note(request, Kind.TOO_MANY_CODES, person, why)
        return CodeRefused(_("Too many wrong codes"), _("Try again in {wait}.").format(wait=lasting(wait_ms)), 429)
    try:
        answer = app_state.second_factors.use(person.id, typed, app_state.clock.now_ms())
    except (KeyGone, SealBroken) as error:
        _log.error("codes of authenticator apps cannot be checked: %s", error)
        attempts.returned(limits)
        return UNCHECKED.said()
    if answer is Answer.WRONG:
        note(request, Kind.WRONG_CODE, person, why)
        return wrong_code(app_state)
    attempts.succeeded(limits)
    if answer is Answer.RECOVERY_CODE:
        with app_state.database.reading() as connection:
            left = count_recovery_codes(connection, person.id)
        note(request, Kind.RECOVERY_CODE_USED, person, f"{left} left")
    return None


def wrong_code(app_state: AppState) -> CodeRefused:
    """Return the refusal of a wrong code. It shows our time, because the app's clock has to match it."""
    return CodeRefused(
        _("That code is not right"),
        _(
            "Each code counts once and for half a minute: wait for the next one. Our clock shows {time} UTC. If "
            "that is not the time, codes of the app do not work; recovery codes do."
        ).format(time=utc_second(app_state.clock.now_ms())),
        401,
    )


UNCHECKED = CodeRefused(
    N_("Codes of the app cannot be checked now"),
    N_(
        "Use a recovery code, or ask whoever runs this service to put its key file back or to reset your second factor."
    ),
    503,
)
