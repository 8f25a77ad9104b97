"""All rows of a SQLite database into a PostgreSQL that has none: how an installation moves to a larger one.

Every row keeps its id, and every counter of ids goes on where it was: ids are never used again (tables.py), not even those of
rows that are gone.
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

AT_ONCE = 5000  # rows between two words about the progress
MADE_WITH_THE_TABLES = (
    "alert_cursors",
    "totals",
    "verified_time",
)  # rows that a database has before anybody has used it

Progress = Callable[[str, int, int], object]  # a table, how many of its rows are copied, and of how many


def copy_all(source: Database, target: Database, progress: Progress) -> dict[str, int]:
    """The rows of each table, in one transaction: all of them or none. Nobody else may have the source open.

    Raises StoreUnusable, when the target has rows too.
    """
    table = ""
    try:
        with source.reading() as old, target.writing() as new:
            _take_for_us(new)
            copied = {}
            for one in metadata.sorted_tables:  # what a row refers to goes before it
                table = one.name
                copied[table] = _copy_table(old, new, one, progress)
                _continue_ids(old, new, one)
            return copied
    except (SQLAlchemyError, psycopg.Error) as error:  # its text may quote what people have typed
        cause = getattr(error, "orig", None) or error
        raise StoreUnusable(f"nothing was copied: {table or 'PostgreSQL'}: {type(cause).__name__}") from error


def _take_for_us(new: Connection) -> None:
    """Others may read until the end."""
    new.execute(text("SET LOCAL statement_timeout = 0"))  # a large table takes its time
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
    order = in_order(CHUNKED[table].age) if table in CHUNKED else ()  # as they lie there
    wanted = select(*_columns(table)).order_by(*order[:1], *table.primary_key)
    found = old.execution_options(yield_per=AT_ONCE).execute(wanted)
    for rows in found.partitions():
        yield list(rows)


def _write(new: Connection, table: Table, rows: list[Any]) -> None:
    """COPY, which takes ten times as many rows a second as INSERT."""
    columns = ", ".join(f'"{column.name}"' for column in _columns(table))
    driver: psycopg.Connection[Any] = new.connection.driver_connection  # type: ignore[assignment]
    with driver.cursor() as cursor, cursor.copy(f'COPY "{table.name}" ({columns}) FROM STDIN'.encode()) as copy:
        for row in rows:
            copy.write_row(tuple(row))


def _columns(table: Table) -> list[Column[Any]]:
    """But for those that the database computes of the others."""
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
