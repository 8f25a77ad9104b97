"""Suppliers' tariffs, which set charging hours and cost together. The page shows first what a tariff would set, and lets the
owner correct its rates."""

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

POUNDS = CURRENCIES["GBP"]  # the currency of all presets

router = APIRouter(
    prefix="/charge-points/{unit_id}/tariff", include_in_schema=False, dependencies=[only(Scope.COMMAND)]
)


def preset_of(preset_id: str, person: PersonOf, unit: UnitOf) -> Preset:
    """Return the preset in the path. Raises NotTheirs if there is none, if the person does not own the charge point, or
    outside Great Britain."""
    preset = presets().get(preset_id)
    if preset is None or unit.owner_id != person.id or unit.time_zone not in GREAT_BRITAIN:
        raise NotTheirs("tariff")
    return preset


PresetOf = Annotated[Preset, Depends(preset_of)]


def hours_of(tariff: Tariff) -> str:
    """Return the charging hours for a tariff, in the unit's format: its off-peak hours, or any time if it has none."""
    if tariff.off_peak_rate is None:
        return OFF
    windows = (Window(tariff.off_peak_from, tariff.off_peak_to),)
    return written(Windows(windows, windows))


@router.get("")
def chosen(unit: UnitOf, preset: str = "") -> Response:
    """Redirect from the list to the page of one preset."""
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
    """Set hours and cost from the form. The next page shows the charger's answer about the hours."""
    tariff = read(TariffForm(rate, off_peak_rate, off_peak_from, off_peak_to))
    if tariff is None:
        raise refused("rate", _("Enter what a kilowatt-hour costs, such as 24.5."))
    answer = send_command(request, app_state, person, unit, "schedule", {"hours": hours_of(tariff)})
    with (
        app_state.database.writing() as connection
    ):  # a transaction of its own: none may be open while a broker is called
        set_tariff(connection, unit.id, tariff)
        set_currency(connection, unit.id, POUNDS.code)
    return answer
