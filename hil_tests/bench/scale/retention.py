"""Retention compared with the intake, on both databases: rows per second of each, and upkeep's longest transaction."""

import sqlite3
import tempfile
import threading
import time
from pathlib import Path
from typing import NamedTuple

import psycopg

from hil_tests.bench.cloud.load import Fleet
from hil_tests.bench.scale.filling import FIVE_MINUTES_MS, Tables
from hil_tests.fixtures.cloud_fixture import CloudFixture
from hil_tests.fixtures.postgresql import BINARIES, Server

UNITS, CONNECTED, WINDOW = 10_000, 200, 10
PRESSED_S = 8.0
ROWS_A_MESSAGE = 2  # that a heartbeat adds to tables with a retention time: signal and power
TIMES_FASTER = 20
LONGEST_S = 0.2
WITHIN_S = 600.0
LOOK_EVERY_S = 0.002
HOUR_MS = 60 * 60 * 1000
DAY_MS = 24 * HOUR_MS


class Seen(NamedTuple):
    """The results of a run of retention."""

    rows_a_second: float
    longest_s: float  # how long other writers were blocked (SQLite), or a transaction of upkeep was open


def retention(rows: int) -> bool:
    """Measure with `rows` signal readings older than their retention time. Return True if the limits hold."""
    with tempfile.TemporaryDirectory() as folder:
        held = _is_held("SQLite", rows, CloudFixture(Path(folder)), Path(folder) / "chargekeeper.db")
    if not BINARIES:
        print("PostgreSQL: skipped, it is not installed")
        return held
    server = Server()
    try:
        server.say("CREATE DATABASE fleet")
        url = f"{server.url}/fleet"
        with tempfile.TemporaryDirectory() as folder:
            cloud = CloudFixture(Path(folder), environment={"CHARGEKEEPER_DATABASE": url})
            return _is_held("PostgreSQL", rows, cloud, url) and held
    finally:
        server.close()


def _is_held(name: str, rows: int, cloud: CloudFixture, where: Path | str) -> bool:
    cloud.command("user", "list")  # creates the tables
    tables = Tables(where)
    tables.add_units(UNITS)
    known = tables.first_secrets(CONNECTED)
    now_ms = time.time_ns() // 1_000_000
    tables.heard(UNITS, now_ms)
    times = rows // UNITS
    until_ms = now_ms - DAY_MS - 2 * HOUR_MS
    until_ms -= until_ms % HOUR_MS
    from_ms = until_ms - times * FIVE_MINUTES_MS
    try:
        cloud.start()
        fleet = Fleet(cloud.mqtt_port, known)
        fleet.connect()
        sent = fleet.press(WINDOW, PRESSED_S)
        fleet.disconnect()
        cloud.stop_bridge()
        if isinstance(where, str):
            tables.execute(*_partitions(from_ms, until_ms))
        tables.signal(UNITS, from_ms, times)
        tables.execute(f"UPDATE retention SET until_ms = {from_ms} WHERE name = 'signal'")
        seen = _watched(cloud, where, from_ms, until_ms, times * UNITS)
    finally:
        cloud.stop()
    taken_in = ROWS_A_MESSAGE * sent.acknowledged / sent.seconds
    ratio = seen.rows_a_second / taken_in
    print(
        f"{name}: {seen.rows_a_second:,.0f} rows/s forgotten beside {taken_in:,.0f} rows/s taken in ({ratio:.1f}x, "
        f"at least {TIMES_FASTER} wanted); longest transaction {seen.longest_s * 1000:.0f} ms, "
        f"at most {LONGEST_S * 1000:.0f} ms wanted",
        flush=True,
    )
    return ratio >= TIMES_FASTER and seen.longest_s <= LONGEST_S


def _partitions(from_ms: int, until_ms: int) -> list[str]:
    """Return statements for the partitions that would have been created at that time."""
    return [
        f"CREATE TABLE signal_{at_ms} PARTITION OF signal FOR VALUES FROM ({at_ms}) TO ({at_ms + HOUR_MS})"
        for at_ms in range(from_ms - from_ms % HOUR_MS, until_ms, HOUR_MS)
    ]


def _watched(cloud: CloudFixture, where: Path | str, from_ms: int, until_ms: int, rows: int) -> Seen:
    """Poll until all rows are deleted. Measures from the first deleted row to the last."""
    looking = _File(where) if isinstance(where, Path) else _Server(where)
    starting = threading.Thread(target=cloud.start)
    starting.start()
    began_s: float | None = None
    give_up_s = time.monotonic() + WITHIN_S
    first = left = rows
    while left > 0:
        left, now_s = looking.left(from_ms, until_ms, rows), time.monotonic()
        if began_s is None and left < rows:
            began_s, first = looking.before_s, rows
        if now_s > give_up_s:
            raise TimeoutError(f"{left} of {rows} rows are not forgotten")
        time.sleep(LOOK_EVERY_S)
    starting.join(WITHIN_S)
    assert began_s is not None
    return Seen((first - left) / (now_s - began_s), looking.longest_s)


class _File:
    """The progress of retention on SQLite, and how long its write lock is never free."""

    def __init__(self, file: Path) -> None:
        self.longest_s, self.before_s = 0.0, time.monotonic()
        self._taken_since_s: float | None = None
        self._file = sqlite3.connect(file, timeout=0, isolation_level=None)

    def left(self, from_ms: int, until_ms: int, rows: int) -> int:
        """Return the rows left, by the mark that is stored with each deletion."""
        now_s = time.monotonic()
        try:
            self._file.execute("BEGIN IMMEDIATE")
            self._file.execute("ROLLBACK")
            self._taken_since_s = None
        except sqlite3.OperationalError:
            self._taken_since_s = self._taken_since_s or now_s
            self.longest_s = max(self.longest_s, now_s - self._taken_since_s)
        done_ms: int = self._file.execute("SELECT until_ms FROM retention WHERE name = 'signal'").fetchone()[0]
        if done_ms <= from_ms:
            self.before_s = now_s
        return round(rows * max(0, until_ms - done_ms) / (until_ms - from_ms))


class _Server:
    """The remaining partitions on PostgreSQL, and the oldest transaction that changes them or deletes rows."""

    def __init__(self, url: str) -> None:
        self.longest_s, self.before_s = 0.0, time.monotonic()
        self._server = psycopg.connect(url, autocommit=True)
        self._partitions: int | None = None

    def left(self, from_ms: int, until_ms: int, rows: int) -> int:
        lasting = self._server.execute(
            "SELECT max(extract(epoch FROM clock_timestamp() - xact_start))::float FROM pg_stat_activity "
            "WHERE datname = current_database() AND query ~ '^(DELETE|DROP|ALTER|CREATE)' AND state <> 'idle'"
        ).fetchone()
        self.longest_s = max(self.longest_s, (lasting and lasting[0]) or 0.0)
        found = self._server.execute(
            "SELECT count(*) FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid "
            "WHERE inhparent = 'signal'::regclass AND relname ~ '^signal_[0-9]+$' "
            "AND substr(relname, 8)::bigint BETWEEN %s AND %s",
            (from_ms - HOUR_MS, until_ms - 1),
        ).fetchone()
        count = 0 if found is None else int(found[0])
        self._partitions = self._partitions or count
        if count == self._partitions:
            self.before_s = time.monotonic()
        return rows * count // self._partitions
