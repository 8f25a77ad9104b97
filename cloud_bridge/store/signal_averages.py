"""Averages of signal: by five minutes, made of the readings, and by the hour, made of the five minutes.

Each is made in order, and how far is stored, so that a restart goes on where the process before it stopped. A
transaction makes the averages of UNITS_AT_ONCE units, since the recorder waits for it: of 10,000 units at once SQLite
changes a page for each.

An hour in which a unit changes hands is made in pieces, so that each is of one owner: up to the five minutes of the
change, these, and what is after them.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Float,
    Integer,
    Select,
    Table,
    cast,
    func,
    literal,
    or_,
    select,
)

from cloud_bridge.durations import HOUR_MS
from cloud_bridge.store.ownership import BUCKET_MS
from cloud_bridge.store.tables import ownerships, rolled_up, signal, signal_5min, signal_hourly
from cloud_bridge.store.upsert import insert_into, replace

LATE_MS = 15 * 60 * 1000  # buckets this young are made again: a way in that was down hands in what it kept
UNITS_AT_ONCE = 250
FIVE_MINUTES, HOURS = signal_5min.name, signal_hourly.name


def rolled_up_until(connection: Connection, name: str) -> int:
    """How far FIVE_MINUTES or HOURS were made; 0: never."""
    return connection.execute(select(rolled_up.c.until_ms).where(rolled_up.c.name == name)).scalar() or 0


def record_rolled_up(connection: Connection, name: str, until_ms: int) -> None:
    replace(connection, rolled_up, [{"name": name, "until_ms": until_ms}])


def whole_buckets(connection: Connection, since_ms: int, now_ms: int) -> list[int]:
    """The beginnings of the five minutes that have readings, from the one that `since_ms` is in to the last whole one.

    Only those: our clock may have skipped a million others.
    """
    bucket = (signal.c.received_ms - signal.c.received_ms % literal(BUCKET_MS, BigInteger)).label("from_ms")
    first_ms, end_ms = since_ms - since_ms % BUCKET_MS, now_ms - now_ms % BUCKET_MS
    inside = (signal.c.received_ms >= first_ms, signal.c.received_ms < end_ms)
    return list(connection.execute(select(bucket).where(*inside).distinct().order_by(bucket)).scalars())


def units_read(connection: Connection, first_ms: int) -> Iterator[list[str]]:
    """The units that have readings in these five minutes, UNITS_AT_ONCE at a time."""
    return _units_between(connection, signal.c.received_ms, first_ms, first_ms + BUCKET_MS)


def roll_up_signal(connection: Connection, first_ms: int, unit_ids: Sequence[str]) -> None:
    """Make the rows of the five minutes that begin then, of these units; anew where there are some."""
    made = (
        select(
            signal.c.unit_id,
            literal(first_ms, BigInteger).label("from_ms"),
            signal.c.operator,
            func.min(signal.c.csq).label("lowest"),
            func.max(signal.c.csq).label("highest"),
            func.sum(signal.c.csq).label("total"),
            func.count().label("samples"),
        )
        .where(
            signal.c.unit_id.in_(unit_ids),
            signal.c.received_ms >= first_ms,
            signal.c.received_ms < first_ms + BUCKET_MS,
        )
        .group_by(signal.c.unit_id, signal.c.operator)
        .order_by(signal.c.unit_id)
    )
    _replace_from(connection, signal_5min, made)


def next_hour(connection: Connection, since_ms: int, until_ms: int) -> int | None:
    """The beginning of the next hour between the two times, both whole hours, that has five-minute averages."""
    query = select(func.min(signal_5min.c.from_ms)).where(
        signal_5min.c.from_ms >= since_ms, signal_5min.c.from_ms < until_ms
    )
    first_ms = connection.execute(query).scalar()
    return None if first_ms is None else int(first_ms) - int(first_ms) % HOUR_MS


def units_averaged(connection: Connection, first_ms: int) -> Iterator[list[str]]:
    """The units that have five-minute averages in the hour that begins then, UNITS_AT_ONCE at a time."""
    return _units_between(connection, signal_5min.c.from_ms, first_ms, first_ms + HOUR_MS)


def make_hour(connection: Connection, first_ms: int, unit_ids: Sequence[str]) -> None:
    """Make the rows of the hour that begins then, of these units."""
    changes = _changes_of_hands(connection, first_ms, unit_ids)
    whole = [unit_id for unit_id in unit_ids if unit_id not in changes]
    if whole:
        _make_piece(connection, first_ms, first_ms + HOUR_MS, whole)
    for unit_id, changed_ms in changes.items():
        for from_ms, until_ms in pieces(first_ms, changed_ms):
            _make_piece(connection, from_ms, until_ms, [unit_id])


def pieces(first_ms: int, changed_ms: Iterable[int]) -> list[tuple[int, int]]:
    """The hour that begins then, cut where a unit changed hands: before and after the five minutes of each change."""
    edges = {first_ms, first_ms + HOUR_MS}
    for at_ms in changed_ms:
        edges |= {at_ms // BUCKET_MS * BUCKET_MS, -(-at_ms // BUCKET_MS) * BUCKET_MS}
    ordered = sorted(edges)
    return list(zip(ordered[:-1], ordered[1:], strict=True))


def _units_between(connection: Connection, at: Column[int], from_ms: int, until_ms: int) -> Iterator[list[str]]:
    query = select(at.table.c.unit_id).where(at >= from_ms, at < until_ms).distinct()
    found = sorted(connection.execute(query).scalars())
    return (found[begin : begin + UNITS_AT_ONCE] for begin in range(0, len(found), UNITS_AT_ONCE))


def _changes_of_hands(connection: Connection, first_ms: int, unit_ids: Sequence[str]) -> dict[str, list[int]]:
    """When units changed hands within the hour that begins then."""
    inside = (first_ms + 1, first_ms + HOUR_MS - 1)
    began, ended = ownerships.c.from_ms, ownerships.c.until_ms
    query = select(ownerships.c.unit_id, began, ended).where(
        ownerships.c.unit_id.in_(unit_ids), or_(began.between(*inside), ended.between(*inside))
    )
    found: dict[str, list[int]] = {}
    for unit_id, *times_ms in connection.execute(query):
        inside_ms = [at_ms for at_ms in times_ms if at_ms is not None and first_ms < at_ms < first_ms + HOUR_MS]
        found.setdefault(unit_id, []).extend(inside_ms)
    return found


def _make_piece(connection: Connection, from_ms: int, until_ms: int, unit_ids: Sequence[str]) -> None:
    """Each five minutes count the same, and networks share theirs by their samples."""
    of, samples = signal_5min.c, cast(signal_5min.c.samples, Float)
    share = (samples / func.sum(samples).over(partition_by=(of.unit_id, of.from_ms))).label("share")
    inner = (
        select(of.unit_id, of.operator, of.lowest, of.highest, of.samples, (of.total / samples).label("mean"), share)
        .where(of.unit_id.in_(unit_ids), of.from_ms >= from_ms, of.from_ms < until_ms, of.samples > 0)
        .subquery()
        .c
    )
    mean = func.sum(inner.mean * inner.share) / func.sum(inner.share)
    made = (
        select(
            inner.unit_id,
            literal(from_ms, BigInteger).label("from_ms"),
            inner.operator,
            literal(until_ms, BigInteger).label("until_ms"),
            func.min(inner.lowest).label("lowest"),
            func.max(inner.highest).label("highest"),
            cast(func.round(mean * func.sum(inner.samples)), BigInteger).label("total"),
            func.sum(inner.samples).label("samples"),
            cast(func.round(func.sum(inner.share) * BUCKET_MS), Integer).label("lasting_ms"),
        )
        .where(inner.unit_id.is_not(None))  # SQLite reads ON CONFLICT after a WHERE alone
        .group_by(inner.unit_id, inner.operator)
        .order_by(inner.unit_id)
    )
    _replace_from(connection, signal_hourly, made)


def _replace_from(connection: Connection, table: Table, made: Select[Any]) -> None:
    names = [column.name for column in made.selected_columns]
    statement = insert_into(connection.dialect.name, table).from_select(names, made)
    keys = [column.name for column in table.primary_key]
    values = {name: statement.excluded[name] for name in names if name not in keys}
    connection.execute(statement.on_conflict_do_update(index_elements=keys, set_=values))
