"""Send commands that people give on the pages to the unit.

The unit decides: it answers each command, and refuses commands that it cannot or must not carry out. Pages show the
unit's answer, never the requested state. A command to a unit without a connection is not queued, because it would be
carried out when nobody expects it.
"""

import asyncio
import json
import secrets
from concurrent.futures import Future
from typing import Any

from cloud_bridge.app_state import AppState
from cloud_bridge.store.commands import ANSWER_MS, NewCommand, add_command, mark_sent
from cloud_bridge.store.unit_clock import unit_clock
from cloud_bridge.store.units import Protocol, protocol_of

SEND_S = 5  # a broker that does not forward a command within this time counts as unreachable

# Commands that remove what a former owner has set on the unit: limit, pause and hours.
RESET: tuple[tuple[str, dict[str, Any]], ...] = (
    ("resume", {}),
    ("schedule", {"hours": "off"}),  # no times are avoided until the new owner has chosen some
)

BY_OCPP = frozenset({"limit", "pause", "resume"})  # commands that ingest/ocpp has CALLs for, besides charging now
BY_OCPP_ALONE = frozenset({"stop", "unlock", "reboot"})  # commands that our own units do not have


def is_possible(protocol: str, do: str, arguments: dict[str, Any]) -> bool:
    """Return whether units of this protocol can be sent the command at all. A unit may still refuse it."""
    if protocol != Protocol.OCPP:
        return do not in BY_OCPP_ALONE
    return do in BY_OCPP | BY_OCPP_ALONE or (do == "override" and arguments.get("on") is True)


def give(
    app_state: AppState,
    unit_id: str,
    person_id: int | None,
    do: str,
    arguments: dict[str, Any],
    holds_ms: int | None = None,
    command_id: str | None = None,
) -> str:
    """Store and send a command, unless one with this id is stored already. Return the command's id.

    With `holds_ms` the command expires on the unit after that time, even if the connection is lost. Call this on a
    page's thread: it blocks until the broker has forwarded the command or SEND_S has passed. Raises SQLAlchemyError.
    """
    now_ms = app_state.clock.now_ms()
    command_id = command_id or f"c-{secrets.token_hex(8)}"
    message = {"id": command_id, "do": do, **arguments}
    if holds_ms is not None:
        message["exp"] = (_unit_now_ms(app_state, unit_id, now_ms) + holds_ms) // 1000
    payload = json.dumps(message, separators=(",", ":"))
    expires_ms = now_ms + (holds_ms or ANSWER_MS)
    with app_state.database.writing() as connection:
        new = NewCommand(command_id, unit_id, person_id, now_ms, expires_ms, do, payload)
        if not add_command(connection, new):
            return command_id
    sending = asyncio.run_coroutine_threadsafe(app_state.command(unit_id, payload.encode()), app_state.loop)
    if _is_passed_on(sending):
        with app_state.database.writing() as connection:
            mark_sent(connection, command_id)
    return command_id


def reset(app_state: AppState, unit_id: str, person_id: int) -> None:
    """Remove what a former owner has set on the unit. A unit that cannot be reached keeps its hours; the new owner's
    page then says that the command was not sent."""
    with app_state.database.reading() as connection:
        protocol = protocol_of(connection, unit_id)
    for do, arguments in RESET:
        if is_possible(protocol, do, arguments):
            give(app_state, unit_id, person_id, do, arguments)


def _is_passed_on(sending: Future[bool]) -> bool:
    """Return whether the broker has forwarded the command. On a timeout the sending is cancelled."""
    try:
        return sending.result(SEND_S)
    except TimeoutError:
        sending.cancel()
        return False


def _unit_now_ms(app_state: AppState, unit_id: str, now_ms: int) -> int:
    """Return the current time on the unit's clock, which the unit compares the expiry with. If its clock and ours
    differ, an expiry by our clock could make a pause of an hour last for years, or end at once.

    The newest heartbeat carries the unit's time. If this process received it, the difference was measured here, and the
    result is right even if our clock is wrong.
    """
    with app_state.database.reading() as connection:
        stored = unit_clock(connection, unit_id, now_ms)
    unit = app_state.live.find(unit_id)
    if (
        unit is not None
        and unit.heartbeat_ms is not None
        and (stored is None or unit.heartbeat_ms >= stored.heartbeat_ms)
    ):
        return now_ms + (unit.unit_ahead_ms or 0)
    return now_ms if stored is None else now_ms + stored.ahead_ms
