"""Signing up. Who may is the operator's setting (CHARGEKEEPER_SIGN_UP); an invitation proves it, or the label of a charger.

Where a mail server is set, a stranger gives an address, and is sent a letter, whoever has this address. Its link, like that
of an invitation, leads to the page where the account begins: a name, a password, and the charger whose label was scanned. So
nobody chooses a password for somebody else's address. Opening a link begins nothing: programs that look at mail do that.
"""

from functools import partial
from typing import Annotated, NamedTuple

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import Response
from starlette.concurrency import run_in_threadpool

from cloud_bridge.alerts import account_letters
from cloud_bridge.alerts.letters import Letter
from cloud_bridge.app_state import AppState
from cloud_bridge.errors import AlreadyThere, BridgeError
from cloud_bridge.passwords import MAX_LENGTH, MIN_LENGTH, WeakPassword
from cloud_bridge.settings import SignUp
from cloud_bridge.store.access import Person, Role
from cloud_bridge.store.claims import ClaimRefused, claim_by_hash, unclaimed_unit, was_owned
from cloud_bridge.store.email import checked_email, person_with_email
from cloud_bridge.store.invitations import Invitation, answer_stranger, find_invitation, link_of, use_invitation
from cloud_bridge.store.names import checked
from cloud_bridge.store.people import add_person, find_person, person_by_id
from cloud_bridge.store.security_events import Kind
from cloud_bridge.web.errors import Refused
from cloud_bridge.web.page import MAX_FIELD, Field, page, to
from cloud_bridge.web.pages.everyone.claim import CLAIM_COOKIE, claimed, code_in_browser, label_of
from cloud_bridge.web.pages.everyone.login import password_was_right
from cloud_bridge.web.pages.everyone.stranger import LOGIN_COOKIE, NO_REFERRER, StrangerForm, stranger_page
from cloud_bridge.web.presentation.words import sentence
from cloud_bridge.web.security.access import StateDep, person_of
from cloud_bridge.web.security.links import check_link
from cloud_bridge.web.security.log import note
from cloud_bridge.web.security.rates import (
    ASKED_LETTERS,
    SIGN_UPS,
    TO_ONE,
    TO_STRANGERS,
    WITH_ONE_LABEL,
    is_within,
    use_of_network,
)

NOT_OPEN = ("You cannot sign up here", "Ask whoever runs this service for an invitation.", 403)
NO_LABEL = (
    "That code did not work",
    "No charger that nobody has claimed has this code. Check it against the label, or ask its owner.",
)
LABEL_USED = ("Too many tries", "Too many accounts were begun with this label. Try again tomorrow.", 429)
LATER = ("The letter could not be sent", "No account was made. Please try again later.", 503)
GONE = ("This link is not valid any more", "It was used, or is too old. Ask for a new one.")
TAKEN = "This name is taken, or looks like one that is. Choose another one."

router = APIRouter(prefix="/sign-up", include_in_schema=False)


class Begun(NamedTuple):
    """An account that there is now, and the charger that was claimed with it."""

    person: Person
    unit_id: str | None
    has_settings: bool  # the charger, of its owner before


def may_sign_up(setting: SignUp, is_invited: bool, has_label: bool) -> bool:
    if setting is SignUp.CLOSED:
        return False
    return setting is SignUp.OPEN or is_invited or has_label


@router.get("")
def sign_up(request: Request, app_state: StateDep) -> Response:
    """The form for whoever may; for others what to do."""
    if person_of(request) is not None:
        return to("/")
    setting, code = app_state.settings.sign_up, code_in_browser(request)
    if not may_sign_up(setting, is_invited=False, has_label=bool(code)):
        return page(request, "everyone/sign_up_how.html", None, is_closed=setting is SignUp.CLOSED)
    if app_state.settings.mail is None:
        return _begin_page(request, claims=f"the charger with the code {code}" if code else "")
    return stranger_page(request, "everyone/sign_up.html", code=code, typed="", error="")


@router.post("", dependencies=[StrangerForm])
def ask_for_letter(request: Request, app_state: StateDep, address: Field) -> Response:
    """The same answer whether or not somebody has this address: who finds that out is the thread that writes the letter."""
    if app_state.settings.mail is None:
        raise Refused(*LATER)
    claim_hash = _proof_of_stranger(request, app_state)
    try:
        address = checked_email(address)
    except BridgeError:
        error = "This is no e-mail address. Check it, and try again."
        content = {"code": code_in_browser(request), "typed": address, "error": error}
        return stranger_page(request, "everyone/sign_up.html", 422, **content)
    use_of_network(request, ASKED_LETTERS, "Too many letters", "Look for the one that we sent.")
    _use_label(request, claim_hash)
    if is_within(request, address.lower(), TO_ONE):
        write = partial(_letter, app_state, address, claim_hash)
        if not is_within(request, "", TO_STRANGERS) or not app_state.letters.post(write):
            raise Refused(*LATER)
    return page(request, "everyone/sign_up_sent.html", None, address=address)


def _letter(app_state: AppState, address: str, claim_hash: str | None) -> Letter | None:
    """On a thread of alerts/letters.py."""
    public_address = app_state.settings.public_address
    with app_state.database.writing() as connection:
        person_id = person_with_email(connection, address)
        if person_id is not None:
            name = person_by_id(connection, person_id).name
            return Letter(address, account_letters.has_account(name, public_address))
        code = answer_stranger(connection, address, claim_hash, app_state.verified.now_ms())
    return None if code is None else Letter(address, account_letters.sign_up(link_of(public_address, code)))


@router.get("/begin")
def link_opened(
    request: Request, app_state: StateDep, code: Annotated[str, Query(max_length=MAX_FIELD)] = ""
) -> Response:
    """Uses nothing up."""
    invitation = check_link(request, app_state, partial(_invitation, app_state, code), GONE)
    return _begin_page(request, code, invitation, _charger(app_state, invitation))


@router.post("/begin", dependencies=[StrangerForm])
async def begin(
    request: Request,
    app_state: StateDep,
    name: Annotated[str, Form(max_length=MAX_FIELD)],
    password: Annotated[str, Form(max_length=MAX_LENGTH)],
    code: Field = "",
    claim: Field = "",
) -> Response:
    """With an invitation; where no mail server is set, without one too."""
    use_of_network(request, SIGN_UPS, "Too many tries", "No account was made.")
    if code:
        invitation = await run_in_threadpool(
            check_link, request, app_state, partial(_invitation, app_state, code), GONE
        )
    else:
        invitation = await run_in_threadpool(_without_letter, request, app_state)
    try:
        name = checked(name)
    except BridgeError as error:
        return await _again(request, app_state, code, invitation, name, name_error=sentence(error))
    async with app_state.passwords.turn() as passwords:
        try:
            known = [name, *(invitation.email or "").split("@")]
            password_hash = await run_in_threadpool(passwords.hash_chosen, password, known)
        except WeakPassword as error:
            return await _again(request, app_state, code, invitation, name, password_error=sentence(error))
    if not code:
        _use_label(request, invitation.claim_hash)
    new = partial(_add_account, app_state, code, invitation, name, password_hash, bool(claim))
    try:
        begun = await run_in_threadpool(new)
    except AlreadyThere:
        return await _again(request, app_state, code, invitation, name, name_error=TAKEN)
    return await run_in_threadpool(_welcome, request, app_state, begun)


def _proof_of_stranger(request: Request, app_state: AppState) -> str | None:
    """The hash of the label, if the stranger has one that counts. Raises Refused for whoever may not sign up."""
    claim_hash = label_of(request, app_state)
    if not may_sign_up(app_state.settings.sign_up, is_invited=False, has_label=claim_hash is not None):
        is_label_wrong = code_in_browser(request) and app_state.settings.sign_up is not SignUp.CLOSED
        raise Refused(*(NO_LABEL if is_label_wrong else NOT_OPEN))
    return claim_hash


def _use_label(request: Request, claim_hash: str | None) -> None:
    """One label is not the key to any number of accounts. Raises Refused."""
    if claim_hash is not None and not is_within(request, claim_hash, WITH_ONE_LABEL):
        raise Refused(*LABEL_USED)


def _without_letter(request: Request, app_state: AppState) -> Invitation:
    """What a stranger gets where no letters are sent."""
    if app_state.settings.mail is not None:
        raise Refused(*GONE)
    return Invitation(Role.DRIVER, None, True, _proof_of_stranger(request, app_state))


def _invitation(app_state: AppState, code: str) -> Invitation | None:
    """If it counts, by the setting of today."""
    with app_state.database.reading() as connection:
        found = find_invitation(connection, code, app_state.verified.now_ms())
    if found is None:
        return None
    setting = app_state.settings.sign_up
    return found if may_sign_up(setting, not found.asked, found.claim_hash is not None) else None


def _charger(app_state: AppState, invitation: Invitation) -> str:
    """In words, that can be claimed with the account; empty if there is none."""
    if invitation.claim_hash is None:
        return ""
    with app_state.database.reading() as connection:
        unit_id = unclaimed_unit(connection, invitation.claim_hash)
    return "" if unit_id is None else f"the charger {unit_id}"


def _add_account(
    app_state: AppState, code: str, invitation: Invitation, name: str, password_hash: str, is_claiming: bool
) -> Begun:
    """All of it or nothing. Raises AlreadyThere when the name is taken, and Refused when somebody was faster."""
    now_ms, claim_hash = app_state.verified.now_ms(), invitation.claim_hash
    with app_state.database.writing() as connection:  # of its own: the password was hashed in this request
        if code and use_invitation(connection, code, now_ms) is None:
            raise Refused(*GONE)
        if invitation.email is not None and person_with_email(connection, invitation.email) is not None:
            raise Refused("You have an account already", "Somebody has signed up with this address meanwhile: log in.")
        free = None if claim_hash is None else unclaimed_unit(connection, claim_hash)
        if not code and not may_sign_up(app_state.settings.sign_up, False, free is not None):
            raise Refused(*NO_LABEL)
        wall_ms = app_state.clock.now_ms()
        add_person(connection, name, password_hash, invitation.role, wall_ms, invitation.email)
        person = find_person(connection, name)
        if not is_claiming or claim_hash is None:
            return Begun(person, None, False)
        has_settings = was_owned(connection, claim_hash)
        try:
            return Begun(person, claim_by_hash(connection, person, claim_hash, wall_ms), has_settings)
        except ClaimRefused:  # somebody was faster; /account/units tells it when they try again
            return Begun(person, None, False)


def _welcome(request: Request, app_state: AppState, begun: Begun) -> Response:
    """Logged in, unless the role needs a second factor first."""
    note(request, Kind.SIGNED_UP, begun.person, begun.person.role)
    next = "/"
    if begun.unit_id is not None:
        claimed(request, app_state, begun.person, begun.unit_id, begun.has_settings)
        next = f"/charge-points/{begun.unit_id}"
    elif code_in_browser(request):
        next = "/claim"
    response = password_was_right(request, app_state, begun.person, next)
    response.delete_cookie(LOGIN_COOKIE)
    if begun.unit_id is not None:
        response.delete_cookie(CLAIM_COOKIE)
    return response


async def _again(
    request: Request, app_state: AppState, code: str, invitation: Invitation, name: str, **errors: str
) -> Response:
    """The page with what is wrong beside its field, and the name that was typed."""
    claims = await run_in_threadpool(_charger, app_state, invitation)
    return _begin_page(request, code, invitation, claims, name, 422, **errors)


def _begin_page(
    request: Request,
    code: str = "",
    invitation: Invitation | None = None,
    claims: str = "",
    name: str = "",
    status: int = 200,
    name_error: str = "",
    password_error: str = "",
) -> Response:
    content = {
        "code": code,
        "email": None if invitation is None else invitation.email,
        "role": Role.DRIVER if invitation is None else invitation.role,
        "claims": claims,
        "name": name,
        "name_error": name_error,
        "password_error": password_error,
        "shortest": MIN_LENGTH,
    }
    response = stranger_page(request, "everyone/sign_up_begin.html", status, **content)
    response.headers.update(NO_REFERRER)
    return response
