"""The bytes of a unit's signal in 400 days with a heartbeat every five minutes, on both databases."""

import sqlite3
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from hil_tests.bench.scale.filling import FIVE_MINUTES_MS, Tables
from hil_tests.fixtures.cloud_fixture import CloudFixture
from hil_tests.fixtures.postgresql import BINARIES, Server

DAYS, A_DAY, AN_HOUR = 400, 288, 12
FIVE_MINUTES_DAYS = 32  # retention time in store/upkeep.py
LIMIT_MB = 4.0


def signal_bytes(units: int) -> bool:
    """Measure five-minute averages for the whole time, as before, and the present retention. Return True if the limit
    holds."""
    with tempfile.TemporaryDirectory() as folder:
        cloud = CloudFixture(Path(folder))
        file = Path(folder) / "chargekeeper.db"
        held = _is_held("SQLite", cloud, Tables(file), units, lambda name: _file_bytes(file, name))
    if not BINARIES:
        print("PostgreSQL: skipped, it is not installed")
        return held
    server = Server()
    try:
        server.say("CREATE DATABASE fleet")
        url = f"{server.url}/fleet"
        with tempfile.TemporaryDirectory() as folder:
            cloud = CloudFixture(Path(folder), environment={"CHARGEKEEPER_DATABASE": url})
            return _is_held("PostgreSQL", cloud, Tables(url), units, lambda name: _server_bytes(server, name)) and held
    finally:
        server.close()


def _is_held(name: str, cloud: CloudFixture, tables: Tables, units: int, size: Callable[[str], int]) -> bool:
    try:
        cloud.command("user", "list")  # creates the tables
        tables.add_units(units)
        hour_ms = AN_HOUR * FIVE_MINUTES_MS
        from_ms = time.time_ns() // 1_000_000 // hour_ms * hour_ms - DAYS * A_DAY * FIVE_MINUTES_MS
        tables.averages(units, from_ms, DAYS * A_DAY)
        tables.hours()
        fine, hourly = size("signal_5min") / units, size("signal_hourly") / units
    finally:
        cloud.stop()
    kept = fine * FIVE_MINUTES_DAYS / DAYS + hourly
    print(
        f"{name}, a unit in {DAYS} days: {fine / 1e6:.1f} MB by five minutes, {kept / 1e6:.2f} MB as it is kept "
        f"({FIVE_MINUTES_DAYS} days of it {fine * FIVE_MINUTES_DAYS / DAYS / 1e6:.2f}, hours {hourly / 1e6:.2f}); "
        f"at most {LIMIT_MB} wanted",
        flush=True,
    )
    return kept / 1e6 <= LIMIT_MB


def _file_bytes(file: Path, name: str) -> int:
    """Return the size of a table with its indexes. SQLite cannot report it, so drop the table and count the free pages."""
    with closing(sqlite3.connect(file, isolation_level=None)) as store:
        before = _free(store)
        store.execute(f"DROP TABLE {name}")
        return _free(store) - before


def _free(store: sqlite3.Connection) -> int:
    return int(store.execute("PRAGMA freelist_count").fetchone()[0] * store.execute("PRAGMA page_size").fetchone()[0])


def _server_bytes(server: Server, name: str) -> int:
    """Return the size of all partitions, with indexes."""
    query = (
        f"SELECT pg_total_relation_size('{name}') + coalesce(sum(pg_total_relation_size(relid)), 0) "
        f"FROM pg_partition_tree('{name}') WHERE relid <> '{name}'::regclass"
    )
    return int(server.say(query, "fleet")[0][0])
