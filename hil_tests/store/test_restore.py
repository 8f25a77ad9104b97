"""Does a restore give exactly the backup's state? A backup, 2,500 more events, kill -9, `data restore`, a start."""

import json
import shutil
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pytest

from hil_tests.fixtures.bridge_process import BridgeFailed
from hil_tests.fixtures.cloud_fixture import CloudFixture
from hil_tests.fixtures.mqtt_unit import MqttUnit
from hil_tests.fixtures.postgresql import Server

BEFORE, AFTER = 100, 2500  # events
FREE_WITHIN_S = 60.0  # until the process that refreshes grants notices that the bridge has ended
DATABASE = "chargekeeper"

Rows = dict[str, list[tuple[Any, ...]]]


class SQLite:
    def __init__(self, folder: Path) -> None:
        self.cloud = CloudFixture(folder)

    def rows(self) -> Rows:
        return self.rows_of(self.cloud.folder / "chargekeeper.db")

    def rows_of(self, backup: Path) -> Rows:
        with closing(sqlite3.connect(backup)) as connection:
            tables = [row[0] for row in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
            return {table: sorted(connection.execute(f"SELECT * FROM {table}"), key=repr) for table in tables}


class PostgreSQL:
    def __init__(self, folder: Path, server: Server) -> None:
        self._server = server
        server.say(f"CREATE DATABASE {DATABASE}")
        self.cloud = CloudFixture(folder, environment={"CHARGEKEEPER_DATABASE": f"{server.url}/{DATABASE}"})

    def rows(self) -> Rows:
        return self._rows(DATABASE)

    def rows_of(self, backup: Path) -> Rows:
        """Restore the backup with pg_restore into a second database."""
        self._server.say("CREATE DATABASE beside")
        self._server.restore(backup, "beside")
        return self._rows("beside")

    def _rows(self, database: str) -> Rows:
        with psycopg.connect(f"{self._server.url}/{database}") as connection:
            names = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
            return {
                table: sorted(connection.execute(f"SELECT * FROM {table}".encode()).fetchall(), key=repr)
                for (table,) in names
            }


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SQLite | PostgreSQL]:
    folder = tmp_path / "data"
    folder.mkdir()
    if request.param == "sqlite":
        store: SQLite | PostgreSQL = SQLite(folder)
    else:
        server = request.getfixturevalue("server")
        if shutil.which("pg_restore") is None:
            pytest.skip("pg_restore is not installed: apt-get install postgresql-client")
        store = PostgreSQL(folder, server)
    yield store
    store.cloud.stop()


def test_a_restored_bridge_is_that_of_the_backup(store: SQLite | PostgreSQL, tmp_path: Path) -> None:
    cloud, backup = store.cloud, tmp_path / "backup"
    secret = cloud.command("unit", "add", "one")["secret"]
    cloud.start()
    unit = cloud.connect(("one", secret))
    report(unit, 1, BEFORE)
    cloud.command("data", "backup", str(backup))
    report(unit, BEFORE + 1, BEFORE + AFTER)
    with pytest.raises(BridgeFailed, match="in use: stop the bridge"):
        cloud.command("data", "restore", str(backup))
    assert cloud.health()["listening"], "it runs on as if nothing were"
    cloud.kill_bridge()
    replaced = Path(restore_when_free(cloud, backup)["replaced"])

    assert store.rows() == store.rows_of(backup)
    assert any(replaced.iterdir()), "what was there before is kept"
    cloud.start()
    assert len(cloud.get("/api/charge-points/one/events")["events"]) == BEFORE
    again = cloud.connect(("one", secret))
    again.publish("event", event(BEFORE + AFTER + 1))
    assert cloud.charge_point("one")["contact"] == "online"


def report(unit: MqttUnit, first: int, last: int) -> None:
    """Report events with these numbers; each is acknowledged."""
    for number in range(first, last + 1):
        unit.publish("event", event(number))


def event(number: int) -> bytes:
    return json.dumps({"b": 1, "n": number, "k": "fault_raised", "d": {"fault": "pilot"}}).encode()


def restore_when_free(cloud: CloudFixture, backup: Path) -> dict[str, Any]:
    give_up_s = time.monotonic() + FREE_WITHIN_S
    while True:
        try:
            return cloud.command("data", "restore", str(backup))
        except BridgeFailed as refusal:
            assert "in use" in str(refusal) and time.monotonic() < give_up_s, refusal
        time.sleep(0.2)
