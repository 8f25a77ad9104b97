"""Partitions by time on PostgreSQL, for the rows of every heartbeat: dropping a partition with 288,000 rows takes 32
ms, and deleting as many rows takes seconds. SQLite has chunks (store/chunks.py).

Partitions are created ahead of the clock that timestamps the rows. A row without a partition, from a wrong clock or
because none could be created in time, goes into the default partition. Nothing is lost, but these rows are deleted one
by one. For a time with rows in the default partition no partition is created any more.

Creating or dropping a partition needs locks for which the recorder's statements wait. They are requested for
LOCK_WITHIN_MS and held for STATEMENT_WITHIN_MS at most. An attempt that fails is repeated a few times, and then at the
next turn. A running `pg_dump` blocks these locks until it ends, so partitions exist for AHEAD_MS in advance.

`events` and `results` are not partitioned: a record is identified by unit, boot and sequence (store/journal.py), and in
a partitioned table a unique constraint would have to include the time.
"""

import re
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import NamedTuple

from sqlalchemy import Connection, Table, select, text
from sqlalchemy.exc import IntegrityError, OperationalError

from cloud_bridge.durations import DAY_MS
from cloud_bridge.store.chunks import CHUNKED
from cloud_bridge.store.database import Database
from cloud_bridge.store.tables import power, signal, signal_5min

AHEAD_MS = DAY_MS
LOCK_WITHIN_MS = 100
STATEMENT_WITHIN_MS = 150  # including the wait for locks
TRIES = 10
AGAIN_S = 0.05
MAKING_LOCK = 0x43_4B_50_54  # an arbitrary number, the same in all processes

_BOUNDS = re.compile(r"FOR VALUES FROM \((MINVALUE|'-?\d+')\) TO \('(-?\d+)'\)")


class Partition(NamedTuple):
    """A partition with rows from `from_ms` (None for no lower bound) to `until_ms`, exclusive."""

    name: str
    from_ms: int | None
    until_ms: int


# Each has about thirty partitions, since a statement on a unit's rows reads every partition that its time span does not
# exclude.
PARTITIONED = {table: CHUNKED[table] for table in (signal, power, signal_5min)}


def make_partitions(database: Database, now_ms: int) -> None:
    """Create the missing partitions from now to AHEAD_MS. If another process is doing that, return at once. Raises
    SQLAlchemyError for the first partition that could not be created, after trying the others."""
    if database.kind != "postgresql":
        return
    failed: OperationalError | None = None
    for table in PARTITIONED:
        with database.reading() as connection:
            missing = list(_missing(connection, table, now_ms))
        for partition in missing:
            try:
                _patiently(database, partial(_make, table=table, partition=partition))
            except IntegrityError:  # a row of that time has just been stored in the default partition
                continue
            except OperationalError as error:
                failed = failed or error
                break  # the next of this table would wait for the same locks
    if failed is not None:
        raise failed


def drop_partitions(
    database: Database, table: Table, from_ms: int | None, to_ms: int, reached: Callable[[Connection, int], None]
) -> None:
    """Drop the partitions whose rows all lie between `from_ms` (None for no lower bound) and `to_ms`. `reached` is
    called with the end of each, in the transaction that drops it. Raises SQLAlchemyError if the locks are not
    available."""
    if database.kind != "postgresql" or table not in PARTITIONED:
        return
    with database.reading() as connection:
        gone = [one for one in partitions(connection, table) if _is_within(connection, table, one, from_ms, to_ms)]
    for partition in gone:
        _patiently(database, partial(_drop, partition=partition, reached=reached))


def partitions(connection: Connection, table: Table) -> list[Partition]:
    """Return all partitions except for the default one, oldest first."""
    rows = connection.execute(
        text(
            "SELECT child.relname, pg_get_expr(child.relpartbound, child.oid) FROM pg_inherits "
            "JOIN pg_class AS child ON child.oid = inhrelid WHERE inhparent = to_regclass(:name)"
        ),
        {"name": table.name},
    )
    found = []
    for name, bounds in rows:
        if (match := _BOUNDS.fullmatch(bounds)) is not None:
            from_ms = None if match[1] == "MINVALUE" else int(match[1].strip("'"))
            found.append(Partition(name, from_ms, int(match[2])))
    return sorted(found, key=lambda one: one.until_ms)


def _missing(connection: Connection, table: Table, now_ms: int) -> Iterator[Partition]:
    age, width_ms = PARTITIONED[table]
    there = partitions(connection, table)
    for from_ms in range(now_ms - now_ms % width_ms, now_ms + AHEAD_MS, width_ms):
        until_ms = from_ms + width_ms
        if any((one.from_ms is None or one.from_ms < until_ms) and from_ms < one.until_ms for one in there):
            continue
        # There is no partition for these rows, so if there are any, they are in the default partition.
        if connection.execute(select(age).where(age >= from_ms, age < until_ms).limit(1)).first() is None:
            yield Partition(f"{table.name}_{from_ms}", from_ms, until_ms)


def _make(connection: Connection, table: Table, partition: Partition) -> None:
    """Create a partition, unless another process does or did. It is created as a table and then attached, which takes
    weaker locks than creating it as a partition."""
    lock = text("SELECT pg_try_advisory_xact_lock(:lock)")
    if not connection.execute(lock, {"lock": MAKING_LOCK}).scalar_one() or partition in partitions(connection, table):
        return
    name, from_ms, until_ms = partition
    connection.execute(text(f'CREATE TABLE "{name}" (LIKE "{table.name}")'))
    connection.execute(
        text(f'ALTER TABLE "{table.name}" ATTACH PARTITION "{name}" FOR VALUES FROM ({from_ms}) TO ({until_ms})')
    )


def _drop(connection: Connection, partition: Partition, reached: Callable[[Connection, int], None]) -> None:
    connection.execute(text(f'DROP TABLE IF EXISTS "{partition.name}"'))
    reached(connection, partition.until_ms)


def _patiently(database: Database, do: Callable[[Connection], None]) -> None:
    """Run `do` in one transaction with the timeouts of this module, and repeat it up to TRIES times. Raises
    SQLAlchemyError."""
    for tries_left in reversed(range(TRIES)):
        try:
            with database.writing() as connection:
                connection.execute(text(f"SET LOCAL lock_timeout = {LOCK_WITHIN_MS}"))
                connection.execute(text(f"SET LOCAL statement_timeout = {STATEMENT_WITHIN_MS}"))
                do(connection)
            return
        except OperationalError:
            if tries_left == 0:
                raise
            time.sleep(AGAIN_S)


def _is_within(connection: Connection, table: Table, partition: Partition, from_ms: int | None, to_ms: int) -> bool:
    if partition.until_ms > to_ms:
        return False
    if from_ms is None or (partition.from_ms is not None and partition.from_ms >= from_ms):
        return True
    if partition.until_ms <= from_ms:
        return False
    age = PARTITIONED[table].age
    older = select(age).where(age < from_ms)
    if partition.from_ms is not None:
        older = older.where(age >= partition.from_ms)
    return connection.execute(older.limit(1)).first() is None
