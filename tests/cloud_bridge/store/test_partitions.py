"""Do partitions come and go with the time of rows, lose nothing to a wrong clock, and keep the recorder waiting only
briefly?"""

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, Table, func, insert, select, text
from sqlalchemy.exc import SQLAlchemyError

from cloud_bridge.clock import Step
from cloud_bridge.contact import UptimeLedger
from cloud_bridge.durations import DAY_MS, HOUR_MS, MINUTE_MS
from cloud_bridge.live import Live
from cloud_bridge.store import partitions as store_partitions
from cloud_bridge.store.backup import restore, write_backup
from cloud_bridge.store.database import Database, open_database
from cloud_bridge.store.partitions import AHEAD_MS, PARTITIONED, make_partitions, partitions
from cloud_bridge.store.record import record
from cloud_bridge.store.tables import power, signal, signal_5min, units
from cloud_bridge.upkeep import Upkeep
from cloud_bridge.verified_time import clocks_of
from tests.cloud_bridge.old_store import add_old_unit, open_at
from tests.cloud_bridge.recording import inbound
from tests.cloud_bridge.running import DEADLINE_S, START_MS, HandClock, store_at

pytestmark = pytest.mark.store("postgresql")
HEARTBEAT = b'{"n":1,"b":1,"s":"A1","q":17,"o":"23415","w":0,"e":1000,"f":[]}'
DEFAULT = "default"


def heard(database: Database, *at_ms: int) -> None:
    with database.writing() as connection:
        for one in at_ms:
            record(connection, [inbound("cp-1", one, payload=HEARTBEAT)])


def where(connection: Connection, table: Table) -> list[str]:
    """Return the partition of each row, oldest first: its start in hours after START_MS, `before` or `default`."""
    age = PARTITIONED[table].age.name
    names = connection.execute(text(f'SELECT tableoid::regclass::text FROM "{table.name}" ORDER BY {age}')).scalars()
    ends = [name.removeprefix(f"{table.name}_") for name in names]
    return [f"{(int(end) - START_MS) // HOUR_MS}" if end.isdigit() else end for end in ends]


def count(connection: Connection, table: Table) -> int:
    return connection.execute(select(func.count()).select_from(table)).scalar_one()


def upkeep(database: Database, clock: HandClock) -> Upkeep:
    return Upkeep(database, Live(), UptimeLedger(), clocks_of(clock))


def test_rows_go_where_their_time_is_and_repeats_are_still_known(database: Database) -> None:
    make_partitions(database, START_MS)
    heard(database, START_MS, START_MS, START_MS + HOUR_MS - 1, START_MS + HOUR_MS, START_MS + 5 * HOUR_MS)
    with database.reading() as connection:
        assert where(connection, signal) == ["0", "0", "1", "5"]
        assert where(connection, power) == ["0", "0", "0", "3"]


def test_they_are_made_ahead_and_once(database: Database) -> None:
    make_partitions(database, START_MS)
    make_partitions(database, START_MS + MINUTE_MS)
    with database.reading() as connection:
        for table, (_, width_ms) in PARTITIONED.items():
            there = partitions(connection, table)
            assert (there[0].from_ms, there[-1].until_ms >= START_MS + AHEAD_MS) == (START_MS, True)
            assert all(one.until_ms - (one.from_ms or 0) == width_ms for one in there)
            assert [one.until_ms for one in there[:-1]] == [one.from_ms for one in there[1:]]


def test_two_processes_that_make_them_at_once_make_each_once(database: Database, tmp_path: Path) -> None:
    other = open_database(store_at(tmp_path))
    start, failed = threading.Barrier(2), list[Exception]()

    def make(one: Database) -> None:
        start.wait(DEADLINE_S)
        try:
            make_partitions(one, START_MS)
        except SQLAlchemyError as error:
            failed.append(error)

    threads = [threading.Thread(target=make, args=[one]) for one in (database, other)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(DEADLINE_S)
    make_partitions(database, START_MS)
    with database.reading() as connection:
        assert len(partitions(connection, signal)) == 24
    assert not failed
    other.close()


def test_a_time_that_nobody_made_one_for_is_in_the_default_partition_and_forgotten_in_its_time(
    database: Database,
) -> None:
    """For a clock 50 years ahead, for a slow one, and for an hour in which partitions could not be created."""
    clock = HandClock()
    heard(database, START_MS)
    make_partitions(database, START_MS)
    heard(database, START_MS + HOUR_MS, START_MS - 100 * DAY_MS, START_MS + 50 * 366 * DAY_MS)
    with database.reading() as connection:
        assert where(connection, signal) == [DEFAULT, DEFAULT, "1", DEFAULT]
        assert START_MS not in [one.from_ms for one in partitions(connection, signal)]
    clock.advance(2 * DAY_MS)
    make_partitions(database, clock.now_ms())
    upkeep(database, clock).forget()
    with database.reading() as connection:
        assert where(connection, signal) == [DEFAULT]
        assert partitions(connection, signal)[0].from_ms == clock.now_ms()


def test_a_partition_is_dropped_when_all_of_it_is_old(database: Database) -> None:
    clock = HandClock()
    make_partitions(database, START_MS)
    heard(database, *(START_MS + number * 30 * MINUTE_MS for number in range(48)))
    duty = upkeep(database, clock)
    duty.forget()
    for minutes, left in ((24 * 60, 48), (25 * 60 - 1, 48), (25 * 60, 46), (26 * 60, 44)):
        clock.at_ms = START_MS + minutes * MINUTE_MS
        duty.forget()
        with database.reading() as connection:
            assert count(connection, signal) == left, f"after {minutes} minutes"


def test_what_a_clock_stamped_that_was_behind_stays_as_long_as_rows_of_the_table_do(database: Database) -> None:
    """Its rows only look old."""
    clock = HandClock()
    duty = upkeep(database, clock)
    duty.forget()
    make_partitions(database, START_MS - 10 * DAY_MS)
    heard(database, START_MS - 10 * DAY_MS)
    duty.stepped(Step(0, 0))
    duty.forget()
    clock.advance(23 * HOUR_MS)
    duty.forget()
    with database.reading() as connection:
        assert count(connection, signal) == 1
    clock.advance(2 * HOUR_MS)
    duty.forget()
    with database.reading() as connection:
        assert count(connection, signal) == 0
        assert [one for one in partitions(connection, signal) if one.until_ms < START_MS - DAY_MS] == []


def test_whoever_has_the_locks_is_not_waited_for(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """A `pg_dump` reads the tables for an hour. Meanwhile, the recorder waits at most for upkeep's request."""
    monkeypatch.setattr(store_partitions, "TRIES", 2)
    asked = threading.Event()
    waits_s: list[float] = []

    def record_meanwhile() -> None:
        asked.wait(DEADLINE_S)
        for number in range(20):
            began_s = time.monotonic()
            heard(database, START_MS + number)
            waits_s.append(time.monotonic() - began_s)

    thread = threading.Thread(target=record_meanwhile)
    thread.start()
    with database.reading() as dump:
        for table in PARTITIONED:
            dump.execute(select(table))
        asked.set()
        with pytest.raises(SQLAlchemyError):
            make_partitions(database, START_MS)
        with pytest.raises(SQLAlchemyError):
            upkeep(database, HandClock()).make_partitions()
    thread.join(DEADLINE_S)
    make_partitions(database, START_MS + HOUR_MS)
    with database.reading() as connection:
        assert count(connection, signal) == 20 == len(waits_s)
        assert partitions(connection, signal) != []


def test_a_unit_that_is_removed_leaves_all_partitions(database: Database) -> None:
    make_partitions(database, START_MS)
    heard(database, START_MS, START_MS + HOUR_MS, START_MS - DAY_MS)
    with database.writing() as connection:
        connection.execute(units.delete().where(units.c.id == "cp-1"))
        assert [count(connection, table) for table in (signal, power)] == [0, 0]


@pytest.fixture
def older(tmp_path: Path) -> Iterator[Path | str]:
    """A store of the version before partitions, with a row in each of the tables, and a row from a fast clock."""
    where_it_is = store_at(tmp_path, empty=True)
    before = open_at(where_it_is, "0036")
    with before.writing() as connection:
        add_old_unit(connection, "cp-1")
        for at_ms in (START_MS, START_MS + 50 * 366 * DAY_MS):
            row: dict[str, Any] = {"unit_id": "cp-1", "received_ms": at_ms}
            connection.execute(insert(signal), row | {"csq": 17, "operator": ""})
            connection.execute(insert(power), row | {"plugged": True, "watts": 7000, "total_wh": None})
            average = {"unit_id": "cp-1", "from_ms": at_ms, "operator": "", "lowest": 1, "highest": 1, "total": 1}
            connection.execute(insert(signal_5min), average | {"samples": 1})
    before.close()
    yield where_it_is


def test_rows_of_an_older_version_stay_where_they_are_until_they_are_old(older: Path | str) -> None:
    database = open_database(older)
    now_ms = int(time.time() * 1000)  # partitions begin where the migration says, by the database's clock
    make_partitions(database, now_ms)
    with database.reading() as connection:
        for table in PARTITIONED:
            assert where(connection, table) == ["before", DEFAULT]
            assert partitions(connection, table)[0].from_ms is None
        first, second, *_ = partitions(connection, signal)
        assert first.until_ms == second.from_ms
    upkeep(database, HandClock(now_ms + 3 * DAY_MS)).forget()
    with database.reading() as connection:
        assert [where(connection, table) for table in (signal, power)] == [[DEFAULT], [DEFAULT]]
        assert all(one.from_ms is not None for one in partitions(connection, signal))
    database.close()


def test_a_backup_brings_its_partitions_back_and_those_made_since_go(database: Database, tmp_path: Path) -> None:
    url = store_at(tmp_path)
    assert isinstance(url, str)
    make_partitions(database, START_MS)
    heard(database, START_MS)
    write_backup(tmp_path, url, tmp_path / "backup")
    make_partitions(database, START_MS + 10 * DAY_MS)
    heard(database, START_MS + 10 * DAY_MS, START_MS + 20 * DAY_MS)
    database.close()
    restore(tmp_path, url, tmp_path / "backup")
    again = open_database(url)
    with again.reading() as connection:
        assert where(connection, signal) == ["0"]
        assert partitions(connection, signal)[-1].until_ms == START_MS + DAY_MS
    heard(again, START_MS + HOUR_MS)
    make_partitions(again, START_MS + 10 * DAY_MS)
    again.close()
