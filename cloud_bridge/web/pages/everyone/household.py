"""The members of a charge point's household: the owner invites, lists and removes members; invited people join, and may leave.

The link of an invitation is shown once, to be passed on, and is also sent by letter if an address was typed. Opening the link
only asks a question, because mail scanners open links but press no buttons.
"""

from functools import partial
from urllib.parse import urlencode

from fastapi import APIRouter, Request
from fastapi.responses import Response

from cloud_bridge.alerts.errors import NotDelivered
from cloud_bridge.alerts.mail import send_mail
from cloud_bridge.app_state import AppState
from cloud_bridge.durations import HOUR_MS
from cloud_bridge.settings import SignUp
from cloud_bridge.store.access import Person
from cloud_bridge.store.email import checked_email
from cloud_bridge.store.invitations import answer_household
from cloud_bridge.store.members import (
    InvitationRefused,
    Invited,
    end_membership,
    invite,
    invited_to,
    join,
    members_of,
    open_invitations,
    withdraw_invitation,
)
from cloud_bridge.store.northbound import hide, shown_of
from cloud_bridge.store.secrets import hash_of
from cloud_bridge.store.security_events import Kind
from cloud_bridge.web.connections import Reading, Writing
from cloud_bridge.web.errors import NotTheirs, Refused
from cloud_bridge.web.form_errors import FORM, explained
from cloud_bridge.web.page import Field, Number, OwnForm, OwnUnitOf, PersonOf, UnitOf, is_secure, page, to
from cloud_bridge.web.pages.everyone.sign_up import NOT_OPEN
from cloud_bridge.web.pages.everyone.stranger import JOIN_COOKIE, StrangerForm, join_path, stranger_page
from cloud_bridge.web.presentation.northbound_words import how_it_goes, what_it_may
from cloud_bridge.web.presentation.words import sentence
from cloud_bridge.web.security.access import StateDep, person_of
from cloud_bridge.web.security.links import check_link
from cloud_bridge.web.security.log import note
from cloud_bridge.web.security.rates import INVITATIONS, LETTERS, WITH_ONE_LABEL, is_within, use
from cloud_bridge.words import N_
from cloud_bridge.words import gettext as _

LETTER = N_(
    "{inviter} shares an electric vehicle charger with you on Chargekeeper.\n"
    "\n"
    "To use it too, open this page within a week: {link}\n"
    "\n"
    "If you do not know {inviter}, do nothing: you will not hear from us again."
)

SENT = N_("We have sent the link to {address}. You can also pass it on yourself.")
NOT_SENT = N_("The e-mail to {address} could not be sent. Pass the link on yourself.")

NOT_INVITED = N_("Nobody was invited")
GONE = (
    N_("This invitation is not valid any more"),
    N_("It was used or withdrawn, or is older than a week. Ask whoever invited you for a new one."),
)
JOIN_COOKIE_MS = HOUR_MS  # time to choose a name and a password

router = APIRouter(include_in_schema=False)


@router.get("/account/units/{unit_id}/people")
def people(request: Request, app_state: StateDep, connection: Reading, person: PersonOf, unit: OwnUnitOf) -> Response:
    verified_ms, now_ms = app_state.verified.now_ms(), app_state.clock.now_ms()
    shown = shown_of(connection, unit.id)
    content = {
        "members": members_of(connection, unit.id),
        "invitations": open_invitations(connection, unit.id, verified_ms),
        "can_write": app_state.settings.mail is not None,
        "shown": None if shown is None else (how_it_goes(shown, now_ms, unit.time_zone), what_it_may(shown)),
    }
    return page(request, "everyone/account_unit_people.html", person, unit=unit, **content)  # type: ignore[arg-type]


@router.get("/account/units/{unit_id}/people/invite")
def invitation_form(request: Request, app_state: StateDep, person: PersonOf, unit: OwnUnitOf) -> Response:
    can_write = app_state.settings.mail is not None
    return page(request, "everyone/account_unit_invite.html", person, unit=unit, can_write=can_write)


@router.post("/account/units/{unit_id}/people/invite", dependencies=[OwnForm])
def invite_person(
    request: Request, app_state: StateDep, person: PersonOf, unit: OwnUnitOf, address: Field = ""
) -> Response:
    """Create an invitation. Its link is only in this response."""
    with explained(NOT_INVITED, "address", _("Nobody was invited yet: check the address, or leave it empty.")):
        address = checked_email(address) if address.strip() else ""
    use(request, person, INVITATIONS, _("Too many invitations"), _("Nobody was invited this time."), FORM)
    if address:
        use(request, person, LETTERS, _("Too many e-mails"), _("Nobody was invited this time."), FORM)
    try:
        with (
            app_state.database.writing() as connection
        ):  # a transaction of its own: none may be open while a mail server is called
            code = invite(connection, unit.id, app_state.verified.now_ms())
    except InvitationRefused as refusal:
        raise Refused(NOT_INVITED, sentence(refusal), field=FORM) from None
    note(request, Kind.MEMBER_INVITED, person, unit.id)
    link = f"{app_state.settings.public_address}{join_path(code)}"
    sent = _send(app_state, person, address, link) if address else ""
    return page(request, "everyone/account_unit_invited.html", person, unit=unit, link=link, sent=sent)


@router.post("/account/units/{unit_id}/people/invitations/{invitation_id}/withdraw", dependencies=[OwnForm])
def withdraw(unit: OwnUnitOf, invitation_id: Number, connection: Writing) -> Response:
    """Withdraw an invitation. It is no error if it was used or withdrawn meanwhile."""
    withdraw_invitation(connection, unit.id, invitation_id)
    return to(f"/account/units/{unit.id}/people")


@router.post("/account/units/{unit_id}/people/{person_id}/remove", dependencies=[OwnForm])
def remove(request: Request, app_state: StateDep, person: PersonOf, unit: OwnUnitOf, person_id: Number) -> Response:
    with (
        app_state.database.writing() as connection
    ):  # a transaction of its own: committed before the security log has it
        if not end_membership(connection, unit.id, person_id):
            raise NotTheirs("person")
    note(request, Kind.MEMBER_REMOVED, person, f"{unit.id}, person {person_id}")
    return to(f"/account/units/{unit.id}/people")


@router.post("/account/units/{unit_id}/people/northbound/end", dependencies=[OwnForm])
def end_northbound(request: Request, app_state: StateDep, person: PersonOf, unit: OwnUnitOf) -> Response:
    """Withdraw the owner's consent to show the charge point to another back-end. It is no error to do so twice."""
    with (
        app_state.database.writing() as connection
    ):  # a transaction of its own: committed before the security log has it
        hide(connection, unit.id)
    note(request, Kind.NORTHBOUND_ENDED, person, unit.id)
    return to(f"/account/units/{unit.id}/people")


@router.post("/account/units/{unit_id}/leave", dependencies=[OwnForm])
def leave(request: Request, app_state: StateDep, person: PersonOf, unit: UnitOf) -> Response:
    with (
        app_state.database.writing() as connection
    ):  # a transaction of its own: committed before the security log has it
        if not end_membership(connection, unit.id, person.id):
            raise NotTheirs("charger")
    note(request, Kind.MEMBER_LEFT, person, unit.id)
    return to("/account/units")


@router.get("/join")
def invitation(request: Request, app_state: StateDep, code: str = "") -> Response:
    """Ask whether to join. A person who is not logged in logs in or signs up first, and is led back here."""
    person = person_of(request)
    if person is None:
        login, can_sign_up = _login_path(join_path(code)), app_state.settings.sign_up is not SignUp.CLOSED
        return stranger_page(request, "everyone/join_stranger.html", code=code, login=login, can_sign_up=can_sign_up)
    invited = _invited(app_state, code)
    if invited is None:
        raise Refused(*GONE, 404)
    return page(request, "everyone/join.html", person, code=code, name=invited.name or invited.unit_id)


@router.post("/join/sign-up", dependencies=[StrangerForm])
def sign_up_first(request: Request, app_state: StateDep, code: Field) -> Response:
    """Let a person with the owner's link sign up. A cookie stores the code until they have. The invitation is not used up."""
    if app_state.settings.sign_up is SignUp.CLOSED:
        raise Refused(*NOT_OPEN)
    check_link(request, app_state, partial(_invited, app_state, code), GONE)
    if not is_within(request, hash_of(code), WITH_ONE_LABEL):
        raise Refused(
            _("Too many tries"), _("Too many accounts were begun with this invitation. Try again tomorrow."), 429
        )
    with app_state.database.writing() as connection:
        begin = answer_household(connection, app_state.verified.now_ms())
    response = to(f"/sign-up/begin?{urlencode({'code': begin})}")
    response.set_cookie(
        JOIN_COOKIE, code, JOIN_COOKIE_MS // 1000, httponly=True, samesite="lax", secure=is_secure(request)
    )
    return response


@router.post("/join", dependencies=[OwnForm])
def accept(request: Request, app_state: StateDep, person: PersonOf, code: Field, connection: Writing) -> Response:
    try:
        unit_id = join(connection, person, code, app_state.clock.now_ms(), app_state.verified.now_ms())
    except InvitationRefused as refusal:
        raise Refused(_("You have not joined"), sentence(refusal)) from None
    note(request, Kind.MEMBER_JOINED, person, unit_id)
    response = to(f"/charge-points/{unit_id}")
    response.delete_cookie(JOIN_COOKIE)
    return response


def _invited(app_state: AppState, code: str) -> Invited | None:
    with app_state.database.reading() as connection:
        return invited_to(connection, code, app_state.verified.now_ms())


def _send(app_state: AppState, person: Person, address: str, link: str) -> str:
    """Send the letter, and return the message for the owner."""
    try:
        send_mail(app_state.settings.mail, address, _(LETTER).format(inviter=person.name, link=link))
    except NotDelivered:
        return _(NOT_SENT).format(address=address)
    return _(SENT).format(address=address)


def _login_path(back: str) -> str:
    """Return the path of a login that leads back to `back`."""
    return f"/login?{urlencode({'next': back})}"
