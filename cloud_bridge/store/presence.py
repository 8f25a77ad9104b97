"""Which units have a connection open, as the door that they came in by has told it: a process with a broker of its own, or a
node of a cluster. A unit of which no door has told anything has no row: an outside broker does not tell."""

from collections.abc import Collection, Iterator, Sequence
from functools import cache
from typing import NamedTuple

from sqlalchemy import BigInteger, ColumnElement, Connection, and_, bindparam, or_, select, true, update

from cloud_bridge.contact import FUTURE_MS
from cloud_bridge.store.row_order import in_parts, lock_in_order
from cloud_bridge.store.tables import over_quota, presence
from cloud_bridge.store.upsert import Insert, execute_many, insert_into

READ_AT_ONCE = 1000  # rows that are in memory together


class Presence(NamedTuple):
    """The newest event of a unit's connections."""

    unit_id: str
    connected: bool
    door: str  # which process or node told it
    changed_ms: int


# As record.py's: a later stamp that is stored was made by a clock that was wrong, and gives way.
_BELIEVABLE: ColumnElement[int] = bindparam("believable_ms", type_=BigInteger)


@cache
def _newest_presence(dialect: str, is_by_door: bool) -> Insert:
    statement = insert_into(dialect, presence)
    new = statement.excluded
    return statement.on_conflict_do_update(
        index_elements=["unit_id"],
        set_={"connected": new.connected, "door": new.door, "changed_ms": new.changed_ms},
        where=and_(
            or_(new.changed_ms >= presence.c.changed_ms, presence.c.changed_ms > _BELIEVABLE),
            or_(new.connected, presence.c.door == new.door) if is_by_door else true(),
        ),
    )


@cache
def _newest_over_quota(dialect: str) -> Insert:
    statement = insert_into(dialect, over_quota)
    return statement.on_conflict_do_update(index_elements=["unit_id"], set_={"at_ms": statement.excluded.at_ms})


def record_presence(connection: Connection, rows: Sequence[Presence], is_by_door: bool = False) -> None:
    """Store events in one batch, in whatever order they come: one that is older than what is stored of its unit changes
    nothing, and of two in the same millisecond the one that comes later counts.

    `is_by_door`: the doors tell of their own connections, each in order, and the end of one says nothing of another door's."""
    believable_ms = max((row.changed_ms for row in rows), default=0) + FUTURE_MS
    newest: dict[str, Presence] = {}  # a statement of PostgreSQL may change a row once
    for row in rows:
        known = newest.get(row.unit_id)
        if known is None or row.changed_ms >= known.changed_ms:
            newest[row.unit_id] = row
    values = [newest[unit_id]._asdict() | {"believable_ms": believable_ms} for unit_id in sorted(newest)]
    execute_many(connection, _newest_presence(connection.dialect.name, is_by_door), values)


def lost_door(connection: Connection, door: str, at_ms: int) -> None:
    """The door died then: the units that it has told of are away, but for those that have come back since."""
    told_before = or_(presence.c.changed_ms <= at_ms, presence.c.changed_ms > at_ms + FUTURE_MS)
    were_there = (presence.c.door == door, presence.c.connected.is_(True), told_before)
    unit_ids = sorted(connection.execute(select(presence.c.unit_id).where(*were_there)).scalars())
    for some in in_parts(unit_ids):
        lock_in_order(connection, presence.c.unit_id, some)
        gone = update(presence).where(presence.c.unit_id.in_(some), *were_there)
        connection.execute(gone.values(connected=False, changed_ms=at_ms))


def presence_of(connection: Connection, unit_ids: Collection[str]) -> dict[str, Presence]:
    """By unit id, of those of which a door has told."""
    found: dict[str, Presence] = {}
    for some in in_parts(sorted(unit_ids)):
        rows = connection.execute(select(presence).where(presence.c.unit_id.in_(some)))
        found.update((row.unit_id, Presence(*row)) for row in rows)
    return found


def connected_at(connection: Connection, door: str, before_ms: int) -> Iterator[str]:
    """The units that are connected by this door since before then, as far as it has told: there may be a million."""
    were_there = (presence.c.door == door, presence.c.connected.is_(True), presence.c.changed_ms < before_ms)
    query = select(presence.c.unit_id).where(*were_there)
    yield from connection.execution_options(yield_per=READ_AT_ONCE).execute(query).scalars()


def record_over_quota(connection: Connection, at_ms: dict[str, int]) -> None:
    """When units sent more than their quota last."""
    rows = [{"unit_id": unit_id, "at_ms": ms} for unit_id, ms in sorted(at_ms.items())]
    execute_many(connection, _newest_over_quota(connection.dialect.name), rows)
