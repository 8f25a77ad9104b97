"""The account's e-mail address. A new address takes effect when the link in the letter to it has been opened.

A letter to the address can set a new password (forgotten_password.py). The change therefore needs the present password, and
the previous address is notified.
"""

from functools import partial
from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import Response

from cloud_bridge.alerts import account_letters
from cloud_bridge.alerts.errors import NotDelivered
from cloud_bridge.alerts.letters import Letter
from cloud_bridge.alerts.mail import send_mail
from cloud_bridge.errors import AlreadyThere, BridgeError
from cloud_bridge.passwords import MAX_LENGTH
from cloud_bridge.store.access import Person
from cloud_bridge.store.email import ask_for_change, confirm_change, email_of, forget_change, pending_email
from cloud_bridge.store.security_events import Kind
from cloud_bridge.web.connections import Reading
from cloud_bridge.web.errors import Refused
from cloud_bridge.web.form_errors import FORM
from cloud_bridge.web.page import Field, OwnForm, PersonOf, page, to
from cloud_bridge.web.pages.everyone.login import knows_own
from cloud_bridge.web.security.access import PasswordsOf, StateDep, person_of
from cloud_bridge.web.security.log import note
from cloud_bridge.web.security.rates import LETTERS, use
from cloud_bridge.words import N_
from cloud_bridge.words import gettext as _
from cloud_bridge.words.language import choose_language

LETTER = N_(
    "Somebody, probably you, wants Chargekeeper to write to this address.\n"
    "\n"
    "To agree, open this page within a day: {link}\n"
    "\n"
    "If it was not you, do nothing: you will not hear from us again."
)

router = APIRouter(prefix="/account/email", include_in_schema=False)


@router.get("")
def email(request: Request, app_state: StateDep, connection: Reading, person: PersonOf) -> Response:
    address = email_of(connection, person.id)
    pending = pending_email(connection, person.id, app_state.verified.now_ms())
    can_write = app_state.settings.mail is not None
    return page(request, "everyone/account_email.html", person, address=address, pending=pending, can_write=can_write)


@router.post("", dependencies=[OwnForm])
def change(
    request: Request,
    app_state: StateDep,
    passwords: PasswordsOf,
    person: PersonOf,
    address: Field,
    password: Annotated[str, Form(max_length=MAX_LENGTH)],
) -> Response:
    if not knows_own(request, app_state, passwords, person, password, "to change the e-mail address"):
        raise Refused(_("Nothing was changed"), _("That is not your password."), field="password")
    use(request, person, LETTERS, _("Too many e-mails"), _("Look for the one that we sent. Nothing was changed."), FORM)
    try:
        with (
            app_state.database.writing() as connection
        ):  # a transaction of its own: none may be open while a mail server is called
            code = ask_for_change(connection, person, address, app_state.verified.now_ms())
        letter = _(LETTER).format(link=f"{app_state.settings.public_address}/account/email/confirm?code={code}")
        send_mail(app_state.settings.mail, address.strip(), letter)
    except BridgeError:
        meaning = _("That is no e-mail address. Check it, and try again. Nothing was changed.")
        raise Refused(_("That is no e-mail address"), meaning, field="address") from None
    except NotDelivered:
        with app_state.database.writing() as connection:  # a transaction of its own: the one above is committed
            forget_change(connection, person)
        meaning = _("Nothing was changed. Please try again later.")
        raise Refused(_("The e-mail could not be sent"), meaning, 503, FORM) from None
    return to("/account/email")


@router.get("/confirm")
def letter_opened(request: Request, code: str = "") -> Response:
    """Ask for confirmation, because mail scanners open links but press no buttons."""
    return page(request, "everyone/account_email_confirm.html", person_of(request), code=code)


def _told(former: str, person: Person) -> Letter:
    """Write the letter to the previous address. Runs in a thread of alerts/letters.py."""
    choose_language(person.language)
    return Letter(former, account_letters.email_changed(person.name))


@router.post("/confirm")
def confirm(request: Request, app_state: StateDep, code: Field) -> Response:
    """Confirm the address. Whoever has the code has received the letter, so no login is needed, for example on another
    phone."""
    try:
        with (
            app_state.database.writing() as connection
        ):  # a transaction of its own: committed before the letter is sent
            changed = confirm_change(connection, code, app_state.verified.now_ms())
    except AlreadyThere:
        raise Refused(
            _("Another account has this address"), _("Nothing was changed. Each address has one account.")
        ) from None
    if changed is None:
        raise Refused(
            _("This link is not valid any more"), _("It was used, or is older than a day. Ask for a new e-mail.")
        )
    note(request, Kind.EMAIL_CHANGED, changed.person)
    if changed.former is not None:
        app_state.letters.post(partial(_told, changed.former, changed.person))
    return page(request, "everyone/account_email_confirmed.html", person_of(request), address=changed.address)
