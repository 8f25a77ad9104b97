"""Smart charging: charge now, the owner's hours, a limit or a pause, and the charger's answer to each."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Form, Request
from fastapi.responses import Response

from cloud_bridge import commands
from cloud_bridge.app_state import AppState
from cloud_bridge.charging_hours import stored
from cloud_bridge.contact import Contact
from cloud_bridge.durations import HOUR_MS
from cloud_bridge.store.access import Person, Scope
from cloud_bridge.store.commands import CommandStatus, newest_command
from cloud_bridge.store.members import is_shared
from cloud_bridge.store.ownership import household_period
from cloud_bridge.store.schedules import schedule_in_force
from cloud_bridge.store.security_events import Kind
from cloud_bridge.store.sites import currency_of, tariff_of
from cloud_bridge.store.units import Protocol, Unit
from cloud_bridge.tariffs.presets import presets
from cloud_bridge.time_zones import BRITISH, GREAT_BRITAIN, is_british_time
from cloud_bridge.web.connections import Reading
from cloud_bridge.web.errors import Refused
from cloud_bridge.web.page import Field, OwnForm, PersonOf, UnitOf, only, page, to
from cloud_bridge.web.presentation import in_force, words
from cloud_bridge.web.presentation.command_words import described
from cloud_bridge.web.presentation.cost import tariff_words
from cloud_bridge.web.presentation.dashboard import ruling_now
from cloud_bridge.web.presentation.hours import in_words, peaks, written
from cloud_bridge.web.presentation.hours_form import filled, read
from cloud_bridge.web.presentation.view import charge_point
from cloud_bridge.web.security.access import StateDep
from cloud_bridge.web.security.log import note
from cloud_bridge.web.security.rates import ORDERS, use
from cloud_bridge.wire import is_plugged
from cloud_bridge.words import gettext as _

AMPS = (6, 8, 10, 13, 16, 20, 24, 32)
HOURS = (1, 2, 4, 8, 12, 24)

router = APIRouter(
    prefix="/charge-points/{unit_id}/charging", include_in_schema=False, dependencies=[only(Scope.COMMAND)]
)

Hours = Annotated[int, Form(ge=1, le=24)]


@router.get("")
def overview(request: Request, app_state: StateDep, connection: Reading, person: PersonOf, unit: UnitOf) -> Response:
    point = charge_point(app_state, unit)
    command = newest_command(connection, unit.period, point.now_ms)
    hours = schedule_in_force(connection, household_period(unit.period))
    if stored(hours) is None:
        hours = None
    tariff = tariff_of(connection, unit.id)
    owner, zone = in_force.owner_to(person, is_shared(connection, unit.id)), unit.time_zone
    ruling = ruling_now(point)
    plugged = is_plugged(point.heartbeat)
    why = in_force.headline(ruling, plugged, point.now_ms, zone, owner) if ruling else None
    content: dict[str, Any] = {
        "silent": point.verdict.contact is not Contact.ONLINE,
        "command": command and described(command, point.now_ms, zone, owner),
        "wishes": in_force.wishes(ruling, point.now_ms, zone, owner, plugged) if ruling else [],
        "why": None if why is None else why.text,
        "waiting": command is not None and command.status is CommandStatus.WAITING,
        "schedule": hours,
        "schedule_words": in_words(hours),
        "peaks": peaks(),
        "british_time": None if is_british_time(zone, point.now_ms) else words.day_and_time(point.now_ms, BRITISH),
        "own": filled(hours),
        "cost": None if tariff is None else tariff_words(tariff, currency_of(connection, unit.id)),
        "is_owner": unit.owner_id == person.id,
        "presets": presets().values() if unit.time_zone in GREAT_BRITAIN else (),
        "has_hours": unit.protocol != Protocol.OCPP,
        "amps": AMPS,
        "hours": HOURS,
    }
    return page(request, "driver/charging.html", person, unit=unit, name=point.name, **content)


@router.post("/override", dependencies=[OwnForm])
def override(
    request: Request, app_state: StateDep, person: PersonOf, unit: UnitOf, on: Annotated[bool, Form()]
) -> Response:
    """Charge in this session regardless of the hours (`on`), or return to the hours."""
    return send_command(request, app_state, person, unit, "override", {"on": on})


@router.post("/schedule", dependencies=[OwnForm])
def schedule(
    request: Request,
    app_state: StateDep,
    person: PersonOf,
    unit: UnitOf,
    choice: Annotated[Literal["default", "off", "own"], Form()],
    weekday_from_0: Field = "",
    weekday_to_0: Field = "",
    weekday_from_1: Field = "",
    weekday_to_1: Field = "",
    weekend_from_0: Field = "",
    weekend_to_0: Field = "",
    weekend_from_1: Field = "",
    weekend_to_1: Field = "",
    same: Annotated[bool, Form()] = False,
) -> Response:
    hours: str = choice
    if choice == "own":
        typed = {
            "weekday_from_0": weekday_from_0,
            "weekday_to_0": weekday_to_0,
            "weekday_from_1": weekday_from_1,
            "weekday_to_1": weekday_to_1,
            "weekend_from_0": weekend_from_0,
            "weekend_to_0": weekend_to_0,
            "weekend_from_1": weekend_from_1,
            "weekend_to_1": weekend_to_1,
        }
        hours = written(read(typed, same))
    return send_command(request, app_state, person, unit, "schedule", {"hours": hours})


@router.post("/limit", dependencies=[OwnForm])
def limit(
    request: Request,
    app_state: StateDep,
    person: PersonOf,
    unit: UnitOf,
    amps: Annotated[int, Form(ge=6, le=80)],
    hours: Hours,
) -> Response:
    return send_command(request, app_state, person, unit, "limit", {"amps": amps}, hours * HOUR_MS)


@router.post("/pause", dependencies=[OwnForm])
def pause(request: Request, app_state: StateDep, person: PersonOf, unit: UnitOf, hours: Hours) -> Response:
    return send_command(request, app_state, person, unit, "pause", {}, hours * HOUR_MS)


@router.post("/skip-delay", dependencies=[OwnForm])
def skip_delay(request: Request, app_state: StateDep, person: PersonOf, unit: UnitOf) -> Response:
    """End the random delay in progress. The owner has the right to do so (SI 2021/1467, regulation 11)."""
    return send_command(request, app_state, person, unit, "skip_delay", {})


@router.post("/resume", dependencies=[OwnForm])
def resume(request: Request, app_state: StateDep, person: PersonOf, unit: UnitOf) -> Response:
    """Remove the limit and the pause."""
    return send_command(request, app_state, person, unit, "resume", {})


@router.post("/stop", dependencies=[OwnForm])
def stop(request: Request, app_state: StateDep, person: PersonOf, unit: UnitOf) -> Response:
    """End the charging session in progress."""
    return send_command(request, app_state, person, unit, "stop", {})


@router.post("/unlock", dependencies=[OwnForm])
def unlock(request: Request, app_state: StateDep, person: PersonOf, unit: UnitOf) -> Response:
    """Unlock the connector."""
    return send_command(request, app_state, person, unit, "unlock", {})


@router.post("/reboot", dependencies=[OwnForm])
def reboot(request: Request, app_state: StateDep, person: PersonOf, unit: UnitOf) -> Response:
    """Restart the charger."""
    return send_command(request, app_state, person, unit, "reboot", {})


def send_command(
    request: Request,
    app_state: AppState,
    person: Person,
    unit: Unit,
    do: str,
    arguments: dict[str, Any],
    holds_ms: int | None = None,
) -> Response:
    """Send the command, within the person's rate. Redirects to the page that shows the charger's answer. Raises Refused if
    this kind of charger does not support the command."""
    if not commands.is_possible(unit.protocol, do, arguments):
        raise Refused(
            _("Not possible with this charger"),
            _("It cannot store charging hours. It can be limited, paused and told to charge."),
        )
    use(request, person, ORDERS, _("Too many changes at once"), _("Nothing was sent to your charger this time."))
    commands.give(app_state, unit.id, person.id, do, arguments, holds_ms)
    note(request, Kind.COMMAND, person, f"{do} to {unit.id}")
    return to(f"/charge-points/{unit.id}/charging")
