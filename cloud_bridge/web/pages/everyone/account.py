"""The account: contact details, password, charge points with their site and tariff, and personal data."""

from typing import Annotated, Any, Literal
from zoneinfo import available_timezones

from fastapi import APIRouter, Form, Request
from fastapi.responses import Response

from cloud_bridge.currencies import CURRENCIES
from cloud_bridge.distances import Distances
from cloud_bridge.passwords import MIN_LENGTH
from cloud_bridge.store import contact_details
from cloud_bridge.store.claims import release
from cloud_bridge.store.commissioning import commissioning_of
from cloud_bridge.store.email import email_of
from cloud_bridge.store.people import choose_distances, choose_language, chosen_distances, set_password, usual_distances
from cloud_bridge.store.security_events import Kind
from cloud_bridge.store.sites import MAX_NAME, currency_of, describe_site, set_currency, set_tariff, tariff_of
from cloud_bridge.store.units import units_at_home
from cloud_bridge.web.connections import Reading, Writing
from cloud_bridge.web.errors import NotTheirs, Refused
from cloud_bridge.web.form_errors import explained
from cloud_bridge.web.page import Field, OwnForm, OwnUnitOf, PersonOf, UnitOf, own_unit_of, page, to
from cloud_bridge.web.pages.everyone.claim import claim_for
from cloud_bridge.web.pages.everyone.login import give_session, knows_own
from cloud_bridge.web.presentation.commissioning_words import lines
from cloud_bridge.web.presentation.tariff_form import TariffForm, filled, read
from cloud_bridge.web.security.access import PasswordsOf, StateDep
from cloud_bridge.web.security.log import note
from cloud_bridge.words import gettext as _
from cloud_bridge.words.catalogues import LANGUAGES
from cloud_bridge.words.formats import name_of

TIME_ZONES = sorted(zone for zone in available_timezones() if "/" in zone and not zone.startswith(("Etc/", "SystemV/")))

router = APIRouter(prefix="/account", include_in_schema=False)

LongField = Annotated[str, Form(max_length=4000)]  # a text that is too long for the store gets a specific message


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
    full_name: Field = "",
    phone: Field = "",
    address: LongField = "",
    access_notes: LongField = "",
) -> Response:
    try:
        contact_details.set_details(
            connection, person.id, contact_details.Details(full_name, phone, "", address, access_notes)
        )
    except contact_details.BadDetails as error:
        raise Refused(_("These details were not taken"), _("Nothing was changed."), problems=error.wrong) from None
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


@router.get("/language")
def language(request: Request, person: PersonOf) -> Response:
    names = {one: name_of(one) for one in LANGUAGES}
    return page(request, "everyone/account_language.html", person, names=names)


@router.post("/language", dependencies=[OwnForm])
def change_language(person: PersonOf, connection: Writing, language: Field = "") -> Response:
    if language and language not in LANGUAGES:
        raise Refused(_("The language was not changed"), _("We do not have this language."), field="language")
    choose_language(connection, person.id, language or None)
    return to("/account")


@router.get("/password")
def password(request: Request, person: PersonOf) -> Response:
    return page(request, "everyone/account_password.html", person, shortest=MIN_LENGTH)


@router.post("/password", dependencies=[OwnForm])
def change_password(
    request: Request, app_state: StateDep, passwords: PasswordsOf, person: PersonOf, old: Field, new: Field
) -> Response:
    """Change the password. All other browsers are logged out and all tokens end; this browser stays logged in."""
    if not knows_own(request, app_state, passwords, person, old, "to change it"):
        meaning = _("That is not your password. Nothing was changed.")
        raise Refused(_("The password was not changed"), meaning, field="old")
    with (
        app_state.database.reading() as connection
    ):  # a transaction of its own: none may be open while a password is hashed
        address = email_of(connection, person.id) or ""
    with explained(_("The password was not changed"), "new"):
        password_hash = passwords.hash_chosen(new, [person.name, *address.split("@")])
    with (
        app_state.database.writing() as connection
    ):  # a transaction of its own: none may be open while a password is hashed
        set_password(connection, person, password_hash)
    note(request, Kind.PASSWORD_CHANGED, person)
    response = to("/account")
    give_session(request, response, app_state, person)
    return response


@router.get("/units")
def units(request: Request, connection: Reading, person: PersonOf) -> Response:
    """List the person's own charge points, and those that others share with them."""
    return page(request, "everyone/account_units.html", person, units=units_at_home(connection, person))


@router.post("/units", dependencies=[OwnForm])
def claim_unit(request: Request, app_state: StateDep, person: PersonOf, code: Field) -> Response:
    """Claim a charge point with the code on its label."""
    with explained(_("That code did not work"), "code"):
        unit_id = claim_for(request, app_state, person, code)
    return to(f"/account/units/{unit_id}")


@router.get("/units/{unit_id}")
def unit_settings(request: Request, connection: Reading, person: PersonOf, unit: UnitOf) -> Response:
    if unit.period.household_from_ms is not None:
        return page(request, "everyone/account_unit_member.html", person, unit=unit)
    own_unit_of(person, unit)
    record = commissioning_of(connection, unit.id)
    content: dict[str, Any] = {
        "installer": contact_details.installer_details(connection, unit.id),
        "time_zones": TIME_ZONES,
        "currencies": CURRENCIES.values(),
        "currency": currency_of(connection, unit.id),
        "tariff": filled(tariff_of(connection, unit.id)),
        "commissioning": lines(record, unit.time_zone) if record else None,
    }
    return page(request, "everyone/account_unit.html", person, unit=unit, **content)


@router.post("/units/{unit_id}", dependencies=[OwnForm])
def change_unit(
    unit: OwnUnitOf,
    connection: Writing,
    time_zone: Field,
    currency: Field = "",
    name: Annotated[str, Form(max_length=MAX_NAME)] = "",
    rate: Field = "",
    off_peak_rate: Field = "",
    off_peak_from: Field = "00:00",
    off_peak_to: Field = "00:00",
) -> Response:
    """Change the settings of a charge point. `currency` is missing from pages of versions that offered no choice."""
    tariff = read(TariffForm(rate, off_peak_rate, off_peak_from, off_peak_to))
    title = _("These settings were not taken")
    with explained(title, "time_zone"):
        describe_site(connection, unit.id, name, time_zone)
    with explained(title, "currency"):
        set_currency(connection, unit.id, currency or currency_of(connection, unit.id).code)
    with explained(title, "rate"):
        set_tariff(connection, unit.id, tariff)
    return to("/account/units")


@router.post("/units/{unit_id}/release", dependencies=[OwnForm])
def release_unit(request: Request, app_state: StateDep, person: PersonOf, unit: UnitOf) -> Response:
    """Release a charge point, for example before a house is sold. The next owner claims it with the same label."""
    with (
        app_state.database.writing() as connection
    ):  # a transaction of its own: committed before the security log has it
        if not release(connection, unit.id, person.id, now_ms=app_state.clock.now_ms()):
            raise NotTheirs("charger")
    note(request, Kind.RELEASED, person, unit.id)
    return to("/account/units")
