"""Is the id of a deleted row never reused, and did the migration to that keep every row?"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import (
    Connection,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    delete,
    func,
    inspect,
    select,
    text,
)

from cloud_bridge.errors import StoreUnusable
from cloud_bridge.store import database as store
from cloud_bridge.store import release_tables, vehicle_tables  # noqa: F401  they add their tables to the metadata
from cloud_bridge.store.database import Database, open_database
from cloud_bridge.store.revisions import migrate, upgrade
from cloud_bridge.store.tables import metadata
from cloud_bridge.store.upsert import insert_into
from tests.cloud_bridge.running import store_at

REUSED = {
    "listening": "its id is the number of a part of the units, chosen by us",
    "verified_time": "it has one row",
}
NUMBERED = [
    table
    for table in metadata.sorted_tables
    if [column.name for column in table.primary_key] == ["id"] and isinstance(table.c.id.type, Integer)
]


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = open_database(store_at(tmp_path))
    yield database
    database.close()


def plant(connection: Connection, table: Table, number: int, ids: dict[str, Any]) -> Any:
    """Insert a row that refers to the newest row of each referenced table. Return its id or key."""
    row: dict[str, Any] = {}
    for column in table.columns:
        if column.computed is not None:
            continue
        parents = [key.column.table.name for key in column.foreign_keys]
        if parents:
            row[column.name] = ids[parents[0]]
        elif isinstance(column.type, LargeBinary):
            row[column.name] = bytes([number])
        elif isinstance(column.type, String | Text):
            row[column.name] = f"{number} text"[: column.type.length]  # PostgreSQL enforces the length, SQLite does not
        elif column.name != "id" or table.name in REUSED:
            row[column.name] = column.type.python_type(number)
    made = connection.execute(insert_into(connection.dialect.name, table), row).inserted_primary_key
    return made[0] if made is not None else None


def plant_all(connection: Connection, tables: list[Table], numbers: range) -> None:
    """Insert a row for every number in every table."""
    for number in numbers:
        ids: dict[str, Any] = {}
        for table in tables:
            ids[table.name] = plant(connection, table, number, ids)


def fresh(connection: Connection, table: Table, number: int) -> int:
    """Return the id of a new row, with new rows for all its references."""
    ids: dict[str, Any] = {}
    for other in metadata.sorted_tables:
        ids[other.name] = plant(connection, other, number, ids)
        if other.name == table.name:
            break
    return int(ids[table.name])


def test_every_table_with_numbers_is_known() -> None:
    assert {table.name for table in NUMBERED} >= {"alerts", "events", "transitions", *REUSED}


@pytest.mark.parametrize(
    "table", [table for table in NUMBERED if table.name not in REUSED], ids=lambda table: table.name
)
def test_the_id_of_the_newest_row_is_not_given_to_the_next_one(database: Database, table: Table) -> None:
    with database.writing() as connection:
        fresh(connection, table, 1)
        gone = fresh(connection, table, 2)
        connection.execute(delete(table).where(table.c.id == gone))
    with database.writing() as connection:
        assert fresh(connection, table, 3) > gone


@pytest.mark.parametrize(
    "table", [table for table in NUMBERED if table.name not in REUSED], ids=lambda table: table.name
)
def test_the_id_of_the_only_row_is_not_given_to_the_next_one_after_a_restart(tmp_path: Path, table: Table) -> None:
    before = open_database(store_at(tmp_path))
    with before.writing() as connection:
        gone = fresh(connection, table, 1)
        connection.execute(delete(table).where(table.c.id == gone))
    before.close()
    now = open_database(store_at(tmp_path))
    with now.writing() as connection:
        assert fresh(connection, table, 2) > gone
    now.close()


# --- the migration ----------------------------------------------------------------------------------------------------


def at_revision(monkeypatch: pytest.MonkeyPatch, where: Path | str, revision: str) -> Database:
    def migrate(connection: Connection) -> None:
        upgrade(connection, revision)

    with monkeypatch.context() as patched:
        patched.setattr(store, "migrate", migrate)
        return open_database(where)


def tables_of(connection: Connection) -> list[Table]:
    found = MetaData()
    found.reflect(connection)
    return [table for table in found.sorted_tables if table.name != "alembic_version"]


def content(connection: Connection, tables: list[Table]) -> dict[str, list[Any]]:
    """Return every row of these columns of the tables."""
    return {table.name: sorted(map(tuple, connection.execute(select(table))), key=repr) for table in tables}


def structure(connection: Connection) -> dict[str, Any]:
    """Return columns, keys and indexes of every table, except what the migration adds to `alerts`."""
    looked = inspect(connection)
    return {
        name: (
            [
                (column["name"], str(column["type"]), column["nullable"], column["default"])
                for column in looked.get_columns(name)
                if (name, column["name"]) != ("alerts", "detail")
            ],
            looked.get_pk_constraint(name),
            sorted(looked.get_foreign_keys(name), key=repr),
            sorted(looked.get_unique_constraints(name), key=repr),
            [index for index in _indexes(looked, name) if index["name"] != "ix_alerts_about_id"],
        )
        for name in looked.get_table_names()
    }


def _indexes(looked: Any, table: str) -> list[dict[str, Any]]:
    """Return the indexes with their conditions as text, for comparison."""
    return [
        index | {"dialect_options": {name: str(value) for name, value in index.get("dialect_options", {}).items()}}
        for index in looked.get_indexes(table)
    ]


def test_the_migration_keeps_every_row_and_every_constraint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    where = store_at(tmp_path, empty=True)
    before = at_revision(monkeypatch, where, "0010")
    with before.writing() as connection:
        tables = tables_of(connection)
        plant_all(connection, tables, range(1, 6))
    with before.reading() as connection:
        rows, shape = content(connection, tables), structure(connection)
    before.close()
    assert all(len(found) == 5 for found in rows.values()), {name: len(found) for name, found in rows.items()}
    now = at_revision(monkeypatch, where, "0011")
    with now.reading() as connection:
        assert content(connection, tables) == rows
        assert {name: now_has for name, now_has in structure(connection).items() if name in shape} == shape
        if connection.dialect.name == "sqlite":
            assert connection.execute(text("PRAGMA foreign_key_check")).all() == []
            assert connection.execute(text("PRAGMA integrity_check")).scalar() == "ok"
    now.close()
    now = open_database(where)
    with now.writing() as connection:  # deleting a person deletes their rows, as before
        people = metadata.tables["people"]
        connection.execute(text("UPDATE vehicles SET grant_id = NULL"))
        connection.execute(delete(people).where(people.c.id == 5))
        for name in ("tokens", "conversations", "messages", "alert_wishes", "alerts", "vehicles", "vehicle_attempts"):
            assert connection.execute(select(func.count()).select_from(metadata.tables[name])).scalar() == 4, name
        for table in NUMBERED:
            if table.name in shape and table.name not in REUSED:
                assert fresh(connection, table, 100 + NUMBERED.index(table)) > 5, table.name
    now.close()


def test_ids_begin_after_what_a_cursor_has_read_of_rows_that_are_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    where = store_at(tmp_path, empty=True)
    before = at_revision(monkeypatch, where, "0010")
    with before.writing() as connection:
        plant_all(connection, tables_of(connection), range(1, 8))
        for name in ("events", "transitions"):
            connection.execute(text("INSERT INTO alert_cursors VALUES (:name, 7)"), {"name": name})
            connection.execute(text(f"DELETE FROM {name} WHERE id > 3"))
    before.close()
    now = open_database(where)
    with now.writing() as connection:
        for number, name in ((100, "events"), (101, "transitions")):
            assert fresh(connection, metadata.tables[name], number) > 7
    now.close()


def test_a_migration_that_fails_half_way_leaves_the_database_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    where = store_at(tmp_path, empty=True)
    before = at_revision(monkeypatch, where, "0010")
    with before.writing() as connection:
        plant_all(connection, tables_of(connection), range(1, 3))
        shape = structure(connection)
    before.close()
    whole = migrate

    def broken(connection: Connection) -> None:
        whole(connection)
        connection.execute(text("SELECT 1 FROM a_table_that_is_not_there"))

    with monkeypatch.context() as patched, pytest.raises(StoreUnusable):
        patched.setattr(store, "migrate", broken)
        open_database(where)
    again = at_revision(monkeypatch, where, "0010")
    with again.reading() as connection:
        assert {name: now_has for name, now_has in structure(connection).items() if name in shape} == shape
    again.close()
    open_database(where).close()


def test_a_table_that_somebody_else_has_made_is_one_clear_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = at_revision(monkeypatch, tmp_path, "0010")
    with before.writing() as connection:
        connection.execute(text("DROP TABLE alerts"))
        connection.execute(text("CREATE TABLE alerts (id INTEGER PRIMARY KEY, wish_id, unit_id, about, at_ms, due_ms)"))
    before.close()
    with pytest.raises(StoreUnusable, match="alerts is not as this bridge made it"):
        open_database(tmp_path)
