"""Does `data copy` copy every row of a SQLite database to PostgreSQL, and do ids continue from there?"""

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pytest

from hil_tests.fixtures.bridge_process import BridgeFailed
from hil_tests.fixtures.cloud_fixture import CloudFixture
from hil_tests.fixtures.postgresql import Server

EVENTS = 300
DATABASE = "chargekeeper"

Rows = dict[str, list[tuple[Any, ...]]]


def lived_in(folder: Path) -> CloudFixture:
    """A stopped bridge on SQLite with people, a unit and its history. The newest event is deleted, so that no row has the
    highest id that was given."""
    folder.mkdir()
    cloud = CloudFixture(folder)
    (unit,) = cloud.add_units(["cp-1"])
    cloud.start()
    station = cloud.connect(unit)
    station.report("heartbeat", s="A1", m="smart", q=20)
    for number in range(EVENTS):
        station.publish("event", json.dumps({"b": 1, "n": number + 1, "k": "tamper"}).encode())
    cloud.command("user", "add", "ann", "--role", "driver")
    cloud.command("token", "add")
    cloud.stop()
    with closing(sqlite3.connect(folder / "chargekeeper.db")) as connection:
        connection.execute("DELETE FROM events WHERE id = (SELECT max(id) FROM events)")
        connection.commit()
    return cloud


def rows_of_file(file: Path) -> Rows:
    """Return all rows by table, without the column that only SQLite has: `chunk`, the row's span of time."""
    with closing(sqlite3.connect(file)) as connection:
        names = [
            name
            for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")
            if not name.startswith("sqlite_")
        ]
        columns = {
            name: [column[1] for column in connection.execute(f'PRAGMA table_xinfo("{name}")') if column[1] != "chunk"]
            for name in names
        }
        return {
            name: rows(connection.execute(f'SELECT {", ".join(columns[name])} FROM "{name}"').fetchall())
            for name in names
        }


def rows_of_server(url: str) -> Rows:
    with psycopg.connect(url) as connection:
        names = connection.execute(
            "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace "
            "AND relkind IN ('r', 'p') AND NOT relispartition"
        ).fetchall()
        return {name: rows(connection.execute(f'SELECT * FROM "{name}"'.encode()).fetchall()) for (name,) in names}


def rows(found: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """Return the rows in a comparable form: sorted, with 0 and 1 for the booleans that SQLite does not have."""
    return sorted((tuple(int(value) if isinstance(value, bool) else value for value in row) for row in found), key=repr)


def test_every_row_is_copied_and_ids_go_on(server: Server, tmp_path: Path) -> None:
    cloud = lived_in(tmp_path / "data")
    server.say(f"CREATE DATABASE {DATABASE}")
    url = f"{server.url}/{DATABASE}"
    cloud.bridge.environment["CHARGEKEEPER_DATABASE"] = url

    told = cloud.command("data", "copy")

    before = rows_of_file(cloud.folder / "chargekeeper.db")
    assert rows_of_server(url) == before
    assert told == {name: len(found) for name, found in before.items() if name != "alembic_version"}
    assert told["events"] == EVENTS - 1
    with psycopg.connect(url) as connection:
        cursor = connection.execute("SELECT nextval(pg_get_serial_sequence('events', 'id'))")
        assert cursor.fetchall() == [(EVENTS + 1,)], "the id of the deleted event is not given again"

    cloud.start()  # on PostgreSQL
    assert cloud.charge_point("cp-1")["contact"] in ("online", "unknown")
    cloud.stop()
    with pytest.raises(BridgeFailed, match="has rows already"):
        cloud.command("data", "copy")


def test_nothing_is_copied_while_the_bridge_runs(server: Server, tmp_path: Path) -> None:
    """The copy would miss what the bridge acknowledges meanwhile."""
    cloud = CloudFixture(tmp_path)
    server.say(f"CREATE DATABASE {DATABASE}")
    url = f"{server.url}/{DATABASE}"
    try:
        cloud.start()
        cloud.bridge.environment["CHARGEKEEPER_DATABASE"] = url
        with pytest.raises(BridgeFailed, match="is in use: stop the bridge and its commands first"):
            cloud.command("data", "copy")
    finally:
        cloud.stop()
    assert not any(found for name, found in rows_of_server(url).items() if name in ("people", "units", "listening"))


def test_a_row_that_postgresql_refuses_leaves_it_empty(server: Server, tmp_path: Path) -> None:
    cloud = lived_in(tmp_path / "data")
    with closing(sqlite3.connect(cloud.folder / "chargekeeper.db")) as connection:
        connection.execute("UPDATE events SET payload = 'a' || char(0) || 'b' WHERE id = 7")
        connection.commit()
    server.say(f"CREATE DATABASE {DATABASE}")
    url = f"{server.url}/{DATABASE}"
    cloud.bridge.environment["CHARGEKEEPER_DATABASE"] = url
    with pytest.raises(BridgeFailed, match="nothing was copied: events: "):
        cloud.command("data", "copy")
    assert not rows_of_server(url)["units"]
