"""The page where operators invite people to any role, and support invites drivers."""

from typing import Annotated, Any

from fastapi import APIRouter, Form, Request
from fastapi.responses import Response

from cloud_bridge.alerts import account_letters
from cloud_bridge.alerts.errors import NotDelivered
from cloud_bridge.alerts.mail import send_mail
from cloud_bridge.app_state import AppState
from cloud_bridge.settings import SignUp
from cloud_bridge.store.access import ROLE_NAMES, Person, Role, Scope
from cloud_bridge.store.email import checked_email
from cloud_bridge.store.invitations import (
    MAY_INVITE,
    forget_invitation,
    invite,
    link_of,
    may_invite,
    open_invitations,
    withdraw_invitation,
)
from cloud_bridge.store.security_events import Kind
from cloud_bridge.web.connections import Writing
from cloud_bridge.web.errors import NotTheirs, Refused
from cloud_bridge.web.form_errors import FORM, explained
from cloud_bridge.web.page import Field, Number, OwnForm, PersonOf, only, page, to
from cloud_bridge.web.security.access import StateDep
from cloud_bridge.web.security.log import note
from cloud_bridge.web.security.rates import LETTERS, use
from cloud_bridge.words import gettext as _

router = APIRouter(prefix="/invitations", include_in_schema=False, dependencies=[only(Scope.SUPPORT)])


@router.get("")
def invitations(request: Request, app_state: StateDep, person: PersonOf) -> Response:
    return _page(request, app_state, person)


@router.post("", dependencies=[OwnForm])
def send_invitation(
    request: Request,
    app_state: StateDep,
    person: PersonOf,
    role: Annotated[Role, Form()],
    address: Field = "",
) -> Response:
    """Send an invitation by letter. Without a mail server, show its link, once."""
    if app_state.settings.sign_up is SignUp.CLOSED or not may_invite(person, role):
        raise NotTheirs("page")
    mail = app_state.settings.mail
    with explained(_("Nobody was invited"), FORM if mail is None else "address"):
        email = None if mail is None else checked_email(address)
        if mail is not None:
            use(request, person, LETTERS, _("Too many e-mails"), _("Nobody was invited by this one."), FORM)
        with (
            app_state.database.writing() as connection
        ):  # a transaction of its own: none may be open while a mail server is called
            code = invite(connection, role, app_state.verified.now_ms(), email, person)
    link = link_of(app_state.settings.public_address, code)
    if email is not None:
        _send(app_state, email, account_letters.invitation(role, link), code)
    note(request, Kind.INVITED, person, role)
    return _page(request, app_state, person, link="" if email else link, sent_to=email or "")


@router.post("/{invitation_id}/withdraw", dependencies=[OwnForm])
def withdraw(request: Request, person: PersonOf, invitation_id: Number, connection: Writing) -> Response:
    if not withdraw_invitation(connection, person, invitation_id):
        raise NotTheirs("invitation")
    note(request, Kind.INVITATION_WITHDRAWN, person)
    return to("/invitations")


def _send(app_state: AppState, email: str, text: str, code: str) -> None:
    """Send the letter. If that fails, delete the invitation and raise Refused."""
    try:
        send_mail(app_state.settings.mail, email, text)
    except NotDelivered:
        with app_state.database.writing() as connection:  # a transaction of its own: the previous one is committed
            forget_invitation(connection, code)
        meaning = _("Nobody was invited. Please try again later.")
        raise Refused(_("The e-mail could not be sent"), meaning, 503, FORM) from None


def _page(
    request: Request,
    app_state: AppState,
    person: Person,
    link: str = "",
    sent_to: str = "",
) -> Response:
    with app_state.database.reading() as connection:
        open_now = open_invitations(connection, person, app_state.verified.now_ms())
    content: dict[str, Any] = {
        "open": open_now,
        "roles": sorted(MAY_INVITE[person.role]),
        "role_names": {role: _(name) for role, name in ROLE_NAMES.items()},
        "is_closed": app_state.settings.sign_up is SignUp.CLOSED,
        "can_write": app_state.settings.mail is not None,
    }
    return page(request, "operator/invitations.html", person, link=link, sent_to=sent_to, **content)
