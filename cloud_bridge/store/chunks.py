"""SQLite keeps what comes in by time in chunks: the rows of an hour, of three or of a day lie together, those of a unit
beside each other in it, and go together.

Rows were deleted one by one before, each on a page of its own in the index of unit and time: 182,000 rows/s in
transactions of 120,000 rows, which wrote 2.3 GB for a million rows, and 60,000 in those of 500. A chunk is a range of the
one B-tree that the table is (`WITHOUT ROWID`, with the key chunk, unit, time): 1.2 to 2.7 million rows/s, and 72 MB
(3.40.1). For that SQLite must not look whether others refer to each row (`Database.writing_slice`): that alone takes five
times as long.

The column `chunk` is the number of the row's chunk since 1970. Nobody sees it: PostgreSQL has partitions instead
(store/partitions.py), so it is in no table of tables.py, and stands in statements by what is here:

    reading, deleting    `in_chunks` beside the condition on the time, or the whole table is read; `in_order` to sort
    writing              `insert_into` and `insert_from` (store/upsert.py)

What is there is found by walking from one chunk to the next, so rows that a wrong clock has stamped cost a seek and not
one for each hour since 1970.
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
ALWAYS_MS = 1 << 62  # after every time, and its negative before


class Chunked(NamedTuple):
    """A table in chunks, or in partitions, each of `width_ms`."""

    age: Column[int]
    width_ms: int


CHUNKED = {  # some tens of each: a seek for each in every statement on a unit's rows
    signal: Chunked(signal.c.received_ms, HOUR_MS),
    power: Chunked(power.c.received_ms, 3 * HOUR_MS),
    signal_5min: Chunked(signal_5min.c.from_ms, DAY_MS),
    signal_hourly: Chunked(signal_hourly.c.from_ms, DAY_MS),
}


class _InChunks(FunctionElement[bool]):
    """Of a time, the first and the last millisecond."""

    type = Boolean()
    inherit_cache = True

    def self_group(self, against: object = None) -> "_InChunks":
        """A condition as it is: SQLAlchemy would compare it with 1, and SQLite not use the key."""
        return self


class _ChunkOf(FunctionElement[int]):
    """The chunk of a row, by the column of its age."""

    type = BigInteger()
    inherit_cache = True


Time = int | ColumnElement[int] | None  # in milliseconds, or the parameter that will be given


def in_chunks(age: ColumnElement[int], from_ms: Time, to_ms: Time) -> ColumnElement[bool]:
    """That a row is in one of the chunks that have rows of the time from `from_ms` to `to_ms`, which may be included; with
    None it has no beginning, or no end. True of every row where there are no chunks."""
    if not isinstance(age, Column) or age.table not in CHUNKED:
        return true()
    first_ms, last_ms = -ALWAYS_MS if from_ms is None else from_ms, ALWAYS_MS if to_ms is None else to_ms
    return _InChunks(age, *(literal(one, BigInteger) if isinstance(one, int) else one for one in (first_ms, last_ms)))


def in_order(age: Column[int]) -> tuple[ColumnElement[int], ...]:
    """What to order the rows of one unit by: the order in which they lie is known to SQLite with their chunks before."""
    return (_ChunkOf(age), age) if age.table in CHUNKED else (age,)


def in_order_back(age: Column[int]) -> tuple[ColumnElement[int], ...]:
    """Likewise, the newest first."""
    return tuple(column.desc() for column in in_order(age))


@cache
def as_stored(dialect: str, table: Table) -> Table:
    """The table with the columns and the key that this database gives it."""
    if dialect != "sqlite" or table not in CHUNKED:
        return table
    columns = [column._copy() for column in table.columns]
    chunk = Column(CHUNK, BigInteger, primary_key=True, autoincrement=False)
    return Table(table.name, MetaData(), chunk, *columns, sqlite_with_rowid=False)


def chunk_of_parameter(table: Table) -> ColumnElement[int]:
    """Of the row that an INSERT is given, whose values have the names of their columns."""
    age, width_ms = CHUNKED[table]
    return literal_column(f":{age.name} / {width_ms}", BigInteger)


def chunk_of_value(table: Table, value: ColumnElement[Any]) -> ColumnElement[int]:
    """Of a row of a query, by its age."""
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
