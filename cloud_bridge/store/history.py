"""The history of one unit: gaps, signal, sessions and events, oldest first, in the period that the asker may see.

Rows that are not valid are left out and counted (readable.py).
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

MAX_ROWS = 10_000  # in one answer: a month of five-minute averages
MAX_BEGUN = 1000  # sessions in a month: one every 45 minutes


class Idle(NamedTuple):
    """The last heartbeat of a charge point without a vehicle, before the session in progress."""

    total_wh: int | None  # the meter; None if it was not sent
    plugged_ms: int | None  # when the next heartbeat came, with the vehicle; None if none has come


def first_contact_ms(connection: Connection, period: Period) -> int | None:
    """Return the unit's first contact, but not before the period begins, or None if there was no contact."""
    first_ms = connection.execute(select(units.c.first_contact_ms).where(units.c.id == period.unit_id)).scalar()
    return None if first_ms is None else max(first_ms, period.evidence_from_ms)


def unit_gaps(connection: Connection, period: Period, from_ms: int, to_ms: int, now_ms: int | None = None) -> Rows[Gap]:
    """Return the gaps between two contacts that overlap the window. A gap that began before the period is cut at its
    start. Gaps that end after `now_ms`, from a wrong clock, are left out."""
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
    """Return the outages of ours that excuse this unit, and the times that our clock has skipped, that overlap the
    window. `path` is the unit's present path; `open_gaps` are outages that have not ended, by path, which are not
    stored yet."""
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
    """Return gaps of a table. `usual_path` is the path for rows without one; if it is None, paths are not read."""
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
    """Return the CSQ and operator of each heartbeat. They are kept for a day."""
    return _rows(connection, signal, signal.c.received_ms, period, from_ms, to_ms)


def signal_averages(connection: Connection, period: Period, from_ms: int, to_ms: int) -> Rows[dict[str, Any]]:
    """Return lowest, highest, total and samples for each five minutes and operator, with `from_ms` and `until_ms`.
    Where these are deleted, return the hourly ones, with `lasting_ms`, the part of the hour that was measured in that
    network."""
    fives = _averages(connection, signal_5min, period, from_ms, to_ms)
    since_ms = five_minutes_since(connection)  # read after them, so that rows that are deleted meanwhile are not missed
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
    """Return the power and meter of each heartbeat, and whether a vehicle was connected. They are kept for two days."""
    return _rows(connection, power, power.c.received_ms, period, from_ms, to_ms)


def last_idle(connection: Connection, period: Period, now_ms: int) -> Idle | None:
    """Return the newest reading without a vehicle; the energy since then belongs to the session in progress. Return
    None if it was before the period or is not kept any more."""
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
    """Return the charging sessions that were received in the window."""
    return _rows(connection, sessions, sessions.c.received_ms, period, from_ms, to_ms)


def sessions_begun(connection: Connection, period: Period, from_ms: int, to_ms: int) -> Rows[dict[str, Any]]:
    """Return the charging sessions that began in that time, sorted by `began_ms`: by the unit's clock if that is
    plausible, else the time of receipt. Returns at most MAX_BEGUN + 1."""
    began_ms = SAID[sessions]
    wanted = (within(sessions, period), began_ms >= from_ms, began_ms < to_ms, sessions.c.received_ms >= from_ms)
    query = select(sessions, began_ms.label("began_ms")).where(*wanted).order_by(began_ms, sessions.c.id)
    columns = [*sessions.columns, sessions.c.received_ms]  # `began_ms` is checked like `received_ms`
    found = readable(columns, connection.execute(query.limit(MAX_BEGUN + 1)))
    return Rows((dict(row._mapping) for row in found), found.unreadable)


def session_begun(connection: Connection, period: Period, session_id: int) -> dict[str, Any] | None:
    """Return one session like `sessions_begun`, or None if there is none that the asker may see."""
    wanted = (within(sessions, period), sessions.c.id == session_id)
    query = select(sessions, SAID[sessions].label("began_ms")).where(*wanted)
    found = readable([*sessions.columns, sessions.c.received_ms], connection.execute(query))
    return dict(found[0]._mapping) if found else None


def say_vehicle(connection: Connection, period: Period, session_id: int, name: str | None) -> bool:
    """Set the name of the vehicle that was charged in a session, or remove it with None. Return False if there is no
    such session that the asker may see."""
    wanted = (within(sessions, period), sessions.c.id == session_id)
    return connection.execute(update(sessions).where(*wanted).values(vehicle_said=name)).rowcount == 1


def unit_events(connection: Connection, period: Period, from_ms: int, to_ms: int) -> Rows[dict[str, Any]]:
    """Return the journal records that were received in the window."""
    return _rows(connection, events, events.c.received_ms, period, from_ms, to_ms)


def _rows(
    connection: Connection, table: Table, at: Any, period: Period, from_ms: int, to_ms: int
) -> Rows[dict[str, Any]]:
    wanted = (within(table, period), at >= from_ms, at < to_ms, in_chunks(at, from_ms, to_ms))
    query = select(table).where(*wanted).order_by(*in_order(at)).limit(MAX_ROWS)
    found = readable(list(table.columns), connection.execute(query))
    return Rows((dict(row._mapping) for row in found), found.unreadable)
