"""Chunked tables on SQLite: the rows of an hour, of three hours or of a day are stored together, sorted by unit, and
are deleted together.

With an index on unit and time, each deleted row is on a page of its own: 182,000 rows/s in transactions of 120,000
rows, which write 2.3 GB for a million rows, and 60,000 rows/s in transactions of 500. A chunk is a contiguous range of
the table's B-tree (`WITHOUT ROWID`, with the key chunk, unit, time): 1.2 to 2.7 million rows/s, and 72 MB (3.40.1). For
that, SQLite must not check foreign keys to each row (`Database.writing_slice`): the check alone takes five times as
long.

The column `chunk` is the number of the row's chunk since 1970. PostgreSQL has partitions instead (store/partitions.py),
so the column is in no table of tables.py. It is added to statements by these functions:

    reading, deleting    `in_chunks` beside the condition on the time, or the whole table is read; `in_order` to sort
    writing              `insert_into` and `insert_from` (store/upsert.py)

Existing chunks are found by seeking from one to the next, so rows from a wrong clock cost one seek, and not one for
each hour since 1970.
"""

from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ColumnElement,
    MetaData,
    Table,
    literal,
    literal_column,
    true,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from cloud_bridge.durations import DAY_MS, HOUR_MS
from cloud_bridge.store.tables import power, signal, signal_5min, signal_hourly

CHUNK = "chunk"
ALWAYS_MS = 1 << 62  # later than any time; the negative is earlier than any time


class Chunked(NamedTuple):
    """The column with the age of a row, and the width of a chunk (SQLite) or partition (PostgreSQL)."""

    age: Column[int]
    width_ms: int


CHUNKED = {  # each has some tens of chunks, since every statement on a unit's rows seeks once in each
    signal: Chunked(signal.c.received_ms, HOUR_MS),
    power: Chunked(power.c.received_ms, 3 * HOUR_MS),
    signal_5min: Chunked(signal_5min.c.from_ms, DAY_MS),
    signal_hourly: Chunked(signal_hourly.c.from_ms, DAY_MS),
}


class _InChunks(FunctionElement[bool]):
    """The condition that a row is in the chunks of a time span: column, first and last millisecond."""

    type = Boolean()
    inherit_cache = True

    def self_group(self, against: object = None) -> "_InChunks":
        """Return the element itself. SQLAlchemy would compare it with 1, and SQLite would not use the key."""
        return self


class _ChunkOf(FunctionElement[int]):
    """The chunk of a row, by the column of its age."""

    type = BigInteger()
    inherit_cache = True


Time = int | ColumnElement[int] | None  # in milliseconds, or a bound parameter


def in_chunks(age: ColumnElement[int], from_ms: Time, to_ms: Time) -> ColumnElement[bool]:
    """Return the condition that a row is in one of the chunks of the time from `from_ms` to `to_ms`. None means no
    bound. The condition is true for tables and databases without chunks."""
    if not isinstance(age, Column) or age.table not in CHUNKED:
        return true()
    first_ms, last_ms = -ALWAYS_MS if from_ms is None else from_ms, ALWAYS_MS if to_ms is None else to_ms
    return _InChunks(age, *(literal(one, BigInteger) if isinstance(one, int) else one for one in (first_ms, last_ms)))


def in_order(age: Column[int]) -> tuple[ColumnElement[int], ...]:
    """Return the columns to sort one unit's rows by time. With the chunk first, SQLite can use the storage order."""
    return (_ChunkOf(age), age) if age.table in CHUNKED else (age,)


def in_order_back(age: Column[int]) -> tuple[ColumnElement[int], ...]:
    """Return the columns to sort one unit's rows by time, newest first."""
    return tuple(column.desc() for column in in_order(age))


@cache
def as_stored(dialect: str, table: Table) -> Table:
    """Return the table with the columns and the key that it has in this database."""
    if dialect != "sqlite" or table not in CHUNKED:
        return table
    columns = [column._copy() for column in table.columns]
    chunk = Column(CHUNK, BigInteger, primary_key=True, autoincrement=False)
    return Table(table.name, MetaData(), chunk, *columns, sqlite_with_rowid=False)


def chunk_of_parameter(table: Table) -> ColumnElement[int]:
    """Return the chunk of a row in an INSERT whose parameters are named like their columns."""
    age, width_ms = CHUNKED[table]
    return literal_column(f":{age.name} / {width_ms}", BigInteger)


def chunk_of_value(table: Table, value: ColumnElement[Any]) -> ColumnElement[int]:
    """Return the chunk of a row of a query, computed from its age."""
    return (value // literal_column(str(CHUNKED[table].width_ms), BigInteger)).label(CHUNK)


@compiles(_InChunks)
def _everywhere(_element: _InChunks, _compiler: SQLCompiler, **_options: Any) -> str:
    return "true"


@compiles(_InChunks, "sqlite")
def _where_there_are_rows(element: _InChunks, compiler: SQLCompiler, **options: Any) -> str:
    age, first_ms, last_ms = element.clauses
    name, width_ms = age.table.name, CHUNKED[age.table].width_ms
    first, last = (f"{compiler.process(one, **options)} / {width_ms}" for one in (first_ms, last_ms))
    return (
        f"{name}.chunk IN (WITH RECURSIVE there(chunk) AS ("
        f"SELECT min(chunk) FROM {name} WHERE chunk BETWEEN {first} AND {last} "
        f"UNION ALL SELECT (SELECT min(chunk) FROM {name} WHERE chunk > there.chunk AND chunk <= {last}) "
        "FROM there WHERE there.chunk IS NOT NULL) SELECT chunk FROM there WHERE chunk IS NOT NULL)"
    )


@compiles(_ChunkOf)
def _age(element: _ChunkOf, compiler: SQLCompiler, **options: Any) -> str:
    (age,) = element.clauses
    return str(compiler.process(age, **options))


@compiles(_ChunkOf, "sqlite")
def _chunk(element: _ChunkOf, _compiler: SQLCompiler, **_options: Any) -> str:
    (age,) = element.clauses
    return f"{age.table.name}.chunk"
