"""A supplier's tariff sets hours and cost together: what it sets is shown first, and its rates can be corrected there."""

from typing import Annotated, Any
from urllib.parse import urlsplit

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from cloud_bridge.charging_hours import OFF, stored
from cloud_bridge.currencies import CURRENCIES
from cloud_bridge.store.access import Scope
from cloud_bridge.store.schedules import schedule_in_force
from cloud_bridge.store.sites import Tariff, currency_of, set_currency, set_tariff, tariff_of
from cloud_bridge.tariffs.presets import Preset, presets
from cloud_bridge.time_zones import GREAT_BRITAIN
from cloud_bridge.web.connections import Reading
from cloud_bridge.web.errors import NotTheirs
from cloud_bridge.web.page import Field, OwnForm, PersonOf, UnitOf, only, page, to
from cloud_bridge.web.pages.driver.charging import send_command
from cloud_bridge.web.presentation.cost import tariff_words
from cloud_bridge.web.presentation.hours import Window, Windows, in_words, written
from cloud_bridge.web.presentation.tariff_form import TariffForm, filled, read, refused
from cloud_bridge.web.security.access import StateDep
from cloud_bridge.words import formats
from cloud_bridge.words import gettext as _

POUNDS = CURRENCIES["GBP"]  # of all the tariffs that there are

router = APIRouter(
    prefix="/charge-points/{unit_id}/tariff", include_in_schema=False, dependencies=[only(Scope.COMMAND)]
)


def preset_of(preset_id: str, person: PersonOf, unit: UnitOf) -> Preset:
    """Raises NotTheirs for one that there is not, and for whoever may merely look at the charger."""
    preset = presets().get(preset_id)
    if preset is None or unit.owner_id != person.id or unit.time_zone not in GREAT_BRITAIN:
        raise NotTheirs("tariff")
    return preset


PresetOf = Annotated[Preset, Depends(preset_of)]


def hours_of(tariff: Tariff) -> str:
    """When to charge with it, as the unit stores it: in its off-peak hours, or at any time where it has none."""
    if tariff.off_peak_rate is None:
        return OFF
    windows = (Window(tariff.off_peak_from, tariff.off_peak_to),)
    return written(Windows(windows, windows))


@router.get("")
def chosen(unit: UnitOf, preset: str = "") -> Response:
    """From the list: leads to the page of one."""
    if preset not in presets():
        raise NotTheirs("tariff")
    return to(f"/charge-points/{unit.id}/tariff/{preset}")


@router.get("/{preset_id}")
def show(request: Request, connection: Reading, person: PersonOf, unit: UnitOf, preset: PresetOf) -> Response:
    hours, tariff = schedule_in_force(connection, unit.period), tariff_of(connection, unit.id)
    content: dict[str, Any] = {
        "preset": preset,
        "hours": in_words(hours_of(preset.tariff)),
        "hours_now": in_words(hours if stored(hours) is not None else None),
        "cost": tariff_words(preset.tariff, POUNDS),
        "cost_now": _("not known") if tariff is None else tariff_words(tariff, currency_of(connection, unit.id)),
        "as_of": formats.month(preset.as_of),
        "source": urlsplit(preset.source).hostname,
        "tariff": filled(preset.tariff),
        "currency": POUNDS,
    }
    return page(request, "driver/tariff.html", person, unit=unit, **content)


@router.post("/{preset_id}", dependencies=[OwnForm])
def use(
    request: Request,
    app_state: StateDep,
    person: PersonOf,
    unit: UnitOf,
    _preset: PresetOf,
    rate: Field = "",
    off_peak_rate: Field = "",
    off_peak_from: Field = "",
    off_peak_to: Field = "",
) -> Response:
    """Hours and cost by what stands in the form. The charger's answer about the hours is shown by the page after it."""
    tariff = read(TariffForm(rate, off_peak_rate, off_peak_from, off_peak_to))
    if tariff is None:
        raise refused("rate", _("Enter what a kilowatt-hour costs, such as 24.5."))
    answer = send_command(request, app_state, person, unit, "schedule", {"hours": hours_of(tariff)})
    with app_state.database.writing() as connection:  # of its own: none is held while a broker is called
        set_tariff(connection, unit.id, tariff)
        set_currency(connection, unit.id, POUNDS.code)
    return answer
