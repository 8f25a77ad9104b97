"""The account: how to be reached, password, chargers with their site and tariff, and one's own data."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any, Literal
from zoneinfo import available_timezones

from fastapi import APIRouter, Form, Request
from fastapi.responses import Response

from cloud_bridge import commands
from cloud_bridge.currencies import CURRENCIES
from cloud_bridge.distances import Distances
from cloud_bridge.errors import BridgeError
from cloud_bridge.passwords import MIN_LENGTH
from cloud_bridge.store import contact_details
from cloud_bridge.store.claims import ClaimRefused, claim, release, was_owned
from cloud_bridge.store.email import email_of
from cloud_bridge.store.people import choose_distances, chosen_distances, set_password, usual_distances
from cloud_bridge.store.security_events import Kind
from cloud_bridge.store.sites import MAX_NAME, currency_of, describe_site, set_currency, set_tariff, tariff_of
from cloud_bridge.store.units import Unit, visible_units
from cloud_bridge.web.connections import Reading, Writing
from cloud_bridge.web.errors import NotTheirs, Refused
from cloud_bridge.web.form_errors import FORM
from cloud_bridge.web.page import Field, OwnForm, PersonOf, UnitOf, page, to
from cloud_bridge.web.pages.everyone.login import give_session, knows_own
from cloud_bridge.web.presentation.tariff_form import TariffForm, filled, read
from cloud_bridge.web.presentation.words import lasting
from cloud_bridge.web.security.access import PasswordsOf, StateDep
from cloud_bridge.web.security.attempts import Attempts, Limit
from cloud_bridge.web.security.log import note

TIME_ZONES = sorted(zone for zone in available_timezones() if "/" in zone and not zone.startswith(("Etc/", "SystemV/")))
CLAIM_GUESSES = 10  # wrong codes that a person may type in 15 minutes

router = APIRouter(prefix="/account", include_in_schema=False)


@router.get("")
def overview(request: Request, person: PersonOf) -> Response:
    return page(request, "everyone/account.html", person)


@router.get("/details")
def details(request: Request, connection: Reading, person: PersonOf) -> Response:
    known = contact_details.details_of(connection, person.id)
    return page(request, "everyone/account_details.html", person, details=known)


@router.post("/details", dependencies=[OwnForm])
def change_details(
    person: PersonOf,
    connection: Writing,
    full_name: Annotated[str, Form(max_length=contact_details.MAX_NAME)] = "",
    phone: Annotated[str, Form(max_length=contact_details.MAX_PHONE)] = "",
) -> Response:
    with _explained("These details were not taken", FORM):
        contact_details.set_details(connection, person.id, full_name, phone)
    return to("/account")


@router.get("/distances")
def distances(request: Request, connection: Reading, person: PersonOf) -> Response:
    chosen, usual = chosen_distances(connection, person.id), usual_distances(connection, person.id)
    return page(request, "everyone/account_distances.html", person, chosen=chosen, usual=usual)


@router.post("/distances", dependencies=[OwnForm])
def change_distances(
    person: PersonOf, connection: Writing, unit: Annotated[Distances | Literal[""], Form()] = ""
) -> Response:
    choose_distances(connection, person.id, unit or None)
    return to("/account")


@router.get("/password")
def password(request: Request, person: PersonOf) -> Response:
    return page(request, "everyone/account_password.html", person, shortest=MIN_LENGTH)


@router.post("/password", dependencies=[OwnForm])
def change_password(
    request: Request, app_state: StateDep, passwords: PasswordsOf, person: PersonOf, old: Field, new: Field
) -> Response:
    """Every other browser is logged out, and every token of theirs ends; this browser goes on."""
    if not knows_own(request, app_state, passwords, person, old, "to change it"):
        meaning = "That is not your password. Nothing was changed."
        raise Refused("The password was not changed", meaning, field="old")
    with app_state.database.reading() as connection:  # of its own: none is held while a password is hashed
        address = email_of(connection, person.id) or ""
    with _explained("The password was not changed", "new"):
        password_hash = passwords.hash_chosen(new, [person.name, *address.split("@")])
    with app_state.database.writing() as connection:  # of its own, and committed before live streams look again
        set_password(connection, person, password_hash)
    app_state.live.access_changed()
    note(request, Kind.PASSWORD_CHANGED, person)
    response = to("/account")
    give_session(request, response, app_state, person)
    return response


@router.get("/units")
def units(request: Request, connection: Reading, person: PersonOf) -> Response:
    owned = [unit for unit in visible_units(connection, person) if unit.owner_id == person.id]
    return page(request, "everyone/account_units.html", person, units=owned)


@router.post("/units", dependencies=[OwnForm])
def claim_unit(request: Request, app_state: StateDep, person: PersonOf, code: Field) -> Response:
    """A charger becomes the driver's with the code on its label. One that was another's is told to forget their hours."""
    attempts: Attempts = request.app.state.attempts
    limits, now_ms = [Limit(f"claim {person.id}", CLAIM_GUESSES)], app_state.verified.now_ms()
    wait_ms = attempts.wait_ms(limits, now_ms)
    if wait_ms:
        meaning = f"Too many codes that do not exist. Check the label, then try again in {lasting(wait_ms)}."
        raise Refused("Too many codes", meaning, 429, "code")
    try:
        with app_state.database.writing() as connection:  # of its own: none is held while a broker is called
            has_settings = was_owned(connection, code)
            unit_id = claim(connection, person, code, app_state.clock.now_ms())
    except ClaimRefused as refusal:
        attempts.failed(limits, now_ms)
        note(request, Kind.WRONG_CLAIM_CODE, person)
        meaning = f"{_sentence(refusal)} Nothing was changed."
        raise Refused("That code did not work", meaning, field="code") from None
    note(request, Kind.CLAIMED, person, unit_id)
    if has_settings:
        commands.reset(app_state, unit_id, person.id)
    return to(f"/account/units/{unit_id}")


@router.get("/units/{unit_id}")
def unit_settings(request: Request, connection: Reading, person: PersonOf, unit: UnitOf) -> Response:
    _own(person.id, unit)
    content: dict[str, Any] = {
        "installer": contact_details.installer_details(connection, unit.id),
        "time_zones": TIME_ZONES,
        "currencies": CURRENCIES.values(),
        "currency": currency_of(connection, unit.id),
        "tariff": filled(tariff_of(connection, unit.id)),
    }
    return page(request, "everyone/account_unit.html", person, unit=unit, **content)


@router.post("/units/{unit_id}", dependencies=[OwnForm])
def change_unit(
    person: PersonOf,
    unit: UnitOf,
    connection: Writing,
    time_zone: Field,
    currency: Field = "",
    name: Annotated[str, Form(max_length=MAX_NAME)] = "",
    rate: Field = "",
    off_peak_rate: Field = "",
    off_peak_from: Field = "00:00",
    off_peak_to: Field = "00:00",
) -> Response:
    """`currency`: left out by a page from before there was a choice."""
    _own(person.id, unit)
    tariff = read(TariffForm(rate, off_peak_rate, off_peak_from, off_peak_to))
    title = "These settings were not taken"
    with _explained(title, "time_zone"):
        describe_site(connection, unit.id, name, time_zone)
    with _explained(title, "currency"):
        set_currency(connection, unit.id, currency or currency_of(connection, unit.id).code)
    with _explained(title, "rate"):
        set_tariff(connection, unit.id, tariff)
    return to("/account/units")


@router.post("/units/{unit_id}/release", dependencies=[OwnForm])
def release_unit(request: Request, app_state: StateDep, person: PersonOf, unit: UnitOf) -> Response:
    """For a house that is sold: the next owner claims it with the same label."""
    with app_state.database.writing() as connection:  # of its own: committed before live streams look again
        if not release(connection, unit.id, person.id, now_ms=app_state.clock.now_ms()):
            raise NotTheirs("charger")
    app_state.live.access_changed()
    note(request, Kind.RELEASED, person, unit.id)
    return to("/account/units")


def _own(person_id: int, unit: Unit) -> None:
    """Whoever may merely look at a unit does not change its site."""
    if unit.owner_id != person_id:
        raise NotTheirs("charger")


@contextmanager
def _explained(title: str, field: str) -> Iterator[None]:
    """A refusal of the store stands beside the field that it is about."""
    try:
        yield
    except BridgeError as error:
        raise Refused(title, f"{_sentence(error)} Nothing was changed.", field=field) from None


def _sentence(error: BridgeError) -> str:
    text = str(error)
    return f"{text[:1].upper()}{text[1:]}."
