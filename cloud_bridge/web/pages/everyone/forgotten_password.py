"""A forgotten password: a letter to the account's address contains a link to set a new one.

The response is the same, and takes equally long, whether or not there is such an account: the thread that writes the letter
looks it up. A new password logs nobody in, so a second factor is asked for at the next login.
"""

from functools import partial
from typing import Annotated

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import Response
from starlette.concurrency import run_in_threadpool

from cloud_bridge.alerts import account_letters
from cloud_bridge.alerts.letters import Letter
from cloud_bridge.app_state import AppState
from cloud_bridge.passwords import MAX_LENGTH, MIN_LENGTH
from cloud_bridge.store.access import Person
from cloud_bridge.store.email import email_of
from cloud_bridge.store.password_resets import account_called, ask_for_reset, find_reset, use_reset
from cloud_bridge.store.people import set_password
from cloud_bridge.store.security_events import Kind
from cloud_bridge.web.errors import Refused
from cloud_bridge.web.form_errors import FORM, explained, sent_code
from cloud_bridge.web.page import MAX_FIELD, Field, page
from cloud_bridge.web.pages.everyone.stranger import LOGIN_COOKIE, NO_REFERRER, StrangerForm, stranger_page
from cloud_bridge.web.security.access import SESSION_COOKIE, StateDep
from cloud_bridge.web.security.links import check_link
from cloud_bridge.web.security.log import note
from cloud_bridge.web.security.rates import ASKED_LETTERS, TO_ONE, is_within, use_of_network
from cloud_bridge.words import N_
from cloud_bridge.words import gettext as _
from cloud_bridge.words.language import choose_language

LATER = (N_("The e-mail could not be sent"), N_("Nothing was changed. Please try again later."), 503, FORM)
GONE = (N_("This link is not valid any more"), N_("It was used, or is older than an hour. Ask for a new e-mail."))

router = APIRouter(prefix="/login", include_in_schema=False)


@router.get("/forgotten")
def forgotten(request: Request, app_state: StateDep) -> Response:
    return stranger_page(request, "everyone/forgotten.html", can_write=app_state.settings.mail is not None)


@router.post("/forgotten", dependencies=[StrangerForm])
def ask_for_letter(request: Request, app_state: StateDep, who: Field) -> Response:
    use_of_network(request, ASKED_LETTERS, _("Too many e-mails"), _("Look for the one that we sent."), FORM)
    if not app_state.letters.post(partial(_letter, request, app_state, who)):
        raise Refused(*LATER)
    return page(request, "everyone/forgotten_sent.html", None)


def _letter(request: Request, app_state: AppState, who: str) -> Letter | None:
    """Write the letter. Runs in a thread of alerts/letters.py. Return None if there is no such account, if it has no address,
    or if its letters are used up."""
    with app_state.database.writing() as connection:
        person = account_called(connection, who)
        address = None if person is None else email_of(connection, person.id)
        if person is None or address is None or not is_within(request, person.id, TO_ONE):
            return None
        code = ask_for_reset(connection, person, app_state.verified.now_ms())
    note(request, Kind.PASSWORD_FORGOTTEN, person)
    link = f"{app_state.settings.public_address}/login/new-password?code={code}"
    choose_language(person.language)
    return Letter(address, account_letters.forgotten_password(person.name, link))


@router.get("/new-password")
def link_opened(
    request: Request, app_state: StateDep, code: Annotated[str, Query(max_length=MAX_FIELD)] = ""
) -> Response:
    """Show the form. Opening the link uses nothing up, because mail scanners open links but press no buttons."""
    code = sent_code(request, code)
    person = check_link(request, app_state, partial(_person, app_state, code), GONE)
    response = stranger_page(request, "everyone/new_password.html", code=code, name=person.name, shortest=MIN_LENGTH)
    response.headers.update(NO_REFERRER)
    return response


@router.post("/new-password", dependencies=[StrangerForm])
async def set_new_password(
    request: Request, app_state: StateDep, code: Field, password: Annotated[str, Form(max_length=MAX_LENGTH)]
) -> Response:
    """Set the password. This ends all of the person's sessions and tokens."""
    person = await run_in_threadpool(check_link, request, app_state, partial(_person, app_state, code), GONE)
    async with app_state.passwords.turn() as passwords:
        known = await run_in_threadpool(_known_words, app_state, person)
        with explained(_("The password was not changed"), "password"):
            password_hash = await run_in_threadpool(passwords.hash_chosen, password, known)
    await run_in_threadpool(_set, request, app_state, code, password_hash)
    response = page(request, "everyone/new_password_set.html", None)
    for cookie in (LOGIN_COOKIE, SESSION_COOKIE):
        response.delete_cookie(cookie)
    return response


def _set(request: Request, app_state: AppState, code: str, password_hash: str) -> None:
    with (
        app_state.database.writing() as connection
    ):  # a transaction of its own: the password was hashed in this request
        person = use_reset(connection, code, app_state.verified.now_ms())
        if person is None:  # two responses at once: the other one was first
            raise Refused(*GONE)
        set_password(connection, person, password_hash)
        address = email_of(connection, person.id)
    note(request, Kind.PASSWORD_RESET, person)
    if address is not None:
        choose_language(person.language)
        text = account_letters.password_changed(person.name, app_state.settings.public_address)
        app_state.letters.post(lambda: Letter(address, text))


def _person(app_state: AppState, code: str) -> Person | None:
    with app_state.database.reading() as connection:
        return find_reset(connection, code, app_state.verified.now_ms())


def _known_words(app_state: AppState, person: Person) -> list[str]:
    """Return words that a guesser knows and the password may therefore not be."""
    with app_state.database.reading() as connection:
        address = email_of(connection, person.id) or ""
    return [person.name, *address.split("@")]
