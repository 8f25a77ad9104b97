"""Claims a charge point with the code on its label. The label's QR code leads here; a person without a session signs up or
logs in first.

The code is a secret until the charge point is claimed. The first request moves it from the address into a cookie, so it
remains in no history, in no `Referer` and in no address that a person passes on. Nothing is claimed or revealed without
sending a form.
"""

from fastapi import APIRouter, Request
from fastapi.responses import Response

from cloud_bridge import commands
from cloud_bridge.app_state import AppState
from cloud_bridge.durations import HOUR_MS
from cloud_bridge.settings import SignUp
from cloud_bridge.store.access import Person
from cloud_bridge.store.claims import ClaimRefused, as_printed, claim, claim_hash_of, unclaimed_unit, was_owned
from cloud_bridge.store.security_events import Kind
from cloud_bridge.web.errors import Refused
from cloud_bridge.web.form_errors import explained
from cloud_bridge.web.page import Field, OwnForm, PersonOf, is_secure, page, to
from cloud_bridge.web.pages.everyone.stranger import NO_REFERRER, StrangerForm, stranger_page
from cloud_bridge.web.presentation.words import lasting
from cloud_bridge.web.security.access import StateDep, person_of
from cloud_bridge.web.security.attempts import Attempts, Limit, claim_limits
from cloud_bridge.web.security.log import address_of_client, note
from cloud_bridge.words import gettext as _

CLAIM_COOKIE = "chargekeeper_claim"  # the code on the label that was scanned in this browser
CLAIM_COOKIE_MS = HOUR_MS  # time to find the letter of a sign-up

router = APIRouter(prefix="/claim", include_in_schema=False)


@router.get("")
def scanned(request: Request, app_state: StateDep, code: str = "") -> Response:
    """Handle the address of a label, and then show the page that asks whether to claim."""
    if code:
        return _remember(request, code)
    person, code = person_of(request), code_in_browser(request)
    if person is None:
        can_sign_up = app_state.settings.sign_up is not SignUp.CLOSED
        return stranger_page(request, "everyone/claim_stranger.html", code=code, can_sign_up=can_sign_up)
    return page(request, "everyone/claim.html", person, code=code)


@router.post("/code", dependencies=[StrangerForm])
def typed(request: Request, code: Field) -> Response:
    """Store a code that was typed by a person without a session, whose camera cannot read the label."""
    return _remember(request, code)


@router.post("", dependencies=[OwnForm])
def claim_scanned(request: Request, app_state: StateDep, person: PersonOf, code: Field) -> Response:
    with explained(_("That code did not work"), "code"):
        unit_id = claim_for(request, app_state, person, code)
    response = to(f"/charge-points/{unit_id}")
    response.delete_cookie(CLAIM_COOKIE)
    return response


def claim_for(request: Request, app_state: AppState, person: Person, code: str) -> str:
    """Claim the charge point and return its id. If it had an owner before, it is told to drop their hours. Raises
    ClaimRefused, and Refused after too many wrong codes."""
    limits = claim_limits(person.id, address_of_client(request))
    _reserve(request, app_state, limits)
    try:
        with (
            app_state.database.writing() as connection
        ):  # a transaction of its own: none may be open while a broker is called
            has_settings = was_owned(connection, claim_hash_of(code))
            unit_id = claim(connection, person, code, app_state.clock.now_ms())
    except ClaimRefused:
        note(request, Kind.WRONG_CLAIM_CODE, person)
        raise
    _attempts(request).returned(limits)
    claimed(request, app_state, person, unit_id, has_settings)
    return unit_id


def claimed(request: Request, app_state: AppState, person: Person, unit_id: str, has_settings: bool) -> None:
    """Do what follows after the commit of a claim."""
    note(request, Kind.CLAIMED, person, unit_id)
    if has_settings:
        commands.reset(app_state, unit_id, person.id)


def label_of(request: Request, app_state: AppState) -> str | None:
    """Return the hash of the scanned code if that charge point is unclaimed, else None. Wrong codes are counted. Raises
    Refused after too many."""
    code = code_in_browser(request)
    if not code:
        return None
    limits = claim_limits(None, address_of_client(request))
    _reserve(request, app_state, limits)
    claim_hash = claim_hash_of(code)
    with app_state.database.reading() as connection:
        is_free = unclaimed_unit(connection, claim_hash) is not None
    if not is_free:
        note(request, Kind.WRONG_CLAIM_CODE)
        return None
    _attempts(request).returned(limits)
    return claim_hash


def code_in_browser(request: Request) -> str:
    """Return the scanned code as it is printed on the label; empty if there is none."""
    return as_printed(request.cookies.get(CLAIM_COOKIE, ""))


def _remember(request: Request, code: str) -> Response:
    """Store the code in a cookie, for as long as a sign-up takes. A text that cannot be a code is not stored."""
    response = to("/claim")
    response.headers.update(NO_REFERRER)
    printed = as_printed(code)
    if printed and printed.isascii():
        age_s = CLAIM_COOKIE_MS // 1000
        response.set_cookie(CLAIM_COOKIE, printed, age_s, httponly=True, samesite="lax", secure=is_secure(request))
    else:
        response.delete_cookie(CLAIM_COOKIE)
    return response


def _reserve(request: Request, app_state: AppState, limits: list[Limit]) -> None:
    if wait_ms := _attempts(request).reserve(limits, app_state.verified.now_ms()):
        raise Refused(
            _("Too many codes"),
            _("Too many codes that do not exist. Check the label, then try again in {wait}.").format(
                wait=lasting(wait_ms)
            ),
            429,
            "code",
        )


def _attempts(request: Request) -> Attempts:
    attempts: Attempts = request.app.state.attempts
    return attempts
