"""Which units are connected, as reported by their door: a process with an embedded broker or an OCPP server, or a node
of a cluster. An outside broker does not report connections, so its units have no row."""

from collections.abc import Collection, Iterator, Sequence
from functools import cache
from typing import NamedTuple

from sqlalchemy import BigInteger, ColumnElement, Connection, and_, bindparam, or_, select, true, update

from cloud_bridge.contact import FUTURE_MS
from cloud_bridge.store.row_order import in_parts, lock_in_order
from cloud_bridge.store.tables import over_quota, presence
from cloud_bridge.store.upsert import Insert, execute_many, insert_into

READ_AT_ONCE = 1000  # rows in memory at once


class Presence(NamedTuple):
    """The newest event of a unit's connections."""

    unit_id: str
    connected: bool
    door: str  # the process or node that reported it
    changed_ms: int


# As in record.py: a stored timestamp later than this is from a wrong clock, and is replaced.
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
    """Store a batch of events, in any order. An event that is older than the stored one of its unit is ignored. Of two
    in the same millisecond the later in the batch counts.

    With `is_by_door` doors report only their own connections, each in order, so that the end of one does not affect the
    connection at another door."""
    believable_ms = max((row.changed_ms for row in rows), default=0) + FUTURE_MS
    newest: dict[str, Presence] = {}  # a PostgreSQL statement may change a row only once
    for row in rows:
        known = newest.get(row.unit_id)
        if known is None or row.changed_ms >= known.changed_ms:
            newest[row.unit_id] = row
    values = [newest[unit_id]._asdict() | {"believable_ms": believable_ms} for unit_id in sorted(newest)]
    execute_many(connection, _newest_presence(connection.dialect.name, is_by_door), values)


def lost_door(connection: Connection, door: str, at_ms: int) -> None:
    """Mark the units of a door that died at `at_ms` as disconnected, except for those that have reconnected since."""
    told_before = or_(presence.c.changed_ms <= at_ms, presence.c.changed_ms > at_ms + FUTURE_MS)
    were_there = (presence.c.door == door, presence.c.connected.is_(True), told_before)
    unit_ids = sorted(connection.execute(select(presence.c.unit_id).where(*were_there)).scalars())
    for some in in_parts(unit_ids):
        lock_in_order(connection, presence.c.unit_id, some)
        gone = update(presence).where(presence.c.unit_id.in_(some), *were_there)
        connection.execute(gone.values(connected=False, changed_ms=at_ms))


def presence_of(connection: Connection, unit_ids: Collection[str]) -> dict[str, Presence]:
    """Return the presence of units by unit id. Units without a report are left out."""
    found: dict[str, Presence] = {}
    for some in in_parts(sorted(unit_ids)):
        rows = connection.execute(select(presence).where(presence.c.unit_id.in_(some)))
        found.update((row.unit_id, Presence(*row)) for row in rows)
    return found


def connected_at(connection: Connection, door: str, before_ms: int) -> Iterator[str]:
    """Yield the ids of units that have been connected at this door since before `before_ms`. There may be a million."""
    were_there = (presence.c.door == door, presence.c.connected.is_(True), presence.c.changed_ms < before_ms)
    query = select(presence.c.unit_id).where(*were_there)
    yield from connection.execution_options(yield_per=READ_AT_ONCE).execute(query).scalars()


def record_over_quota(connection: Connection, at_ms: dict[str, int]) -> None:
    """Store when units last exceeded their quota."""
    rows = [{"unit_id": unit_id, "at_ms": ms} for unit_id, ms in sorted(at_ms.items())]
    execute_many(connection, _newest_over_quota(connection.dialect.name), rows)
