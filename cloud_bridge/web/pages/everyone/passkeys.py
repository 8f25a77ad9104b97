"""The account's passkeys: add, rename and remove them.

Adding one needs the password, and a code if there is a second factor, because a passkey logs in without either. Somebody who
finds an open browser can therefore add none. The page after that contains a challenge that only this browser session can
answer.
"""

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from cloud_bridge.store.access import Person
from cloud_bridge.store.passkeys import (
    NAME_MAX,
    PASSKEYS_MAX,
    add_passkey,
    credential_ids_of,
    handle_of,
    passkeys_of,
    remove_passkey,
    rename_passkey,
)
from cloud_bridge.store.second_factors import second_factor_of
from cloud_bridge.store.security_events import Kind
from cloud_bridge.web.connections import Reading, Writing
from cloud_bridge.web.errors import NotTheirs, Refused
from cloud_bridge.web.form_errors import explained
from cloud_bridge.web.page import Field, Number, OwnForm, PersonOf, page, to
from cloud_bridge.web.pages.everyone.login_passkey import Credential
from cloud_bridge.web.pages.everyone.second_factor import must_know_both, must_know_password
from cloud_bridge.web.public_address import address_of
from cloud_bridge.web.security.access import SESSION_COOKIE, PasswordsOf, StateDep
from cloud_bridge.web.security.challenges import Challenges
from cloud_bridge.web.security.log import note
from cloud_bridge.web.security.passkey_check import (
    PasskeyRefused,
    check_attestation,
    creation_options,
    read_attestation,
)
from cloud_bridge.web.security.relying_party import RelyingParty, relying_party
from cloud_bridge.words import N_
from cloud_bridge.words import gettext as _

HERE = "/account/passkeys"
NOT_ADDED = N_("The passkey was not added")

router = APIRouter(prefix=HERE, include_in_schema=False)


@router.get("")
def overview(request: Request, connection: Reading, person: PersonOf) -> Response:
    address = address_of(request)
    content: dict[str, Any] = {
        "passkeys": passkeys_of(connection, person.id),
        "most": PASSKEYS_MAX,
        "longest": NAME_MAX,
        "address": address.url,
        "is_offered": relying_party(address) is not None,
        "has_second_factor": second_factor_of(connection, person.id) is not None,
    }
    return page(request, "everyone/account_passkeys.html", person, **content)


@router.get("/new")
def begin_again(_person: PersonOf) -> Response:
    """Redirect to the overview: the page with a challenge is shown only after the password. "Back" on an error page leads
    here."""
    return to(HERE)


@router.post("/new", dependencies=[OwnForm])
def new(
    request: Request,
    app_state: StateDep,
    passwords: PasswordsOf,
    person: PersonOf,
    password: Field,
    code: Field = "",
) -> Response:
    """Show the page on which the browser asks the authenticator for a new passkey."""
    party = _party(request)
    with (
        app_state.database.reading() as connection
    ):  # a transaction of its own: none may be open while a password is hashed
        has_second_factor = second_factor_of(connection, person.id) is not None
    if has_second_factor:
        must_know_both(request, app_state, passwords, person, password, code, "to add a passkey")
    else:
        must_know_password(request, app_state, passwords, person, password, "to add a passkey")
    with (
        app_state.database.writing() as connection
    ):  # a transaction of its own: the password was hashed in this request
        handle, ids = handle_of(connection, person.id), credential_ids_of(connection, person.id)
    challenges: Challenges = request.app.state.challenges
    challenge = challenges.new(_purpose(person), request.cookies.get(SESSION_COOKIE, ""), app_state.verified.now_ms())
    options = creation_options(party, challenge, person.name, handle, ids)
    return page(request, "everyone/account_passkey_new.html", person, options=options, longest=NAME_MAX)


@router.post("", dependencies=[OwnForm])
def add(
    request: Request, app_state: StateDep, person: PersonOf, name: Field, credential: Credential, connection: Writing
) -> Response:
    party, now_ms = _party(request), app_state.verified.now_ms()
    challenges: Challenges = request.app.state.challenges
    try:
        attestation = read_attestation(credential)
        browser = request.cookies.get(SESSION_COOKIE, "")
        if not challenges.is_good(attestation.challenge, _purpose(person), browser, now_ms):
            raise PasskeyRefused("the challenge is none of ours, or is over")
        row = check_attestation(attestation, party)
        if not challenges.use(attestation.challenge, now_ms):
            raise PasskeyRefused("the challenge has counted")
    except PasskeyRefused:
        meaning = _(
            "It took too long, or this browser sent none that we can use. Go back to your passkeys, and begin again."
        )
        raise Refused(NOT_ADDED, meaning) from None
    with explained(NOT_ADDED, "name"):
        number = add_passkey(connection, person.id, name, row, app_state.clock.now_ms())
    note(request, Kind.PASSKEY_ADDED, person, f"passkey {number}")
    return to(HERE)


@router.post("/{number}", dependencies=[OwnForm])
def rename(person: PersonOf, number: Number, name: Field, connection: Writing) -> Response:
    with explained(_("The passkey was not renamed"), "name"):
        if not rename_passkey(connection, person.id, number, name):
            raise NotTheirs("passkey")
    return to(HERE)


@router.post("/{number}/remove", dependencies=[OwnForm])
def remove(request: Request, person: PersonOf, number: Number, connection: Writing) -> Response:
    """Remove a passkey. This needs no password, because it grants no access. Sessions that it has opened go on."""
    if not remove_passkey(connection, person.id, number):
        raise NotTheirs("passkey")
    note(request, Kind.PASSKEY_REMOVED, person, f"passkey {number}")
    return to(HERE)


def _party(request: Request) -> RelyingParty:
    """Return the relying party. Raises Refused."""
    party = relying_party(address_of(request))
    if party is None:
        raise Refused(
            _("Passkeys are not offered here"), _("Browsers keep none for this address. Nothing was changed.")
        )
    return party


def _purpose(person: Person) -> str:
    """Return the purpose of the challenges."""
    return f"add a passkey of person {person.id}"
