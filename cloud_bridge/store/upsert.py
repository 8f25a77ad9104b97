"""INSERT that also handles rows that exist already, in the dialect of either database."""

from functools import cache
from typing import Any

from sqlalchemy import Connection, Dialect, Select, Table, bindparam, column, func, select
from sqlalchemy.dialects import postgresql, sqlite

from cloud_bridge.store.chunks import CHUNK, CHUNKED, as_stored, chunk_of_parameter, chunk_of_value

Insert = postgresql.Insert | sqlite.Insert


def insert_into(dialect: str, table: Table) -> Insert:
    """An INSERT of the dialect. Both dialects have `excluded`, `on_conflict_do_update` and `on_conflict_do_nothing`."""
    if dialect == "postgresql":
        return postgresql.insert(table)
    statement = sqlite.insert(as_stored(dialect, table))
    return statement.values({CHUNK: chunk_of_parameter(table)}) if table in CHUNKED else statement


def insert_from(dialect: str, table: Table, rows: Select[Any]) -> Insert:
    """Likewise, with the rows of a query whose columns are named like those of the table."""
    names = [one.name for one in rows.selected_columns]
    if dialect == "postgresql":
        return postgresql.insert(table).from_select(names, rows)
    if table in CHUNKED:
        age = CHUNKED[table].age.name
        rows, names = rows.add_columns(chunk_of_value(table, rows.selected_columns[age])), [*names, CHUNK]
    return sqlite.insert(as_stored(dialect, table)).from_select(names, rows)


def execute_many(connection: Connection, statement: Insert, rows: list[dict[str, Any]]) -> None:
    """The same as `connection.execute`, for the few statements that every message needs: for these SQLAlchemy takes
    longer for each row than the database. Values are passed to the driver unchanged. All rows have the same keys:
    columns, and the names of the statement's own parameters, whose values are taken from the first row.

    PostgreSQL receives a list for each column, and only one statement to plan and to answer. So the rows must have
    different primary keys, unless the statement leaves existing rows unchanged.
    """
    if not rows:
        return
    if connection.dialect.name != "postgresql":
        execute_each(connection, statement, rows)
        return
    columns = {
        key: _array([row[key] for row in rows]) if key in statement.table.columns else rows[0][key] for key in rows[0]
    }
    connection.exec_driver_sql(_sql_of_lists(statement, connection.dialect, tuple(rows[0])), columns)


def execute_each(connection: Connection, statement: Insert, rows: list[dict[str, Any]]) -> None:
    """Likewise, but one row after the other: for a statement with its own parameters whose values differ from row to
    row."""
    if rows:
        connection.exec_driver_sql(_sql(statement, connection.dialect, tuple(rows[0])), rows)


def _array(values: list[Any]) -> str:
    """An array in the input format of PostgreSQL (https://www.postgresql.org/docs/current/arrays.html#ARRAYS-IO).
    psycopg 3.3.9 can write it too, but takes four times as long, and forty times for texts with quotes such as payloads
    (15 us each)."""
    return "{" + ",".join([_element(value) for value in values]) + "}"


def _element(value: Any) -> str:
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return "NULL" if value is None else str(value)


@cache
def _sql(statement: Insert, dialect: Dialect, keys: tuple[str, ...]) -> str:
    return str(statement.compile(dialect=dialect, column_keys=_names(statement, keys)))


@cache
def _sql_of_lists(statement: Insert, dialect: Dialect, keys: tuple[str, ...]) -> str:
    names = _names(statement, keys)
    of = statement.table.columns
    lists = func.unnest(*(bindparam(name, type_=postgresql.ARRAY(of[name].type)) for name in names))
    rows = lists.table_valued(*(column(name, of[name].type) for name in names)).render_derived()
    return str(statement.from_select(names, select(*rows.c)).compile(dialect=dialect))


def _names(statement: Insert, keys: tuple[str, ...]) -> list[str]:
    return [key for key in keys if key in statement.table.columns]


def replace(connection: Connection, table: Table, rows: list[dict[str, Any]]) -> None:
    """Insert the rows; a row whose primary key exists is updated with the new values. All rows have the same keys."""
    if not rows:
        return
    connection.execute(_replacing(connection.dialect.name, table, tuple(rows[0])), rows)


@cache
def _replacing(dialect: str, table: Table, names: tuple[str, ...]) -> Insert:
    statement = insert_into(dialect, table)
    keys = key_of(dialect, table)
    new = {name: statement.excluded[name] for name in names if name not in keys}
    return statement.on_conflict_do_update(index_elements=keys, set_=new)


def key_of(dialect: str, table: Table) -> list[str]:
    """The columns by which an existing row is recognized."""
    return [column.name for column in as_stored(dialect, table).primary_key]


def insert_one(connection: Connection, table: Table, row: dict[str, Any]) -> bool:
    """Insert the row. False: it exists already, and is not changed."""
    statement = insert_into(connection.dialect.name, table).on_conflict_do_nothing()
    # Otherwise SQLAlchemy reads the count when psycopg's cursor is closed, and gets -1.
    done = connection.execute(statement, row, execution_options={"preserve_rowcount": True})
    return done.rowcount == 1


def insert_new(connection: Connection, table: Table, rows: list[dict[str, Any]]) -> None:
    """Insert the rows that do not exist yet."""
    if rows:
        connection.execute(insert_into(connection.dialect.name, table).on_conflict_do_nothing(), rows)
