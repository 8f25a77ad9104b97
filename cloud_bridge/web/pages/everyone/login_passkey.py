"""Login by passkey, without a name: the browser asks which one, and its authenticator asks for a PIN or a fingerprint.

That is something the person has, and something they know or are. No code of a second factor is therefore needed.
"""

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import Response

from cloud_bridge.app_state import AppState
from cloud_bridge.store.passkeys import StoredPasskey, find_passkey, use_passkey
from cloud_bridge.store.security_events import Kind
from cloud_bridge.web.errors import NotTheirs
from cloud_bridge.web.page import Field
from cloud_bridge.web.pages.everyone.login import admit, login_page, our_path
from cloud_bridge.web.pages.everyone.stranger import LOGIN_COOKIE, StrangerForm
from cloud_bridge.web.presentation.words import lasting
from cloud_bridge.web.public_address import address_of
from cloud_bridge.web.security.access import StateDep
from cloud_bridge.web.security.attempts import Attempts, device_limits, passkey_limits
from cloud_bridge.web.security.challenges import Challenges
from cloud_bridge.web.security.log import address_of_client, note
from cloud_bridge.web.security.passkey_check import (
    SENT_MAX,
    Assertion,
    PasskeyRefused,
    check_assertion,
    read_assertion,
    request_options,
)
from cloud_bridge.web.security.relying_party import relying_party
from cloud_bridge.web.security.second_factor import CodeRefused, known_device
from cloud_bridge.words import N_
from cloud_bridge.words import gettext as _

LOGIN = "log in"  # the purpose of the challenges

router = APIRouter(prefix="/login/passkey", include_in_schema=False)

Credential = Annotated[str, Form(max_length=SENT_MAX)]

WRONG = CodeRefused(
    N_("That passkey was not accepted"),
    N_(
        "It may have been removed from your account, or this page may have been open for too long. Try again, or log in with "
        "your password."
    ),
    401,
)


@router.get("/options")
async def options(request: Request, app_state: StateDep) -> Response:
    """Return the options for the script. It requests them when they are needed, because a challenge expires after some minutes
    and a login page may be open for longer. Runs on the event loop, like the login page."""
    party, browser = relying_party(address_of(request)), request.cookies.get(LOGIN_COOKIE)
    if party is None or not browser:
        raise NotTheirs("page")
    challenges: Challenges = request.app.state.challenges
    challenge = challenges.new(LOGIN, browser, app_state.verified.now_ms())
    return Response(request_options(party, challenge), media_type="application/json")


@router.post("", dependencies=[StrangerForm])
def log_in_with_passkey(request: Request, app_state: StateDep, credential: Credential, next: Field = "/") -> Response:
    """Log in by passkey. The response is the same whatever is wrong, so it reveals nothing about existing passkeys."""
    found = _found(app_state, credential)
    person = None if found is None else found[1].person
    device = None if person is None else known_device(request, app_state, person.name)
    limits = passkey_limits(address_of_client(request)) if device is None else device_limits(device)
    attempts: Attempts = request.app.state.attempts
    if wait_ms := attempts.reserve(limits, app_state.verified.now_ms()):
        note(request, Kind.TOO_MANY_PASSKEYS, person)
        refused = CodeRefused(
            _("Too many tries with a passkey"), _("Try again in {wait}.").format(wait=lasting(wait_ms)), 429
        )
        return login_page(request, next, refused.status, refused=refused)
    if found is None or not _is_right(request, app_state, *found):
        note(request, Kind.WRONG_PASSKEY, person)
        return login_page(request, next, WRONG.status, refused=WRONG.said())
    attempts.succeeded(limits)
    return admit(request, app_state, found[1].person, our_path(next), by_passkey=True)


def _found(app_state: AppState, credential: str) -> tuple[Assertion, StoredPasskey] | None:
    """Return what was sent, and the stored passkey that it claims to be."""
    try:
        assertion = read_assertion(credential)
    except PasskeyRefused:
        return None
    with app_state.database.reading() as connection:
        stored = find_passkey(connection, assertion.credential_id)
    return None if stored is None else (assertion, stored)


def _is_right(request: Request, app_state: AppState, assertion: Assertion, stored: StoredPasskey) -> bool:
    """Verify the response, and use up its challenge."""
    party, browser = relying_party(address_of(request)), request.cookies.get(LOGIN_COOKIE, "")
    challenges: Challenges = request.app.state.challenges
    now_ms = app_state.verified.now_ms()
    if party is None or not challenges.is_good(assertion.challenge, LOGIN, browser, now_ms):
        return False
    try:
        sign_count = check_assertion(assertion, party, stored)
    except PasskeyRefused:
        return False
    if (
        sign_count or stored.sign_count
    ) and sign_count <= stored.sign_count:  # WebAuthn 6.1.1; many authenticators always send 0
        note(request, Kind.PASSKEY_COPIED, stored.person, f"passkey {stored.id}")
        return False
    if not challenges.use(assertion.challenge, now_ms):
        return False
    with app_state.database.writing() as connection:  # a transaction of its own: committed before the session is opened
        return use_passkey(connection, stored, sign_count, now_ms)
