"""The hours that a unit has adopted: by a command of ours that it accepted, or on its own console, as its journal
records."""

from collections.abc import Sequence
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import Connection, Select, select

from cloud_bridge.store.ownership import Extent, Period, extent_of, within, within_any
from cloud_bridge.store.readable import readable
from cloud_bridge.store.tables import commands, events, results
from cloud_bridge.wire import BadPayload, read_object

MOST = 100  # of each kind, the newest: people change their hours a few times a year


class Schedule(NamedTuple):
    """The hours to avoid, as the unit stores them."""

    taken_ms: int  # when it was reported to us
    boot: int  # with `sequence`, its place in the unit's journal; 0: not known
    sequence: int
    hours: str


_RECORD = (results.c.received_ms, results.c.boot, results.c.sequence, commands.c.payload)
_NOTED = (events.c.received_ms, events.c.boot, events.c.sequence, events.c.payload)


def schedules(connection: Connection, period: Period) -> list[Schedule]:
    """The schedules in the order in which the unit adopted them."""
    extent, parameters = extent_of(period), period._asdict()
    accepted = connection.execute(_accepted(extent), parameters)
    on_console = connection.execute(_on_console(extent), parameters)
    return _in_order(
        _read(readable(_RECORD, accepted), ("hours",)),
        _read(readable(_NOTED, on_console), ("d", "to")),
    )


def schedule_in_force(connection: Connection, period: Period) -> str | None:
    """The hours in force. None if the unit has not reported any."""
    taken = schedules(connection, period)
    return taken[-1].hours if taken else None


@cache
def _accepted(extent: Extent) -> Select[Any]:
    answered = (results.c.unit_id == commands.c.unit_id) & (results.c.command == commands.c.id)
    return (
        select(*_RECORD)
        .join(results, answered)
        .where(within_any(commands, extent), commands.c.do == "schedule", results.c.ok.is_(True))
        .order_by(results.c.id.desc())
        .limit(MOST)
    )


@cache
def _on_console(extent: Extent) -> Select[Any]:
    of_kind = (within_any(events, extent), events.c.kind == "schedule")
    return select(*_NOTED).where(*of_kind).order_by(events.c.id.desc()).limit(MOST)


def sessions_charged_now(connection: Connection, period: Period, from_ms: int) -> set[int]:
    """The numbers of the sessions in which the hours were overridden, as reported to us since `from_ms`."""
    query = select(events.c.payload).where(
        within(events, period), events.c.kind == "override", events.c.received_ms >= from_ms
    )
    found = (
        _value(payload, ("d", "session")) for (payload,) in readable((events.c.payload,), connection.execute(query))
    )
    return {number for number in found if type(number) is int}


def _in_order(some: list[Schedule], others: list[Schedule]) -> list[Schedule]:
    """Merge two lists, each in order already. Within one boot the journal's numbers tell which was first, otherwise the
    time at which they were reported to us."""
    merged: list[Schedule] = []
    while some and others:
        one, other = some[0], others[0]
        if one.boot and one.boot == other.boot:
            is_first = one.sequence <= other.sequence
        else:
            is_first = one.taken_ms <= other.taken_ms
        merged.append((some if is_first else others).pop(0))
    return [*merged, *some, *others]


def _read(rows: Sequence[Any], keys: tuple[str, ...]) -> list[Schedule]:
    """Read schedules from rows, which are newest first."""
    found = []
    for taken_ms, boot, sequence, payload in reversed(rows):
        hours = _value(payload, keys)
        if isinstance(hours, str):
            found.append(Schedule(taken_ms, boot or 0, sequence or 0, hours))
    return found


def _value(payload: str, keys: tuple[str, ...]) -> Any:
    """Return a value of the payload. None: it has no such value, or was stored by a version of ours that did not check
    it."""
    try:
        found: Any = read_object(payload.encode())
    except BadPayload:
        return None
    for key in keys:
        found = found.get(key) if isinstance(found, dict) else None
    return found
