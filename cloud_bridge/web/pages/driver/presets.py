"""A supplier's tariff sets hours and cost together: what it sets is shown first, and its rates can be corrected there."""

from typing import Annotated
from urllib.parse import urlsplit

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response
from sqlalchemy import Connection

from cloud_bridge.currencies import CURRENCIES
from cloud_bridge.store.access import Person, Scope
from cloud_bridge.store.schedules import schedule_in_force
from cloud_bridge.store.sites import Tariff, currency_of, set_currency, set_tariff, tariff_of
from cloud_bridge.store.units import Unit
from cloud_bridge.tariffs.presets import Preset, presets
from cloud_bridge.time_zones import GREAT_BRITAIN
from cloud_bridge.web.connections import Reading
from cloud_bridge.web.errors import NotTheirs
from cloud_bridge.web.page import Field, OwnForm, PersonOf, UnitOf, only, page
from cloud_bridge.web.pages.driver.charging import send_command
from cloud_bridge.web.presentation.cost import tariff_words
from cloud_bridge.web.presentation.hours import OFF, Window, Windows, in_words, stored, written
from cloud_bridge.web.presentation.tariff_form import TariffForm, filled, read
from cloud_bridge.web.security.access import StateDep

POUNDS = CURRENCIES["GBP"]  # of all the tariffs that there are

router = APIRouter(
    prefix="/charge-points/{unit_id}/tariff", include_in_schema=False, dependencies=[only(Scope.COMMAND)]
)


def choice_of(person: PersonOf, unit: UnitOf) -> dict[str, Preset]:
    """What the person may choose from at this charger. Raises NotTheirs for whoever may merely look at it."""
    if unit.owner_id != person.id or unit.time_zone not in GREAT_BRITAIN:
        raise NotTheirs("page")
    return presets()


ChoiceOf = Annotated[dict[str, Preset], Depends(choice_of)]


def hours_of(tariff: Tariff) -> str:
    """When to charge with it, as the unit stores it: in its off-peak hours, or at any time where it has none."""
    if tariff.off_peak_rate is None:
        return OFF
    windows = (Window(tariff.off_peak_from, tariff.off_peak_to),)
    return written(Windows(windows, windows))


@router.get("")
def show(
    request: Request, connection: Reading, person: PersonOf, unit: UnitOf, choice: ChoiceOf, preset: str = ""
) -> Response:
    if preset not in choice:
        raise NotTheirs("tariff")
    chosen = choice[preset]
    return _page(request, connection, person, unit, chosen, filled(chosen.tariff))


@router.post("", dependencies=[OwnForm])
def use(
    request: Request,
    app_state: StateDep,
    person: PersonOf,
    unit: UnitOf,
    choice: ChoiceOf,
    preset: Field,
    rate: Field = "",
    off_peak_rate: Field = "",
    off_peak_from: Field = "",
    off_peak_to: Field = "",
) -> Response:
    """Hours and cost by what stands in the form. The charger's answer about the hours is shown by the page after it."""
    if preset not in choice:
        raise NotTheirs("tariff")
    typed = TariffForm(rate, off_peak_rate, off_peak_from, off_peak_to)
    tariff = read(typed)
    if tariff is None:
        typed.errors.setdefault("rate", "Enter what a kilowatt-hour costs, such as 24.5.")
        with app_state.database.reading() as connection:  # of its own: none is held while a broker is called
            return _page(request, connection, person, unit, choice[preset], typed, 422)
    answer = send_command(request, app_state, person, unit, "schedule", {"hours": hours_of(tariff)})
    with app_state.database.writing() as connection:
        set_tariff(connection, unit.id, tariff)
        set_currency(connection, unit.id, POUNDS.code)
    return answer


def _page(
    request: Request,
    connection: Connection,
    person: Person,
    unit: Unit,
    preset: Preset,
    form: TariffForm,
    status: int = 200,
) -> Response:
    hours, tariff = schedule_in_force(connection, unit.period), tariff_of(connection, unit.id)
    content = {
        "hours": in_words(hours_of(preset.tariff)),
        "hours_now": in_words(hours if stored(hours) is not None else None),
        "cost": tariff_words(preset.tariff, POUNDS),
        "cost_now": "not known" if tariff is None else tariff_words(tariff, currency_of(connection, unit.id)),
        "as_of": f"{preset.as_of:%B %Y}",
        "source": urlsplit(preset.source).hostname,
    }
    return page(
        request, "driver/tariff.html", person, status, unit=unit, preset=preset, tariff=form, currency=POUNDS, **content
    )
