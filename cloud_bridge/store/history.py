"""What has been: gaps, signal, sessions and events of one unit, oldest first, in the period that the asker may see.

Rows that cannot be shown are left out and counted (readable.py).
"""

from collections.abc import Mapping
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import BigInteger, ColumnElement, Connection, Select, Table, bindparam, func, literal, select, update

from cloud_bridge.contact import FUTURE_MS, Gap, skipped
from cloud_bridge.path_outages import PathGap, outages_of
from cloud_bridge.paths import ALL, EVERY
from cloud_bridge.store.chunks import in_chunks, in_order, in_order_back
from cloud_bridge.store.ownership import (
    ANY_PERIOD,
    BUCKET_MS,
    SAID,
    Extent,
    Period,
    begins_ms,
    extent_of,
    within,
    within_any,
)
from cloud_bridge.store.readable import Rows, readable
from cloud_bridge.store.record import read_steps
from cloud_bridge.store.tables import (
    contact_gaps,
    events,
    listening_gaps,
    power,
    sessions,
    signal,
    signal_5min,
    signal_hourly,
    units,
)
from cloud_bridge.store.upkeep import five_minutes_since

MAX_ROWS = 10_000  # of one answer: a month of signal by five minutes
MAX_BEGUN = 1000  # sessions of a month: one each 45 minutes


class Idle(NamedTuple):
    """A charge point without a vehicle, as its last heartbeat before the session that goes on told it."""

    total_wh: int | None  # of the meter; None: not told
    plugged_ms: int | None  # when the next heartbeat came, with the vehicle; None: none has come


def first_contact_ms(connection: Connection, period: Period) -> int | None:
    """Not before the period begins. None: never heard."""
    first_ms = connection.execute(select(units.c.first_contact_ms).where(units.c.id == period.unit_id)).scalar()
    return None if first_ms is None else max(first_ms, period.evidence_from_ms)


def unit_gaps(connection: Connection, period: Period, from_ms: int, to_ms: int, now_ms: int | None = None) -> Rows[Gap]:
    """Gaps between two contacts that touch the window. One that began before the period begins with it. One that ends after
    `now_ms` was stamped by a clock that was wrong, and is left out."""
    begin_ms = begins_ms(contact_gaps, period)
    found = _gaps(connection, contact_gaps, max(from_ms, begin_ms), to_ms, now_ms, period.unit_id)
    return Rows((Gap(max(gap.from_ms, begin_ms), gap.to_ms) for gap in found), found.unreadable)


def outages(
    connection: Connection,
    period: Period,
    path: int,
    from_ms: int,
    to_ms: int,
    now_ms: int | None = None,
    open_gaps: Mapping[int, Gap] | None = None,
) -> list[Gap]:
    """Times in which we were not listening to this unit, and times that our clock has skipped, that touch the window. `path`
    is that of the unit now; `open_gaps` are those of ours that last, by path, which the store does not have yet."""
    believable_ms = to_ms if now_ms is None else now_ms + FUTURE_MS
    never = [
        PathGap(*gap, ALL)
        for gap in skipped(read_steps(connection))
        if gap.to_ms > from_ms and gap.from_ms < to_ms and gap.to_ms <= believable_ms
    ]
    ours = _gaps(connection, listening_gaps, from_ms, to_ms, now_ms, usual_path=ALL)
    begin_ms = max(from_ms, begins_ms(contact_gaps, period))
    later_ms = max(to_ms, begin_ms) if now_ms is None else now_ms + FUTURE_MS
    theirs = _gaps(connection, contact_gaps, begin_ms, later_ms, now_ms, period.unit_id, usual_path=EVERY)
    lasting = [PathGap(*gap, deaf) for deaf, gap in (open_gaps or {}).items()]
    return outages_of([*ours, *never, *lasting], theirs, path)


def _gaps(
    connection: Connection,
    table: Table,
    from_ms: int,
    to_ms: int,
    now_ms: int | None,
    unit_id: str | None = None,
    usual_path: int | None = None,
) -> Rows[PathGap]:
    """`usual_path` is that of a row which tells none; without it, that of a row is not read."""
    query = _gaps_query(table, now_ms is not None, unit_id is not None, usual_path)
    parameters = {"since_ms": from_ms, "until_ms": to_ms, "end_ms": (now_ms or 0) + FUTURE_MS, "unit": unit_id}
    found = readable((table.c.from_ms, table.c.to_ms, table.c.path), connection.execute(query, parameters))
    return Rows((PathGap(*row) for row in found), found.unreadable)


@cache
def _gaps_query(table: Table, has_end: bool, is_of_unit: bool, usual_path: int | None) -> Select[Any]:
    column = table.c
    path = literal(EVERY) if usual_path is None else func.coalesce(column.path, usual_path)
    wanted = [column.to_ms > bindparam("since_ms"), column.from_ms < bindparam("until_ms")]
    if has_end:
        wanted.append(column.to_ms <= bindparam("end_ms"))
    if is_of_unit:
        wanted.append(column.unit_id == bindparam("unit"))
    return select(column.from_ms, column.to_ms, path).where(*wanted).order_by(column.from_ms).limit(MAX_ROWS)


def signal_raw(connection: Connection, period: Period, from_ms: int, to_ms: int) -> Rows[dict[str, Any]]:
    """Each heartbeat's CSQ and operator; kept for a day."""
    return _rows(connection, signal, signal.c.received_ms, period, from_ms, to_ms)


def signal_averages(connection: Connection, period: Period, from_ms: int, to_ms: int) -> Rows[dict[str, Any]]:
    """Lowest, highest, total and samples of each five minutes and operator, with `from_ms` and `until_ms`; by the hour
    where the five minutes are gone, and then with `lasting_ms`, how much of it was measured in that network."""
    fives = _averages(connection, signal_5min, period, from_ms, to_ms)
    since_ms = five_minutes_since(connection)  # after they were read: what goes meanwhile is not missed
    hours = _averages(connection, signal_hourly, period, from_ms, min(to_ms, since_ms))
    fine_ms = max([since_ms, *(row["until_ms"] for row in hours[-1:])])
    fine = [{**row, "until_ms": row["from_ms"] + BUCKET_MS} for row in fives if row["from_ms"] >= fine_ms]
    return Rows([*hours, *fine][:MAX_ROWS], hours.unreadable + fives.unreadable)


def _averages(connection: Connection, table: Table, period: Period, from_ms: int, to_ms: int) -> Rows[dict[str, Any]]:
    found = _rows(connection, table, table.c.from_ms, period, from_ms, to_ms)
    possible = [
        row for row in found if row["lowest"] * row["samples"] <= row["total"] <= row["highest"] * row["samples"]
    ]
    return Rows(possible, found.unreadable + len(found) - len(possible))


def power_readings(connection: Connection, period: Period, from_ms: int, to_ms: int) -> Rows[dict[str, Any]]:
    """Each heartbeat's power, meter, and whether a vehicle was connected; kept for two days."""
    return _rows(connection, power, power.c.received_ms, period, from_ms, to_ms)


def last_idle(connection: Connection, period: Period, now_ms: int) -> Idle | None:
    """The newest reading without a vehicle: what has been drawn since is of the session that goes on. None: it was before the
    period, or is not kept any more."""
    extent, parameters = extent_of(period), period._asdict() | {"until_ms": now_ms + FUTURE_MS}
    newest = connection.execute(_newest_idle(extent), parameters)
    found = readable((power.c.received_ms, power.c.total_wh), newest)
    if not found:
        return None
    idle_ms, total_wh = found[0]
    first = connection.execute(_first_after_idle(extent), parameters | {"idle_ms": idle_ms})
    plugged = readable((power.c.received_ms,), first)
    return Idle(total_wh, plugged[0].received_ms if plugged else None)


_UNTIL_MS: ColumnElement[int] = bindparam("until_ms", type_=BigInteger)
_IDLE_MS: ColumnElement[int] = bindparam("idle_ms", type_=BigInteger)


@cache
def _newest_idle(extent: Extent) -> Select[Any]:
    at_ms = power.c.received_ms
    wanted = (within_any(power, extent), power.c.plugged.is_(False), at_ms <= _UNTIL_MS)
    query = select(at_ms, power.c.total_wh).where(*wanted, in_chunks(at_ms, ANY_PERIOD.from_ms, _UNTIL_MS))
    return query.order_by(*in_order_back(at_ms)).limit(1)


@cache
def _first_after_idle(extent: Extent) -> Select[Any]:
    at_ms = power.c.received_ms
    wanted = (within_any(power, extent), at_ms > _IDLE_MS, at_ms <= _UNTIL_MS, in_chunks(at_ms, _IDLE_MS, _UNTIL_MS))
    return select(at_ms).where(*wanted).order_by(*in_order(at_ms)).limit(1)


def unit_sessions(connection: Connection, period: Period, from_ms: int, to_ms: int) -> Rows[dict[str, Any]]:
    """Charging sessions, by when they reached us."""
    return _rows(connection, sessions, sessions.c.received_ms, period, from_ms, to_ms)


def sessions_begun(connection: Connection, period: Period, from_ms: int, to_ms: int) -> Rows[dict[str, Any]]:
    """Charging sessions that began in that time, in that order, each with `began_ms`: by the unit's own word where that can be
    right, else when it reached us. At most MAX_BEGUN and one."""
    began_ms = SAID[sessions]
    wanted = (within(sessions, period), began_ms >= from_ms, began_ms < to_ms, sessions.c.received_ms >= from_ms)
    query = select(sessions, began_ms.label("began_ms")).where(*wanted).order_by(began_ms, sessions.c.id)
    columns = [*sessions.columns, sessions.c.received_ms]  # `began_ms` is a time like that
    found = readable(columns, connection.execute(query.limit(MAX_BEGUN + 1)))
    return Rows((dict(row._mapping) for row in found), found.unreadable)


def session_begun(connection: Connection, period: Period, session_id: int) -> dict[str, Any] | None:
    """One of them; None: there is none that the asker may see."""
    wanted = (within(sessions, period), sessions.c.id == session_id)
    query = select(sessions, SAID[sessions].label("began_ms")).where(*wanted)
    found = readable([*sessions.columns, sessions.c.received_ms], connection.execute(query))
    return dict(found[0]._mapping) if found else None


def say_vehicle(connection: Connection, period: Period, session_id: int, name: str | None) -> bool:
    """Which vehicle was charged in the session; None: it is not said any more. False: there is no such session that the asker
    may see."""
    wanted = (within(sessions, period), sessions.c.id == session_id)
    return connection.execute(update(sessions).where(*wanted).values(vehicle_said=name)).rowcount == 1


def unit_events(connection: Connection, period: Period, from_ms: int, to_ms: int) -> Rows[dict[str, Any]]:
    """Journal records, by when they reached us."""
    return _rows(connection, events, events.c.received_ms, period, from_ms, to_ms)


def _rows(
    connection: Connection, table: Table, at: Any, period: Period, from_ms: int, to_ms: int
) -> Rows[dict[str, Any]]:
    wanted = (within(table, period), at >= from_ms, at < to_ms, in_chunks(at, from_ms, to_ms))
    query = select(table).where(*wanted).order_by(*in_order(at)).limit(MAX_ROWS)
    found = readable(list(table.columns), connection.execute(query))
    return Rows((dict(row._mapping) for row in found), found.unreadable)
