"""Averages of the signal: over five minutes, computed from the readings, and over an hour, computed from the five
minutes.

How far each is computed is stored, so that a restarted process continues where the previous one stopped. A step
computes all that is due for a few units, some ROWS_AT_ONCE rows, and steps are done in slices (store/slices.py), since
the recorder waits for them. The rows of one unit and day are stored next to each other: when each five minutes were
computed for all units at once, SQLite wrote 24 GB for a day of 10,000 units, since every row was on a different page.

An hour in which a unit changes hands is divided into pieces with one owner each: before the five minutes of the change,
these five minutes, and after them.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Connection,
    Float,
    Integer,
    Select,
    Table,
    cast,
    func,
    literal_column,
    or_,
    select,
)

from cloud_bridge.durations import DAY_MS, HOUR_MS
from cloud_bridge.store.chunks import in_chunks, in_order
from cloud_bridge.store.ownership import BUCKET_MS
from cloud_bridge.store.tables import ownerships, rolled_up, signal, signal_5min, signal_hourly
from cloud_bridge.store.upsert import insert_from, key_of, replace

ROWS_AT_ONCE = 300
MOST_OF_UNIT = 288  # rows: the readings are of one day, whatever our clock does meanwhile
LATE_MS = 15 * 60 * 1000  # newer buckets are computed again: after an outage a way in delivers what it kept
FIVE_MINUTES, HOURS = signal_5min.name, signal_hourly.name


def rolled_up_until(connection: Connection, name: str) -> int:
    """How far FIVE_MINUTES or HOURS are computed; 0: never."""
    return connection.execute(select(rolled_up.c.until_ms).where(rolled_up.c.name == name)).scalar() or 0


def record_rolled_up(connection: Connection, name: str, until_ms: int) -> None:
    replace(connection, rolled_up, [{"name": name, "until_ms": until_ms}])


def units_read(connection: Connection, from_ms: int, until_ms: int) -> Iterator[list[str]]:
    """The units that have readings between the two times, in groups suitable for one step."""
    return _units_between(connection, signal.c.received_ms, from_ms, until_ms, BUCKET_MS)


def roll_up_signal(connection: Connection, from_ms: int, until_ms: int, unit_ids: Sequence[str]) -> None:
    """Compute the five-minute rows of these units between the two times, which are multiples of five minutes; rows for
    which there are now more readings are computed again."""
    bucket = (signal.c.received_ms - signal.c.received_ms % literal_column(str(BUCKET_MS), BigInteger)).label("from_ms")
    made = (
        select(
            signal.c.unit_id,
            bucket,
            signal.c.operator,
            func.min(signal.c.csq).label("lowest"),
            func.max(signal.c.csq).label("highest"),
            func.sum(signal.c.csq).label("total"),
            func.count().label("samples"),
        )
        .where(
            signal.c.unit_id.in_(unit_ids),
            signal.c.received_ms >= from_ms,
            signal.c.received_ms < until_ms,
            in_chunks(signal.c.received_ms, from_ms, until_ms),
        )
        .group_by(signal.c.unit_id, bucket, signal.c.operator)
        .order_by(signal.c.unit_id, bucket, signal.c.operator)  # two processes doing this at once must not deadlock
    )
    _replace_from(connection, signal_5min, made)


def next_hour(connection: Connection, since_ms: int, until_ms: int) -> int | None:
    """The hour between the two times, both whole hours, before which there are no five-minute averages: the first of a
    day, since the search takes time in proportion to the chunk of one day. None: there are no averages."""
    at = signal_5min.c.from_ms
    query = select(at).where(at >= since_ms, at < until_ms, in_chunks(at, since_ms, until_ms))
    one_of_first_day = connection.execute(query.order_by(in_order(at)[0]).limit(1)).scalar()
    return None if one_of_first_day is None else max(since_ms, one_of_first_day - one_of_first_day % DAY_MS)


def units_averaged(connection: Connection, from_ms: int, until_ms: int) -> Iterator[list[str]]:
    """The units that have five-minute averages between the two times, in groups suitable for one step."""
    return _units_between(connection, signal_5min.c.from_ms, from_ms, until_ms, HOUR_MS)


def make_hours(connection: Connection, from_ms: int, until_ms: int, unit_ids: Sequence[str]) -> None:
    """Compute the hourly rows of these units between the two times, both whole hours."""
    changes = _changes_of_hands(connection, from_ms, until_ms, unit_ids)
    unchanged = [unit_id for unit_id in unit_ids if unit_id not in changes]
    if unchanged:
        _make_hours(connection, from_ms, until_ms, unchanged, None)
    for unit_id, changed_ms in changes.items():
        for piece in pieces(from_ms, until_ms, changed_ms):
            _make_hours(connection, *piece, [unit_id], piece)


def pieces(from_ms: int, until_ms: int, changed_ms: Iterable[int]) -> list[tuple[int, int]]:
    """The hours between the two times, divided where a unit changed hands: before and after the five minutes of each
    change."""
    edges = set(range(from_ms, until_ms + 1, HOUR_MS))
    for at_ms in changed_ms:
        edges |= {at_ms // BUCKET_MS * BUCKET_MS, -(-at_ms // BUCKET_MS) * BUCKET_MS}
    ordered = sorted(edges)
    return list(zip(ordered[:-1], ordered[1:], strict=True))


def _units_between(
    connection: Connection, at: Column[int], from_ms: int, until_ms: int, step_ms: int
) -> Iterator[list[str]]:
    of_time = (at >= from_ms, at < until_ms, in_chunks(at, from_ms, until_ms))
    query = select(at.table.c.unit_id).where(*of_time).distinct()
    found = sorted(connection.execute(query).scalars())
    at_once = max(1, ROWS_AT_ONCE // min(max(1, (until_ms - from_ms) // step_ms), MOST_OF_UNIT))
    return (found[begin : begin + at_once] for begin in range(0, len(found), at_once))


def _changes_of_hands(
    connection: Connection, from_ms: int, until_ms: int, unit_ids: Sequence[str]
) -> dict[str, list[int]]:
    """When units changed hands between the two times."""
    began, ended = ownerships.c.from_ms, ownerships.c.until_ms
    inside = or_(began.between(from_ms + 1, until_ms - 1), ended.between(from_ms + 1, until_ms - 1))
    query = select(ownerships.c.unit_id, began, ended).where(ownerships.c.unit_id.in_(unit_ids), inside)
    found: dict[str, list[int]] = {}
    for unit_id, *times_ms in connection.execute(query):
        changed_ms = [at_ms for at_ms in times_ms if at_ms is not None and from_ms < at_ms < until_ms]
        found.setdefault(unit_id, []).extend(changed_ms)
    return found


def _make_hours(
    connection: Connection, from_ms: int, until_ms: int, unit_ids: Sequence[str], piece: tuple[int, int] | None
) -> None:
    """Compute what is between the two times: one row for the given piece, or rows of whole hours. All five minutes
    count equally, and within them networks count by their samples."""
    of, samples = signal_5min.c, cast(signal_5min.c.samples, Float)
    share = (samples / func.sum(samples).over(partition_by=(of.unit_id, of.from_ms))).label("share")
    hour: ColumnElement[int] = of.from_ms - of.from_ms % literal_column(str(HOUR_MS), BigInteger)
    begin = hour if piece is None else literal_column(str(piece[0]), BigInteger)
    end = (
        hour + literal_column(str(HOUR_MS), BigInteger) if piece is None else literal_column(str(piece[1]), BigInteger)
    )
    mean = (of.total / samples).label("mean")
    begin, end = begin.label("begin_ms"), end.label("end_ms")
    inner = (
        select(of.unit_id, of.operator, of.lowest, of.highest, of.samples, mean, share, begin, end)
        .where(
            of.unit_id.in_(unit_ids),
            of.from_ms >= from_ms,
            of.from_ms < until_ms,
            in_chunks(of.from_ms, from_ms, until_ms),
            of.samples > 0,
        )
        .subquery()
        .c
    )
    average = func.sum(inner.mean * inner.share) / func.sum(inner.share)
    made = (
        select(
            inner.unit_id,
            inner.begin_ms.label("from_ms"),
            inner.operator,
            inner.end_ms.label("until_ms"),
            func.min(inner.lowest).label("lowest"),
            func.max(inner.highest).label("highest"),
            cast(func.round(average * func.sum(inner.samples)), BigInteger).label("total"),
            func.sum(inner.samples).label("samples"),
            cast(func.round(func.sum(inner.share) * BUCKET_MS), Integer).label("lasting_ms"),
        )
        .where(inner.unit_id.is_not(None))  # SQLite parses ON CONFLICT only after a WHERE
        .group_by(inner.unit_id, inner.begin_ms, inner.end_ms, inner.operator)
        .order_by(inner.unit_id)
    )
    _replace_from(connection, signal_hourly, made)


def _replace_from(connection: Connection, table: Table, made: Select[Any]) -> None:
    statement, keys = insert_from(connection.dialect.name, table, made), key_of(connection.dialect.name, table)
    names = [column.name for column in made.selected_columns]
    values = {name: statement.excluded[name] for name in names if name not in keys}
    is_more = statement.excluded.samples != table.c.samples  # most have no more, and are not written
    connection.execute(statement.on_conflict_do_update(index_elements=keys, set_=values, where=is_more))
