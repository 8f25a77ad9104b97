"""The commands that were given to units, and the units' answers."""

from enum import StrEnum
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, select, update

from cloud_bridge.contact import FUTURE_MS
from cloud_bridge.durations import DAY_MS
from cloud_bridge.store.ownership import Period, within
from cloud_bridge.store.readable import readable
from cloud_bridge.store.tables import commands, results
from cloud_bridge.store.upsert import insert_one
from cloud_bridge.wire import BadPayload, Result, decode, read_object

ANSWER_MS = 60_000  # a unit answers within seconds, a weak link within a minute
COMMISSION = "commission"  # given by an installer, so not shown to drivers
FRESH_MS = DAY_MS  # older commands are not shown


class CommandStatus(StrEnum):
    """The state of a command."""

    NOT_SENT = "not sent"
    WAITING = "waiting"
    UNANSWERED = "unanswered"
    DONE = "done"
    REFUSED = "refused"
    UNREADABLE = "unreadable"  # the stored command, or its answer, is not valid


class Command(NamedTuple):
    do: str
    arguments: dict[str, Any]
    given_ms: int
    status: CommandStatus
    answered_ms: int | None
    reason: str | None  # why it was refused, in the unit's words
    result: Result | None  # the whole answer; None if it cannot be read
    expires_ms: int


class NewCommand(NamedTuple):
    """The columns of a new command."""

    id: str
    unit_id: str
    person_id: int | None  # None if a token without a person gave it
    given_ms: int
    expires_ms: int
    do: str
    payload: str


def add_command(connection: Connection, command: NewCommand) -> bool:
    """Store a command as not sent. Return False, and change nothing, if there is one with this id."""
    return insert_one(connection, commands, {**command._asdict(), "sent": False})


def mark_sent(connection: Connection, command_id: str) -> None:
    """Mark a command as sent: the broker has forwarded it."""
    connection.execute(update(commands).where(commands.c.id == command_id).values(sent=True))


def find_command(connection: Connection, period: Period, command_id: str, now_ms: int) -> Command | None:
    """Return a command, or None if this unit has none with this id or it is not of the period that the asker may
    see."""
    row = connection.execute(_commands().where(within(commands, period), commands.c.id == command_id)).first()
    return None if row is None else _command(row, now_ms)


def newest_command(connection: Connection, period: Period, now_ms: int) -> Command | None:
    """Return the last command of a driver, or None if it is older than FRESH_MS. Commands with a time in the future,
    from a wrong clock, are ignored."""
    return _newest(connection, now_ms, within(commands, period), commands.c.do != COMMISSION)


def newest_commissioning(connection: Connection, unit_id: str, person_id: int, now_ms: int) -> Command | None:
    """Return the person's last `commission` command to the unit, or None if it is older than FRESH_MS."""
    of_unit, of_person = commands.c.unit_id == unit_id, commands.c.person_id == person_id
    return _newest(connection, now_ms, of_unit, of_person, commands.c.do == COMMISSION)


def _newest(connection: Connection, now_ms: int, *which: ColumnElement[bool]) -> Command | None:
    is_news = commands.c.given_ms.between(now_ms - FRESH_MS, now_ms + FUTURE_MS)
    query = _commands().where(is_news, *which)
    row = connection.execute(query.order_by(commands.c.given_ms.desc())).first()
    return None if row is None else _command(row, now_ms)


_OF_COMMAND = (commands.c.do, commands.c.payload, commands.c.given_ms, commands.c.sent, commands.c.expires_ms)
_OF_ANSWER = (results.c.ok, results.c.reason, results.c.payload, results.c.received_ms)


def _commands() -> Any:
    answer = (results.c.unit_id == commands.c.unit_id) & (results.c.command == commands.c.id)
    return select(
        *_OF_COMMAND, results.c.ok, results.c.reason, results.c.payload.label("answer"), results.c.received_ms
    ).outerjoin(results, answer)


def _arguments(row: Any) -> dict[str, Any] | None:
    """Return the arguments of a command, or None if the row is not valid."""
    size = len(_OF_COMMAND)
    if not readable(_OF_COMMAND, [row[:size]]):
        return None
    if row.received_ms is not None and not readable(_OF_ANSWER, [row[size:]]):
        return None
    try:
        payload = read_object(row.payload.encode())
    except BadPayload:
        return None
    return {key: value for key, value in payload.items() if key not in ("id", "do")}


def _command(row: Any, now_ms: int) -> Command:
    arguments = _arguments(row)
    if arguments is None:
        return Command("", {}, row.given_ms, CommandStatus.UNREADABLE, None, None, None, row.expires_ms)
    if row.received_ms is not None:
        status = CommandStatus.DONE if row.ok else CommandStatus.REFUSED
    elif not row.sent:
        status = CommandStatus.NOT_SENT
    else:
        status = CommandStatus.WAITING if now_ms - row.given_ms <= ANSWER_MS else CommandStatus.UNANSWERED
    result = _result(row.answer)
    return Command(row.do, arguments, row.given_ms, status, row.received_ms, row.reason, result, row.expires_ms)


def _result(payload: str | None) -> Result | None:
    try:
        message = None if payload is None else decode("result", payload.encode())
    except BadPayload:
        return None
    return message if isinstance(message, Result) else None
