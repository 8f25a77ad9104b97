"""Commands that people give on the pages, on their way to the unit.

The unit is sovereign: it answers each command, and refuses those that it cannot or will not carry out. What is shown is
its answer, never our wish. A command to a unit that has no connection is not kept for later: it would arrive when nobody
expects it.
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

SEND_S = 5  # a broker that takes longer than this to pass a command on is gone

RESET: tuple[tuple[str, dict[str, Any]], ...] = (  # of what a former owner has set on the unit: limit, pause and hours
    ("resume", {}),
    ("schedule", {"hours": "off"}),  # nothing is avoided before the new owner has chosen
)

BY_OCPP = frozenset({"limit", "pause", "resume"})  # what ingest/ocpp has CALLs for, beside to charge now
BY_OCPP_ALONE = frozenset({"stop", "unlock", "reboot"})  # and what is not ordered of a unit of our own


def is_possible(protocol: str, do: str, arguments: dict[str, Any]) -> bool:
    """Whether units of this protocol can be told so at all. What one of them makes of it is its own answer."""
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
    """Send a command, unless one of this id was given before. With `holds_ms` it ends by itself after that time, whatever
    happens to the link. Returns its id.

    Called from a thread of the pages; returns when the broker has passed it on, or knows that it cannot.
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
    """What a former owner has set on the unit ends. A unit that cannot be reached keeps its hours, and the page of the
    new owner says that they were not sent."""
    with app_state.database.reading() as connection:
        protocol = protocol_of(connection, unit_id)
    for do, arguments in RESET:
        if is_possible(protocol, do, arguments):
            give(app_state, unit_id, person_id, do, arguments)


def _is_passed_on(sending: Future[bool]) -> bool:
    """A broker that is gone passes nothing on later either."""
    try:
        return sending.result(SEND_S)
    except TimeoutError:
        sending.cancel()
        return False


def _unit_now_ms(app_state: AppState, unit_id: str, now_ms: int) -> int:
    """What the unit takes for now. It compares the end with its own clock, so this is the one that the end must be on: one
    of two that disagree is wrong, and then a pause of an hour would last for years, or not at all.

    The newest heartbeat says it. If this process has heard that, it has measured the difference, whatever its clock says.
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
