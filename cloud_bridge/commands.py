"""Commands that people give on the pages, and what became of them.

The unit is sovereign: it answers each command, and refuses those that it cannot or will not carry out. What is shown is
its answer, never our wish. A command to a unit that has no connection is not kept for later: it would arrive when nobody
expects it.
"""

import asyncio
import json
import secrets
from enum import StrEnum
from typing import Any, NamedTuple

from sqlalchemy import Connection, insert, select, update

from cloud_bridge.app_state import AppState
from cloud_bridge.store.tables import commands, results

SEND_S = 5  # a broker that takes longer than this to pass a command on is gone
ANSWER_MS = 60_000  # a unit answers within seconds, a weak link within a minute
FRESH_MS = 24 * 3600 * 1000  # older orders are not shown any more


class CommandStatus(StrEnum):
    """What became of an order."""

    NOT_SENT = "not sent"
    WAITING = "waiting"
    UNANSWERED = "unanswered"
    DONE = "done"
    REFUSED = "refused"


class Order(NamedTuple):
    do: str
    arguments: dict[str, Any]
    given_ms: int
    status: CommandStatus
    answered_ms: int | None
    reason: str | None  # why it was refused, in the unit's words


def give(
    app_state: AppState, unit_id: str, person_id: int, do: str, arguments: dict[str, Any], holds_ms: int | None = None
) -> None:
    """Send a command. With `holds_ms` it ends by itself after that time, whatever happens to the link.

    Called from a thread of the pages; returns when the broker has passed it on, or knows that it cannot.
    """
    now_ms = app_state.clock.now_ms()
    order_id = f"c-{secrets.token_hex(8)}"
    said = {"id": order_id, "do": do, **arguments}
    if holds_ms is not None:
        said["exp"] = (now_ms + holds_ms) // 1000
    payload = json.dumps(said, separators=(",", ":"))
    row = {
        "id": order_id,
        "unit_id": unit_id,
        "person_id": person_id,
        "given_ms": now_ms,
        "expires_ms": now_ms + (holds_ms or ANSWER_MS),
        "do": do,
        "payload": payload,
        "sent": False,
    }
    with app_state.database.writing() as connection:
        connection.execute(insert(commands), row)
    sending = asyncio.run_coroutine_threadsafe(app_state.broker.command(unit_id, payload.encode()), app_state.loop)
    if sending.result(SEND_S):
        with app_state.database.writing() as connection:
            connection.execute(update(commands).where(commands.c.id == order_id).values(sent=True))


def newest(connection: Connection, unit_id: str, now_ms: int) -> Order | None:
    """The last order given, while it is news."""
    query = _orders().where(commands.c.unit_id == unit_id, commands.c.given_ms > now_ms - FRESH_MS)
    row = connection.execute(query.order_by(commands.c.given_ms.desc())).first()
    return None if row is None else _order(row, now_ms)


def schedule_in_force(connection: Connection, unit_id: str) -> str | None:
    """The hours of the last schedule that the unit has taken; None while it was never given one from here."""
    query = _orders().where(commands.c.unit_id == unit_id, commands.c.do == "schedule", results.c.ok.is_(True))
    row = connection.execute(query.order_by(commands.c.given_ms.desc())).first()
    if row is None:
        return None
    hours: str = json.loads(row.payload)["hours"]
    return hours


def _orders() -> Any:
    answer = (results.c.unit_id == commands.c.unit_id) & (results.c.command == commands.c.id)
    return select(
        commands.c.do,
        commands.c.payload,
        commands.c.given_ms,
        commands.c.sent,
        results.c.ok,
        results.c.reason,
        results.c.received_ms,
    ).outerjoin(results, answer)


def _order(row: Any, now_ms: int) -> Order:
    arguments = {key: value for key, value in json.loads(row.payload).items() if key not in ("id", "do")}
    if row.received_ms is not None:
        status = CommandStatus.DONE if row.ok else CommandStatus.REFUSED
    elif not row.sent:
        status = CommandStatus.NOT_SENT
    else:
        status = CommandStatus.WAITING if now_ms - row.given_ms <= ANSWER_MS else CommandStatus.UNANSWERED
    return Order(row.do, arguments, row.given_ms, status, row.received_ms, row.reason)
