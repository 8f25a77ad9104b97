"""Smart charging: charge now, the owner's hours, a limit or a pause, and the charger's own answer to each."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Form, Request
from fastapi.responses import Response

from cloud_bridge import commands
from cloud_bridge.app_state import AppState
from cloud_bridge.contact import Contact
from cloud_bridge.durations import HOUR_MS
from cloud_bridge.store.access import Person, Scope
from cloud_bridge.store.commands import Command, CommandStatus, newest_command
from cloud_bridge.store.members import is_shared
from cloud_bridge.store.ownership import household_period
from cloud_bridge.store.schedules import schedule_in_force
from cloud_bridge.store.security_events import Kind
from cloud_bridge.store.sites import currency_of, tariff_of
from cloud_bridge.store.units import Unit
from cloud_bridge.tariffs.presets import presets
from cloud_bridge.time_zones import BRITISH, GREAT_BRITAIN, is_british_time
from cloud_bridge.web.connections import Reading
from cloud_bridge.web.page import Field, OwnForm, PersonOf, UnitOf, only, page, to
from cloud_bridge.web.presentation import in_force, words
from cloud_bridge.web.presentation.cost import tariff_words
from cloud_bridge.web.presentation.dashboard import ruling_now
from cloud_bridge.web.presentation.hours import in_words, peaks, stored, written
from cloud_bridge.web.presentation.hours_form import filled, read
from cloud_bridge.web.presentation.view import charge_point
from cloud_bridge.web.security.access import StateDep
from cloud_bridge.web.security.log import note
from cloud_bridge.web.security.rates import ORDERS, use
from cloud_bridge.wire import LATEST_S, is_plugged

AMPS = (6, 8, 10, 13, 16, 20, 24, 32)
HOURS = (1, 2, 4, 8, 12, 24)

router = APIRouter(
    prefix="/charge-points/{unit_id}/charging", include_in_schema=False, dependencies=[only(Scope.COMMAND)]
)

Hours = Annotated[int, Form(ge=1, le=24)]

# The unit's reasons (link/commands of the firmware), for people.
REASONS = {
    "time unknown": "it does not know the time yet, and this needs an end. Try again in a few minutes",
    "expired": "it heard of it too late",
    "repeated": "it had done that already",
    "unknown command": "its firmware does not know this yet",
    "no vehicle": "no vehicle is plugged in",
    "a fault is set": "its light is red",
}


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
    content: dict[str, Any] = {
        "silent": point.verdict.contact is not Contact.ONLINE,
        "command": command and described(command, point.now_ms, zone, owner),
        "wishes": in_force.wishes(ruling, point.now_ms, zone, owner, is_plugged(point.heartbeat)) if ruling else [],
        "why": in_force.headline(ruling, is_plugged(point.heartbeat), point.now_ms, zone, owner) if ruling else None,
        "waiting": command is not None and command.status is CommandStatus.WAITING,
        "schedule": hours,
        "schedule_words": in_words(hours),
        "peaks": peaks(),
        "british_time": None if is_british_time(zone, point.now_ms) else words.day_and_time(point.now_ms, BRITISH),
        "own": filled(hours),
        "cost": None if tariff is None else tariff_words(tariff, currency_of(connection, unit.id)),
        "is_owner": unit.owner_id == person.id,
        "presets": presets().values() if unit.time_zone in GREAT_BRITAIN else (),
        "amps": AMPS,
        "hours": HOURS,
    }
    return page(request, "driver/charging.html", person, unit=unit, name=point.name, **content)


@router.post("/override", dependencies=[OwnForm])
def override(
    request: Request, app_state: StateDep, person: PersonOf, unit: UnitOf, on: Annotated[bool, Form()]
) -> Response:
    """This session charges now, whatever the hours say; or as the hours say, after all."""
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
    """The random delay that runs ends now, as its owner may (SI 2021/1467, regulation 11)."""
    return send_command(request, app_state, person, unit, "skip_delay", {})


@router.post("/resume", dependencies=[OwnForm])
def resume(request: Request, app_state: StateDep, person: PersonOf, unit: UnitOf) -> Response:
    """Neither limit nor pause."""
    return send_command(request, app_state, person, unit, "resume", {})


def send_command(
    request: Request,
    app_state: AppState,
    person: Person,
    unit: Unit,
    do: str,
    arguments: dict[str, Any],
    holds_ms: int | None = None,
) -> Response:
    """Send the command, within the person's rate. Leads to the page that shows the charger's answer."""
    use(request, person, ORDERS, "Too many changes at once", "Nothing was sent to your charger this time.")
    commands.give(app_state, unit.id, person.id, do, arguments, holds_ms)
    note(request, Kind.COMMAND, person, f"{do} to {unit.id}")
    return to(f"/charge-points/{unit.id}/charging")


def described(command: Command, now_ms: int, time_zone: str, owner: str) -> dict[str, str]:
    """A command: tone, what was asked, what became of it. That it was accepted is not that it rules: what was in force then is
    told as well."""
    end_s = command.arguments.get("exp")
    if command.status is CommandStatus.UNREADABLE or not _has_arguments(command):
        return {
            "tone": "unsure",
            "asked": "Your last choice cannot be shown",
            "outcome": "Its stored content is not valid. Your charger goes on as it was told.",
        }
    until = f" until {words.day_and_time(end_s * 1000, time_zone)}" if end_s else ""
    answered = words.day_and_time(command.answered_ms, time_zone) if command.answered_ms is not None else ""
    told = None if command.result is None else in_force.of_result(command.result)
    rules = f" In force then: {in_force.answer(told, now_ms, time_zone, owner)}." if told else ""
    accepted = rules or " Its firmware does not tell what is in force."
    tone, outcome = {
        CommandStatus.DONE: (
            "unsure" if told is None or told.delay_s or _is_overruled(command, told) else "good",
            f"Your charger has accepted it, {answered}.{accepted}",
        ),
        CommandStatus.REFUSED: (
            "bad",
            f"Your charger has refused it: {_reason(command.reason)}.{rules}",
        ),
        CommandStatus.WAITING: ("unsure", "Waiting for your charger's answer …"),
        CommandStatus.UNANSWERED: ("unsure", "Your charger has not answered. It may not have heard this: try again."),
        CommandStatus.NOT_SENT: ("bad", "Not sent: your charger has no connection now. It goes on as before."),
    }[command.status]
    return {"tone": tone, "asked": _asked(command, until), "outcome": outcome}


def _reason(said: str | None) -> str:
    """The unit's other reasons are sentences of its own, such as a value that is out of range."""
    return REASONS.get(said, said) if said else "it did not say why"


def _is_overruled(command: Command, told: in_force.InForce) -> bool:
    """Nothing is charged although it was to be charged now."""
    return command.do == "override" and bool(command.arguments.get("on")) and told.amps == 0


def _has_arguments(command: Command) -> bool:
    """Whether the arguments are those that the command is worded from."""
    arguments = command.arguments
    end_s = arguments.get("exp")
    if end_s is not None and not (type(end_s) is int and 0 <= end_s <= LATEST_S):
        return False
    match command.do:
        case "schedule":
            return stored(arguments.get("hours")) is not None
        case "limit":
            return type(arguments.get("amps")) in (int, float)
        case "override":
            return type(arguments.get("on")) is bool
    return True


def _asked(command: Command, until: str) -> str:
    arguments = command.arguments
    match command.do:
        case "schedule":
            return in_words(arguments["hours"])
        case "limit":
            return f"At most {arguments['amps']} A{until}"
        case "override":
            return "Charge now" if arguments["on"] else "Charge in your hours again"
        case "pause":
            return f"Pause{until}"
        case "resume":
            return "No limit and no pause"
        case "skip_delay":
            return "No random delay this time"
        case other:
            return other.capitalize() + until
