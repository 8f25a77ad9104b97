"""Remove the rows of a time span from a chunked table (SQLite), in storage order, some in each step."""

from collections.abc import Callable

from sqlalchemy import Connection, Table, text

from cloud_bridge.store.chunks import ALWAYS_MS, CHUNKED

REMOVED_AT_ONCE = 2000  # adjacent rows; takes about a millisecond

_Reached = Callable[[Connection, int], None]


class ChunkRemoval:
    """Removes rows in steps, for `in_slices`. `reached` is called with the end of each chunk in the transaction that
    removes its last rows, or with `reached_before` in the one that removes its first rows. The latter is for readers
    that read what has been reached from another table, so that they never use a partly removed chunk."""

    def __init__(
        self, table: Table, from_ms: int | None, to_ms: int, reached: _Reached, reached_before: bool = False
    ) -> None:
        """Remove rows from `from_ms` (None for no lower bound) to `to_ms`, exclusive. Older rows of the first chunk
        stay."""
        age, self._width_ms = CHUNKED[table]
        self._reached, self._reached_before = reached, reached_before
        self._time = {"from_ms": -ALWAYS_MS if from_ms is None else from_ms, "to_ms": to_ms}
        self._chunk: int | None = None  # being removed; units before `_begin` are done
        self._begin = ""
        self._next_chunk = text(
            f"SELECT min(chunk) FROM {table.name} WHERE chunk > coalesce(:chunk, :from_ms / {self._width_ms} - 1) "
            f"AND chunk <= (:to_ms - 1) / {self._width_ms}"
        )
        self._next_unit = text(
            f"SELECT unit_id FROM {table.name} WHERE chunk = :chunk AND unit_id > :begin "
            f"ORDER BY unit_id LIMIT 1 OFFSET {REMOVED_AT_ONCE}"
        )
        remove = (
            f"DELETE FROM {table.name} WHERE chunk = :chunk AND unit_id >= :begin "
            f"AND {age.name} >= :from_ms AND {age.name} < :to_ms"
        )
        self._remove, self._remove_rest = text(f"{remove} AND unit_id < :end"), text(remove)
        self._is_rest = True

    def step(self, connection: Connection) -> bool:
        """Remove the next rows. Return False if there are none left."""
        if self._is_rest:
            self._begin, given = "", {"chunk": self._chunk, **self._time}
            self._chunk = connection.execute(self._next_chunk, given).scalar()
            if self._chunk is not None and self._reached_before:
                self._reached(connection, self._end_ms(self._chunk))
        if self._chunk is None:
            return False
        place = {"chunk": self._chunk, "begin": self._begin}
        end = connection.execute(self._next_unit, place).scalar()
        self._is_rest = end is None
        if end is not None:
            connection.execute(self._remove, place | self._time | {"end": end})
            self._begin = end
            return True
        connection.execute(self._remove_rest, place | self._time)
        self._reached(connection, self._end_ms(self._chunk))
        return True

    def _end_ms(self, chunk: int) -> int:
        return min((chunk + 1) * self._width_ms, self._time["to_ms"])
