"""The page where an account is created: a name, a password, and the charge point whose label was scanned.

A letter or an invitation leads here, or the sign-up page if no letters are sent. Nobody can therefore choose a password for an
account with somebody else's address. Opening the link creates nothing, because mail scanners open links.
"""

from functools import partial
from typing import Annotated, Any, NamedTuple

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import Response
from starlette.concurrency import run_in_threadpool

from cloud_bridge.app_state import AppState
from cloud_bridge.errors import AlreadyThere
from cloud_bridge.passwords import MAX_LENGTH, MIN_LENGTH
from cloud_bridge.store.access import Person, Role
from cloud_bridge.store.claims import ClaimRefused, claim_by_hash, unclaimed_unit, was_owned
from cloud_bridge.store.email import person_with_email
from cloud_bridge.store.invitations import Invitation, find_invitation, use_invitation
from cloud_bridge.store.names import checked
from cloud_bridge.store.people import add_person, find_person
from cloud_bridge.store.security_events import Kind
from cloud_bridge.web.errors import Refused
from cloud_bridge.web.form_errors import FORM, explained, sent_code
from cloud_bridge.web.page import MAX_FIELD, Field, to
from cloud_bridge.web.pages.everyone.claim import CLAIM_COOKIE, claimed, code_in_browser
from cloud_bridge.web.pages.everyone.login import admit
from cloud_bridge.web.pages.everyone.sign_up import NO_LABEL, may_sign_up, proof_of_stranger, use_label
from cloud_bridge.web.pages.everyone.stranger import (
    JOIN_COOKIE,
    NO_REFERRER,
    StrangerForm,
    join_path,
    stranger_page,
)
from cloud_bridge.web.security.access import StateDep
from cloud_bridge.web.security.links import check_link
from cloud_bridge.web.security.log import note
from cloud_bridge.web.security.rates import SIGN_UPS, use_of_network
from cloud_bridge.words import N_
from cloud_bridge.words import gettext as _

GONE = (N_("This link is not valid any more"), N_("It was used, or is too old. Ask for a new one."))
NOT_BEGUN, NOTHING_MADE = N_("Your account has not begun"), N_("No account was made.")
TAKEN = N_("This name is taken, or looks like one that is. Choose another one.")

router = APIRouter(prefix="/sign-up/begin", include_in_schema=False)


class Begun(NamedTuple):
    """A new account, and the charge point that was claimed with it."""

    person: Person
    unit_id: str | None
    has_settings: bool  # a former owner has left settings on the charge point


@router.get("")
def new_account(
    request: Request, app_state: StateDep, code: Annotated[str, Query(max_length=MAX_FIELD)] = ""
) -> Response:
    """Show the form. It uses nothing up. Without a code, it is for those who may sign up where no letters are sent."""
    code = sent_code(request, code)
    if not code:
        label = code_in_browser(request)
        may = may_sign_up(app_state.settings.sign_up, is_invited=False, has_label=bool(label))
        if app_state.settings.mail is not None or not may:
            return to("/sign-up")
        return _begin_page(request, claims=_("the charger with the code {label}").format(label=label) if label else "")
    invitation = check_link(request, app_state, partial(_invitation, app_state, code), GONE)
    return _begin_page(request, code, invitation, _charger(app_state, invitation))


@router.post("", dependencies=[StrangerForm])
async def begin(
    request: Request,
    app_state: StateDep,
    name: Annotated[str, Form(max_length=MAX_FIELD)],
    password: Annotated[str, Form(max_length=MAX_LENGTH)],
    code: Field = "",
    claim: Field = "",
) -> Response:
    """Create the account, with an invitation or, without a mail server, also without one."""
    use_of_network(request, SIGN_UPS, _("Too many tries"), _("No account was made."), FORM)
    if code:
        invitation = await run_in_threadpool(
            check_link, request, app_state, partial(_invitation, app_state, code), GONE
        )
    else:
        invitation = await run_in_threadpool(_without_letter, request, app_state)
    with explained(NOT_BEGUN, "name", NOTHING_MADE):
        name = checked(name)
    known = [name, *(invitation.email or "").split("@")]
    async with app_state.passwords.turn() as passwords:
        with explained(NOT_BEGUN, "password", NOTHING_MADE):
            password_hash = await run_in_threadpool(passwords.hash_chosen, password, known)
    if not code:
        use_label(request, invitation.claim_hash)
    new = partial(_add_account, app_state, code, invitation, name, password_hash, bool(claim))
    try:
        begun = await run_in_threadpool(new)
    except AlreadyThere:
        raise Refused(NOT_BEGUN, TAKEN, field="name") from None
    return await run_in_threadpool(_welcome, request, app_state, begun)


def _without_letter(request: Request, app_state: AppState) -> Invitation:
    """Return the invitation of a person who signs up where no letters are sent."""
    if app_state.settings.mail is not None:
        raise Refused(*GONE)
    return Invitation(Role.DRIVER, None, True, proof_of_stranger(request, app_state))


def _invitation(app_state: AppState, code: str) -> Invitation | None:
    """Return the invitation if it is valid under today's setting, else None."""
    with app_state.database.reading() as connection:
        found = find_invitation(connection, code, app_state.verified.now_ms())
    if found is None:
        return None
    setting = app_state.settings.sign_up
    return found if may_sign_up(setting, not found.asked, found.claim_hash is not None) else None


def _charger(app_state: AppState, invitation: Invitation) -> str:
    """Return the charge point that can be claimed with the account, in words; empty if there is none."""
    if invitation.claim_hash is None:
        return ""
    with app_state.database.reading() as connection:
        unit_id = unclaimed_unit(connection, invitation.claim_hash)
    return "" if unit_id is None else _("the charger {unit_id}").format(unit_id=unit_id)


def _add_account(
    app_state: AppState, code: str, invitation: Invitation, name: str, password_hash: str, is_claiming: bool
) -> Begun:
    """Create the account and claim the charge point in one transaction. Raises AlreadyThere if the name is taken, and Refused
    if somebody else was faster."""
    now_ms, claim_hash = app_state.verified.now_ms(), invitation.claim_hash
    with (
        app_state.database.writing() as connection
    ):  # a transaction of its own: the password was hashed in this request
        if code and use_invitation(connection, code, now_ms) is None:
            raise Refused(*GONE)
        if invitation.email is not None and person_with_email(connection, invitation.email) is not None:
            raise Refused(
                _("You have an account already"), _("Somebody has signed up with this address meanwhile: log in.")
            )
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
        except ClaimRefused:  # somebody was faster; /account/units reports it when they try again
            return Begun(person, None, False)


def _welcome(request: Request, app_state: AppState, begun: Begun) -> Response:
    """Log the person in, unless the role requires a second factor first."""
    note(request, Kind.SIGNED_UP, begun.person, begun.person.role)
    next = "/"
    if begun.unit_id is not None:
        claimed(request, app_state, begun.person, begun.unit_id, begun.has_settings)
        next = f"/charge-points/{begun.unit_id}"
    elif join_code := request.cookies.get(JOIN_COOKIE):
        next = join_path(join_code)
    elif code_in_browser(request):
        next = "/claim"
    response = admit(request, app_state, begun.person, next)
    if begun.unit_id is not None:
        response.delete_cookie(CLAIM_COOKIE)
    return response


def _begin_page(
    request: Request,
    code: str = "",
    invitation: Invitation | None = None,
    claims: str = "",
) -> Response:
    content: dict[str, Any] = {
        "code": code,
        "email": None if invitation is None else invitation.email,
        "role": Role.DRIVER if invitation is None else invitation.role,
        "claims": claims,
        "shortest": MIN_LENGTH,
    }
    response = stranger_page(request, "everyone/sign_up_begin.html", **content)
    response.headers.update(NO_REFERRER)
    return response
