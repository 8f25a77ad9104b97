"""Move the rows of an older version into chunks (migration 0038), before the database is used.

Rows are copied in short transactions in their new order, so that they are written sequentially. Deleting each row from
the old table would take many times as long. Instead the old table is dropped when all rows are copied, and the VACUUM
at the end of the upgrade overwrites its pages. If the process is killed or the disk is full, the next start begins
again and quickly skips rows that were copied. Two processes may do this at the same time.
"""

import logging
from collections.abc import Iterable
from time import monotonic

from sqlalchemy import Connection, Table, text

from cloud_bridge.durations import MINUTE_MS
from cloud_bridge.store.chunks import ALWAYS_MS, CHUNKED
from cloud_bridge.store.slices import Writing, in_slices

MOVED_AT_ONCE = 2000  # rows in a step, if each unit has one row in USUAL_EVERY_MS
USUAL_EVERY_MS = 5 * MINUTE_MS
TELL_EVERY_S = 10.0

_log = logging.getLogger(__name__)


def unmoved(connection: Connection) -> list[Table]:
    """Return the tables that may have rows to move."""
    there = set(connection.execute(text("SELECT name FROM sqlite_master WHERE type = 'table'")).scalars())
    return [table for table in CHUNKED if _before(table) in there]


def move_rows(writing: Writing, tables: Iterable[Table]) -> None:
    """Move all remaining rows of these tables. Raises SQLAlchemyError."""
    for table in tables:
        in_slices(writing, _Moves(table).step)
        with writing() as connection:
            connection.execute(text("PRAGMA secure_delete = OFF"))  # or the WAL would get as large as the table
            try:
                connection.execute(text(f"DROP TABLE IF EXISTS {_before(table)}"))
            finally:
                connection.execute(text("PRAGMA secure_delete = ON"))


def _before(table: Table) -> str:
    return f"{table.name}_before"


class _Moves:
    """Moves the rows of one table, in the order of chunk, unit and time."""

    def __init__(self, table: Table) -> None:
        self._table, self._moved, self._tell_s = table, 0, monotonic() + TELL_EVERY_S
        age, self._width_ms = CHUNKED[table]
        self._units_at_once = max(1, MOVED_AT_ONCE * USUAL_EVERY_MS // self._width_ms)
        self._time: dict[str, int] | None = None  # bounds of the chunk that is being moved
        self._until_ms = -ALWAYS_MS  # all older rows are moved
        self._unit = ""  # the last unit of the chunk whose rows are moved
        names = ", ".join(column.name for column in table.columns)
        self._find_time = text(f"SELECT min({age.name}) FROM {_before(table)} WHERE {age.name} >= :until_ms")
        self._find_unit = text("SELECT max(id) FROM (SELECT id FROM units WHERE id > :unit ORDER BY id LIMIT :count)")
        self._move = text(
            f"INSERT OR IGNORE INTO {table.name} (chunk, {names}) "
            f"SELECT {age.name} / {self._width_ms}, {', '.join(f'of.{column.name}' for column in table.columns)} "
            f"FROM units CROSS JOIN {_before(table)} AS of ON of.unit_id = units.id "  # fixes the order
            f"WHERE units.id > :unit AND units.id <= :last AND {age.name} >= :from_ms AND {age.name} < :to_ms"
        )

    def step(self, connection: Connection) -> bool:
        """Move the next rows. Return False if all are moved."""
        if self._table not in unmoved(connection):  # another process has finished
            return False
        if self._time is None and not self._begin_chunk(connection):
            return False
        units = {"unit": self._unit, "count": self._units_at_once}
        last = connection.execute(self._find_unit, units).scalar()
        if last is None:
            self._time = None
            return True
        found = {"unit": self._unit, "last": last, **(self._time or {})}
        self._moved += connection.execute(self._move, found).rowcount
        self._unit = last
        if monotonic() > self._tell_s:
            self._tell_s = monotonic() + TELL_EVERY_S
            _log.warning("upgrading the database: %d rows of %s moved so far", self._moved, self._table.name)
        return True

    def _begin_chunk(self, connection: Connection) -> bool:
        """Find the next chunk with rows. Return False if there is none."""
        from_ms = connection.execute(self._find_time, {"until_ms": self._until_ms}).scalar()
        if from_ms is None:
            return False
        self._until_ms = (from_ms // self._width_ms + 1) * self._width_ms
        self._time, self._unit = {"from_ms": from_ms, "to_ms": self._until_ms}, ""
        return True
