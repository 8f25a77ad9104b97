"""Copy all rows of a SQLite database into an empty PostgreSQL, to move an installation.

Rows keep their ids, and id sequences continue where they were, because ids are never reused (tables.py), not even those
of deleted rows.
"""

from collections.abc import Callable, Iterator
from typing import Any

import psycopg
from sqlalchemy import Column, Connection, Table, func, select, text
from sqlalchemy.exc import SQLAlchemyError

from cloud_bridge.errors import StoreUnusable
from cloud_bridge.store.chunks import CHUNKED, in_order
from cloud_bridge.store.database import Database
from cloud_bridge.store.tables import metadata

AT_ONCE = 5000  # rows between two reports of progress
MADE_WITH_THE_TABLES = (
    "alert_cursors",
    "totals",
    "verified_time",
)  # tables that have rows in a new database

Progress = Callable[[str, int, int], object]  # table, rows copied, rows in all


def copy_all(source: Database, target: Database, progress: Progress) -> dict[str, int]:
    """Copy all tables in one transaction. Return the number of rows by table. No other process may have the source
    open.

    Raises StoreUnusable, also if the target has rows.
    """
    table = ""
    try:
        with source.reading() as old, target.writing() as new:
            _take_for_us(new)
            copied = {}
            for one in metadata.sorted_tables:  # referenced tables come first
                table = one.name
                copied[table] = _copy_table(old, new, one, progress)
                _continue_ids(old, new, one)
            return copied
    except (SQLAlchemyError, psycopg.Error) as error:  # not its text, which may quote personal data
        cause = getattr(error, "orig", None) or error
        raise StoreUnusable(f"nothing was copied: {table or 'PostgreSQL'}: {type(cause).__name__}") from error


def _take_for_us(new: Connection) -> None:
    """Lock all tables of the target against writing, and check that they are empty."""
    new.execute(text("SET LOCAL statement_timeout = 0"))  # a large table takes long
    for table in metadata.sorted_tables:
        new.execute(text(f'LOCK TABLE "{table.name}" IN EXCLUSIVE MODE'))
        if table.name not in MADE_WITH_THE_TABLES and new.execute(select(table).limit(1)).first() is not None:
            raise StoreUnusable(
                f"the database of CHARGEKEEPER_DATABASE has rows already ({table.name}): name an empty one"
            )
    for name in MADE_WITH_THE_TABLES:
        new.execute(metadata.tables[name].delete())


def _copy_table(old: Connection, new: Connection, table: Table, progress: Progress) -> int:
    total = old.execute(select(func.count()).select_from(table)).scalar_one()
    copied = 0
    for rows in _batches(old, table):
        _write(new, table, rows)
        copied += len(rows)
        progress(table.name, copied, total)
    return copied


def _batches(old: Connection, table: Table) -> Iterator[list[Any]]:
    order = in_order(CHUNKED[table].age) if table in CHUNKED else ()  # storage order
    wanted = select(*_columns(table)).order_by(*order[:1], *table.primary_key)
    found = old.execution_options(yield_per=AT_ONCE).execute(wanted)
    for rows in found.partitions():
        yield list(rows)


def _write(new: Connection, table: Table, rows: list[Any]) -> None:
    """Write rows with COPY, which is ten times faster than INSERT."""
    columns = ", ".join(f'"{column.name}"' for column in _columns(table))
    driver: psycopg.Connection[Any] = new.connection.driver_connection  # type: ignore[assignment]
    with driver.cursor() as cursor, cursor.copy(f'COPY "{table.name}" ({columns}) FROM STDIN'.encode()) as copy:
        for row in rows:
            copy.write_row(tuple(row))


def _columns(table: Table) -> list[Column[Any]]:
    """Return the columns that are not computed by the database."""
    return [column for column in table.columns if column.computed is None]


def _continue_ids(old: Connection, new: Connection, table: Table) -> None:
    key = table.autoincrement_column
    if key is None:
        return
    counter = new.execute(select(func.pg_get_serial_sequence(table.name, key.name))).scalar_one()
    if counter is None:
        return
    last = old.execute(select(func.max(key))).scalar_one() or 0
    if table.dialect_options["sqlite"]["autoincrement"]:
        counted = old.execute(text("SELECT seq FROM sqlite_sequence WHERE name = :name"), {"name": table.name}).scalar()
        last = max(last, counted or 0)
    if last:
        new.execute(select(func.setval(counter, last)))
