"""The HTTP interface to smart charging: send a command to a charge point, and read its answer.

A command is sent with one POST. The charge point decides what becomes of it, so the response is 202 with the address of the
result. Commands are not queued for a charge point without a connection, so such a request gets 409 at once. The command's id
is derived from `Idempotency-Key`, the caller and the charge point. A retry with the same key therefore finds the row of the
first request, for as long as that row is retained.
"""

import hashlib
from typing import Annotated, Any

from fastapi import APIRouter, Body, Depends, Header, HTTPException, Path, Request, Response
from fastapi.exceptions import RequestValidationError
from sqlalchemy import Connection

from cloud_bridge import commands
from cloud_bridge.app_state import AppState
from cloud_bridge.clock import iso_utc
from cloud_bridge.store.access import Asker, Scope
from cloud_bridge.store.commands import Command, CommandStatus, find_command
from cloud_bridge.store.members import is_shared
from cloud_bridge.store.security_events import Kind
from cloud_bridge.store.units import Unit
from cloud_bridge.web.api.command_schema import LONGEST_MS, OF_ORDER, ORDER, CommandState, InForceNow, Order
from cloud_bridge.web.api.history import UnitOf
from cloud_bridge.web.api.schema import PROBLEMS, Problem
from cloud_bridge.web.connections import Reading
from cloud_bridge.web.presentation import in_force
from cloud_bridge.web.presentation.command_words import described
from cloud_bridge.web.presentation.dashboard import ruling_now
from cloud_bridge.web.presentation.view import charge_point
from cloud_bridge.web.security.access import ApiAsker, StateDep, require
from cloud_bridge.web.security.log import note
from cloud_bridge.web.security.rates import ORDERS, wait_s
from cloud_bridge.wire import LATEST_S

router = APIRouter(prefix="/api/charge-points/{unit_id}", responses=PROBLEMS)

SAME_END_MS = 1000  # the command has its end in whole seconds, and is given slightly later than the order is read

Key = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        pattern="^[!-~]{1,64}$",
        description="Chosen by the caller. A request repeated with the same key does not send the command again.",
    ),
]
CommandId = Annotated[str, Path(pattern="^[a-z0-9-]{1,36}$")]


def may_command(asker: ApiAsker) -> None:
    """Raise 403 unless the caller has the scope `command`."""
    require(asker, Scope.COMMAND)


@router.post(
    "/commands",
    status_code=202,
    response_model=CommandState,
    dependencies=[Depends(may_command)],
    responses={
        202: {
            "description": "Sent. The charge point's answer will be at the address in `Location`.",
            "headers": {"Location": {"schema": {"type": "string"}}},
        },
        400: {"model": Problem, "description": "The body is not UTF-8."},
        409: {
            "model": Problem,
            "description": "Not sent: the charge point has no connection, or its kind does not support the command.",
        },
        429: {
            "model": Problem,
            "description": "Too many commands, or too many wrong tokens. Try again after Retry-After seconds.",
        },
    },
)
def give_command(
    request: Request,
    response: Response,
    app_state: StateDep,
    asker: ApiAsker,
    unit: UnitOf,
    order: Annotated[Order, Body()],
    key: Key = None,
) -> dict[str, Any]:
    """Send a command to the charge point. Needs a token with the scope `command`."""
    now_ms = app_state.clock.now_ms()
    holds_ms = order.holds_ms(now_ms)
    command_id = None if key is None else _id_of(asker, unit.id, key)
    given = None if command_id is None else _find(app_state, unit, command_id)
    if given is None:
        _check_end(holds_ms)
        _use_rate(request, asker)
        do = ORDER.get(order.do, order.do)
        if not commands.is_possible(unit.protocol, do, order.arguments()):
            raise HTTPException(409, "not possible with this charger: it is of another kind. Nothing was sent.")
        command_id = commands.give(app_state, unit.id, asker.id, do, order.arguments(), holds_ms, command_id)
        note(request, Kind.COMMAND, asker, f"{do} to {unit.id}")
        given = _find(app_state, unit, command_id)
    if command_id is None or given is None:  # the unit changed hands in this moment
        raise HTTPException(404, "no such charge point")
    if not _is_same(order, given):
        raise RequestValidationError(
            [
                {
                    "type": "value_error",
                    "loc": ("header", "Idempotency-Key"),
                    "msg": "this key was used for a different order",
                }
            ]
        )
    if given.status is CommandStatus.NOT_SENT:
        raise HTTPException(409, "not sent: the charge point has no connection now. Nothing has changed.")
    response.headers["Location"] = f"/api/charge-points/{unit.id}/commands/{command_id}"
    with app_state.database.reading() as connection:
        owner = _owner(connection, unit, asker)
    return command_state(command_id, given, app_state.clock.now_ms(), unit.time_zone, owner)


@router.get("/commands/{command_id}", response_model=CommandState)
def read_command(
    app_state: StateDep, connection: Reading, asker: ApiAsker, unit: UnitOf, command_id: CommandId
) -> dict[str, Any]:
    """Return the status of a command, whether it was given over the HTTP interface or on a page."""
    now_ms = app_state.clock.now_ms()
    command = find_command(connection, unit.period, command_id, now_ms)
    if command is None:
        raise HTTPException(404, "no such command")
    return command_state(command_id, command, now_ms, unit.time_zone, _owner(connection, unit, asker))


@router.get("/in-force", response_model=InForceNow)
def read_in_force(app_state: StateDep, connection: Reading, asker: ApiAsker, unit: UnitOf) -> dict[str, Any]:
    """Return the current that the charge point allows now, what limits it, and until when."""
    point = charge_point(app_state, unit)
    ruling = ruling_now(point)
    if ruling is None or point.heartbeat_ms is None:
        return {"in_force": None}
    owner = _owner(connection, unit, asker)
    return {"in_force": _told(ruling, point.heartbeat_ms, point.now_ms, unit.time_zone, owner)}


def command_state(
    command_id: str, command: Command, now_ms: int, time_zone: str, owner: in_force.Owner
) -> dict[str, Any]:
    """Return a command in the shape of CommandState. `owner` is how the texts address the owner (in_force.owner_to)."""
    told = None if command.result is None else in_force.of_result(command.result)
    answered_ms = command.answered_ms
    has_end = "exp" in command.arguments
    return {
        "id": command_id,
        "do": OF_ORDER.get(command.do, command.do),
        "given_at": iso_utc(command.given_ms),
        "ends_at": iso_utc(command.expires_ms) if has_end else None,
        "status": command.status,
        "said": described(command, now_ms, time_zone, owner)["outcome"],
        "reason": command.reason,
        "answered_at": None if answered_ms is None else iso_utc(answered_ms),
        "in_force": None if told is None or answered_ms is None else _told(told, answered_ms, now_ms, time_zone, owner),
    }


def _told(told: in_force.InForce, told_ms: int, now_ms: int, time_zone: str, owner: in_force.Owner) -> dict[str, Any]:
    ends = told.until_s is not None and told.until_s <= LATEST_S
    return {
        "told_at": iso_utc(told_ms),
        "allowed_amps": told.amps,
        "by": told.source,
        "until": iso_utc((told.until_s or 0) * 1000) if ends else None,
        "also": list(told.also),
        "random_delay_s": told.delay_s,
        "said": in_force.answer(told, now_ms, time_zone, owner),
    }


def _owner(connection: Connection, unit: Unit, asker: Asker) -> in_force.Owner:
    return in_force.owner_to(asker, is_shared(connection, unit.id))


def _find(app_state: AppState, unit: Unit, command_id: str) -> Command | None:
    """Read the command in its own transaction: none may stay open while commands.give waits for the broker."""
    with app_state.database.reading() as connection:
        return find_command(connection, unit.period, command_id, app_state.clock.now_ms())


def _id_of(asker: Asker, unit_id: str, key: str) -> str:
    """Derive the command's id from the key, the caller and the unit: two callers may choose the same key."""
    return "k-" + hashlib.sha256(f"{asker.id}\n{unit_id}\n{key}".encode()).hexdigest()[:32]


def _is_same(order: Order, given: Command) -> bool:
    """Return True if this order would have made the same command when that was given.

    An unreadable row counts as the same, so that a retry does not send the command twice."""
    if given.status is CommandStatus.UNREADABLE:
        return True
    arguments = {name: value for name, value in given.arguments.items() if name != "exp"}
    holds_ms = order.holds_ms(given.given_ms)
    ends = holds_ms is None or abs(given.given_ms + holds_ms - given.expires_ms) < SAME_END_MS
    return (ORDER.get(order.do, order.do), order.arguments()) == (given.do, arguments) and ends


def _check_end(holds_ms: int | None) -> None:
    if holds_ms is not None and not 0 < holds_ms <= LONGEST_MS:
        reason = "must be in the future, by at most seven days"
        raise RequestValidationError([{"type": "value_error", "loc": ("body", "until"), "msg": reason}])


def _use_rate(request: Request, asker: Asker) -> None:
    seconds = wait_s(request, asker, ORDERS)
    if seconds:
        raise HTTPException(429, "too many commands. Nothing was sent.", {"Retry-After": str(seconds)})
