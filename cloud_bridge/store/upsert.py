"""INSERT that knows what to do with a row that is there already, in the dialect of either database."""

from functools import cache
from typing import Any

from sqlalchemy import Connection, Dialect, Table
from sqlalchemy.dialects import postgresql, sqlite

Insert = postgresql.Insert | sqlite.Insert


def insert_into(dialect: str, table: Table) -> Insert:
    """Both have `excluded`, `on_conflict_do_update` and `on_conflict_do_nothing`."""
    return postgresql.insert(table) if dialect == "postgresql" else sqlite.insert(table)


def execute_many(connection: Connection, statement: Insert, rows: list[dict[str, Any]]) -> None:
    """As `connection.execute`, for the few statements that every message needs: there SQLAlchemy's own work on each row
    takes longer than the database's. Values go to the driver as they are; all rows have the same keys: columns, and the
    names of the statement's own parameters."""
    if rows:
        connection.exec_driver_sql(_sql(statement, connection.dialect, tuple(rows[0])), rows)


@cache
def _sql(statement: Insert, dialect: Dialect, keys: tuple[str, ...]) -> str:
    return str(statement.compile(dialect=dialect, column_keys=[key for key in keys if key in statement.table.columns]))


def replace(connection: Connection, table: Table, rows: list[dict[str, Any]]) -> None:
    """Insert the rows; one that is there by its primary key takes the new values. All rows have the same keys."""
    if not rows:
        return
    connection.execute(_replacing(connection.dialect.name, table, tuple(rows[0])), rows)


@cache
def _replacing(dialect: str, table: Table, names: tuple[str, ...]) -> Insert:
    statement = insert_into(dialect, table)
    keys = [column.name for column in table.primary_key]
    new = {name: statement.excluded[name] for name in names if name not in keys}
    return statement.on_conflict_do_update(index_elements=keys, set_=new)


def insert_one(connection: Connection, table: Table, row: dict[str, Any]) -> bool:
    """Insert the row. False: it is there already, and stays as it is."""
    statement = insert_into(connection.dialect.name, table).on_conflict_do_nothing()
    # Otherwise psycopg is asked for the count when its cursor is closed, and says -1.
    done = connection.execute(statement, row, execution_options={"preserve_rowcount": True})
    return done.rowcount == 1


def insert_new(connection: Connection, table: Table, rows: list[dict[str, Any]]) -> None:
    """Insert the rows that are not there yet."""
    if rows:
        connection.execute(insert_into(connection.dialect.name, table).on_conflict_do_nothing(), rows)
