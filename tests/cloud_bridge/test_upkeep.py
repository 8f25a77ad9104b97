"""Does upkeep leave the recorder its turns, with bounded transactions, and finish everything in the end?"""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event, func, insert, select, update

from cloud_bridge.contact import SILENT_AFTER_MS, UptimeLedger
from cloud_bridge.durations import DAY_MS, MINUTE_MS
from cloud_bridge.ingest.shard import NONE
from cloud_bridge.live import Live
from cloud_bridge.store import signal_averages, slices
from cloud_bridge.store import upkeep as store_upkeep
from cloud_bridge.store.database import Database, open_database
from cloud_bridge.store.ownership import BUCKET_MS
from cloud_bridge.store.tables import contacts, listening, results, signal, signal_5min, transitions
from cloud_bridge.store.units import add_unit
from cloud_bridge.store.upkeep import record_verified
from cloud_bridge.store.upsert import insert_new
from cloud_bridge.timekeeping import begin_time_beside
from cloud_bridge.upkeep import Upkeep
from cloud_bridge.verified_time import Clocks, clocks_of
from tests.cloud_bridge.running import DEADLINE_S, START_MS, HandClock, store_at

AT_ONCE = 3
OLD = 10  # rows in each of two tables
BUCKETS = 20


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = open_database(store_at(tmp_path))
    with database.writing() as connection:
        add_unit(connection, "cp-1", 0)
    yield database
    database.close()


@pytest.fixture
def changed(database: Database) -> Iterator[list[int]]:
    """Collect the number of changed rows of each transaction that changed any."""
    rows_of_transactions: list[int] = []
    in_this = 0

    def executed(_connection: Any, cursor: Any, statement: str, *_: Any) -> None:
        nonlocal in_this
        if not statement.startswith(("SELECT", "BEGIN")):
            in_this += max(0, cursor.rowcount)

    def committed(_connection: Any) -> None:
        nonlocal in_this
        if in_this:
            rows_of_transactions.append(in_this)
        in_this = 0

    engine: Engine = database._engine
    event.listen(engine, "after_cursor_execute", executed)
    event.listen(engine, "commit", committed)
    yield rows_of_transactions
    event.remove(engine, "after_cursor_execute", executed)
    event.remove(engine, "commit", committed)


def made(database: Database, clock: HandClock) -> Upkeep:
    return Upkeep(database, Live(), UptimeLedger(), clocks_of(clock))


def count(database: Database, table: Any) -> int:
    with database.reading() as connection:
        return connection.execute(select(func.count()).select_from(table)).scalar_one()


def a_sample_in_each_bucket(database: Database, first_ms: int, buckets: int, unit_id: str = "cp-1") -> None:
    rows = [{"unit_id": unit_id, "received_ms": first_ms + number * BUCKET_MS} for number in range(buckets)]
    with database.writing() as connection:
        insert_new(connection, signal, [row | {"csq": 15, "operator": "23415"} for row in rows])


def test_all_that_is_old_goes_a_few_rows_at_once(
    database: Database, changed: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A single transaction for thousands of rows of every table blocked the recorder for more than a second."""
    monkeypatch.setattr(store_upkeep, "FORGOTTEN_AT_ONCE", AT_ONCE)
    monkeypatch.setattr(slices, "SLICE_S", 0.0)  # each step is a transaction
    monkeypatch.setattr(slices, "PAUSE_S", 0.0)
    clock = HandClock()
    a_sample_in_each_bucket(database, START_MS - 3 * DAY_MS, OLD)
    a_sample_in_each_bucket(database, START_MS - 1000, 1)
    answers = [{"unit_id": "cp-1", "received_ms": number, "ok": True, "payload": "{}"} for number in range(OLD)]
    with database.writing() as connection:
        connection.execute(insert(results), answers)
    changed.clear()
    made(database, clock).forget()
    removing = [AT_ONCE + 1, AT_ONCE + 1, AT_ONCE + 1, 1 + 1]  # including how far the table has been cleared
    noting = [1]  # a transaction each to record the end
    before, between = ([kept.table for kept in store_upkeep.KEPT].index(table) for table in (signal, results))
    of_signal = removing if database.kind == "postgresql" else [OLD + 1]  # those of one hour and unit are in one chunk
    assert changed[before : before + len(of_signal)] == of_signal
    between += len(of_signal)
    assert changed[between : between + 4] == removing
    assert len(changed) == len(store_upkeep.KEPT) * len(noting) + len(of_signal) + len(removing)
    assert (count(database, signal), count(database, results)) == (1, 0)


def test_a_day_is_rolled_up_a_few_units_at_once(
    database: Database, changed: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """At the first run, all units at once, or five minutes of all, blocked the recorder for seconds."""
    monkeypatch.setattr(signal_averages, "ROWS_AT_ONCE", 2 * signal_averages.MOST_OF_UNIT)
    monkeypatch.setattr(slices, "SLICE_S", 0.0)
    names = ["cp-1", *(f"many-{number}" for number in range(4))]
    with database.writing() as connection:
        for name in names[1:]:
            add_unit(connection, name, 0)
    for name in names:
        a_sample_in_each_bucket(database, START_MS - BUCKETS * BUCKET_MS, BUCKETS, name)
    changed.clear()
    made(database, HandClock()).roll_up()
    assert changed == [2 * BUCKETS, 2 * BUCKETS, BUCKETS, 1], "the last is how far they are made"
    assert count(database, signal_5min) == len(names) * BUCKETS


def test_a_restart_rolls_up_what_was_left_undone_and_no_whole_day(database: Database, changed: list[int]) -> None:
    clock = HandClock()
    a_sample_in_each_bucket(database, START_MS - BUCKETS * BUCKET_MS, BUCKETS)
    made(database, clock).roll_up()
    clock.advance(2 * BUCKET_MS)
    a_sample_in_each_bucket(database, START_MS, 2)
    with database.writing() as connection:  # it came late, and changes an existing average
        late = {"unit_id": "cp-1", "received_ms": START_MS - 1, "csq": 31, "operator": "23415"}
        insert_new(connection, signal, [late])
    changed.clear()
    made(database, clock).roll_up()
    assert changed == [2 + 1, 1], "those that stay as they are stay unwritten"
    assert count(database, signal_5min) == BUCKETS + 2


def test_a_statement_forgets_many_rows(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """Row by row, retention on PostgreSQL was no faster than ingest. Rows of one millisecond are deleted together."""
    monkeypatch.setattr(store_upkeep, "FORGOTTEN_AT_ONCE", AT_ONCE)
    clock = HandClock()
    old_ms = START_MS - 3 * DAY_MS
    units = [f"cp-{number}" for number in range(2, 2 + 2 * AT_ONCE)]
    with database.writing() as connection:
        for unit_id in units:
            add_unit(connection, unit_id, 0)
        rows = [{"unit_id": unit_id, "received_ms": old_ms, "csq": 15, "operator": "23415"} for unit_id in units]
        insert_new(connection, signal, rows)
    deletions: list[bool] = []

    def executed(_connection: Any, _cursor: Any, statement: str, _given: Any, _context: Any, is_many: bool) -> None:
        if statement.startswith("DELETE FROM signal "):
            deletions.append(is_many)

    event.listen(database._engine, "after_cursor_execute", executed)
    made(database, clock).forget()
    event.remove(database._engine, "after_cursor_execute", executed)
    assert count(database, signal) == 0
    assert deletions == [False]


def test_without_a_unit_in_memory_it_judges_by_what_each_shard_has_stored(database: Database) -> None:
    clock = HandClock()
    heard = {"last_contact_ms": START_MS, "last_kind": "event", "messages": 1, "bad_payloads": 0, "listened_ms": 1000}
    listened_ms = {1: 1000 + SILENT_AFTER_MS, 2: 1000 + SILENT_AFTER_MS + 1, 3: 0}  # only the second is long enough
    with database.writing() as connection:
        for shard, ms in listened_ms.items():
            add_unit(connection, f"of-{shard}", 0)
            connection.execute(insert(contacts), heard | {"unit_id": f"of-{shard}", "shard": shard})
            row = {"id": shard, "until_ms": START_MS, "listened_ms": ms, "latest_ms": START_MS}
            connection.execute(insert(listening), row)
    beside = begin_time_beside(database, lambda _latest_ms: clock)
    upkeep = Upkeep(database, Live(), beside.ledger, Clocks(clock, beside.verified), NONE)
    clock.advance(SILENT_AFTER_MS + MINUTE_MS)
    assert upkeep.notice() == (["of-2"], [])
    with database.writing() as connection:
        connection.execute(update(contacts).values(last_contact_ms=clock.now_ms()))
    assert upkeep.notice() == ([], ["of-2"])


def test_before_any_shard_has_listened_nobody_is_silent(database: Database) -> None:
    beside = begin_time_beside(database, lambda _latest_ms: HandClock())
    upkeep = Upkeep(database, Live(), beside.ledger, Clocks(beside.clock, beside.verified), NONE)
    assert upkeep.notice() == ([], [])


def test_whoever_hears_no_witness_learns_the_time_that_has_passed(database: Database) -> None:
    """Otherwise, nothing would be deleted after a start for as long as no process ran before it."""
    clock = HandClock()
    with database.writing() as connection:
        record_verified(connection, START_MS - DAY_MS)
    beside = begin_time_beside(database, lambda _latest_ms: clock)
    upkeep = Upkeep(database, Live(), beside.ledger, Clocks(clock, beside.verified), NONE)
    upkeep.keep_time()
    assert beside.verified.now_ms() == START_MS - DAY_MS
    for stored_ms, expected_ms in ((START_MS, START_MS), (START_MS - DAY_MS, START_MS)):
        with database.writing() as connection:
            record_verified(connection, stored_ms)
        upkeep.keep_time()
        assert beside.verified.now_ms() == expected_ms


def heard(database: Database, unit_ids: list[str], at_ms: int = START_MS) -> None:
    """Mark units as heard then, with enough listened time since to call them silent."""
    row = {"last_contact_ms": at_ms, "last_kind": "event", "messages": 1, "bad_payloads": 0, "listened_ms": 0}
    with database.writing() as connection:
        for unit_id in unit_ids:
            connection.execute(insert(contacts), row | {"unit_id": unit_id, "shard": 1})
        listened = {"until_ms": at_ms, "listened_ms": SILENT_AFTER_MS + 1, "latest_ms": at_ms}
        connection.execute(insert(listening), listened | {"id": 1})


@pytest.mark.store("postgresql")  # SQLite has one writer at a time
def test_a_contact_that_is_being_written_holds_nobody_else_up(database: Database) -> None:
    with database.writing() as connection:
        add_unit(connection, "cp-2", 0)
    heard(database, ["cp-1", "cp-2"])
    beside = begin_time_beside(database, lambda _latest_ms: HandClock())
    upkeep = Upkeep(database, Live(), beside.ledger, Clocks(beside.clock, beside.verified), NONE)
    frozen = database.separate(1)
    with frozen.writing() as held:
        held.execute(update(contacts).where(contacts.c.unit_id == "cp-1").values(messages=2))
        assert upkeep.notice() == (["cp-2"], [])
    assert upkeep.notice() == (["cp-1"], [])
    frozen.close()


def test_what_two_processes_do_at_once_is_done_once(tmp_path: Path, database: Database) -> None:
    """As in the moment in which a process has lost the leadership and has not noticed."""
    clock = HandClock()
    units = [f"of-{number}" for number in range(40)]
    bucket_ms = START_MS - START_MS % BUCKET_MS
    with database.writing() as connection:
        for unit_id in units:
            add_unit(connection, unit_id, 0)
            rows = [
                {"unit_id": unit_id, "received_ms": bucket_ms + at_ms, "csq": 10, "operator": "23410"}
                for at_ms in (0, 1)
            ]
            insert_new(connection, signal, rows)
            connection.execute(insert(results), result_of(unit_id, START_MS - 100 * DAY_MS))
    heard(database, units)
    clock.advance(2 * SILENT_AFTER_MS)
    beside = begin_time_beside(database, lambda _latest_ms: clock)
    databases = [open_database(store_at(tmp_path)) for _ in range(2)]
    clocks = Clocks(clock, beside.verified)
    both = [Upkeep(one, Live(), UptimeLedger(start_ms=START_MS, shard=0), clocks, NONE) for one in databases]
    errors: list[Exception] = []

    def work(upkeep: Upkeep) -> None:
        try:
            for turn in (upkeep.notice, upkeep.roll_up, upkeep.forget):
                turn()
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(upkeep,)) for upkeep in both]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(DEADLINE_S)
    work(both[0])  # what each left to the other
    assert errors == []
    with database.reading() as connection:
        noticed = connection.execute(select(transitions.c.unit_id).order_by(transitions.c.unit_id)).scalars().all()
        assert noticed == sorted(units)
        samples = connection.execute(select(signal_5min.c.samples)).scalars().all()
        assert samples == [2] * len(units)
        assert connection.execute(select(func.count()).select_from(results)).scalar() == 0
    for one in databases:
        one.close()


def result_of(unit_id: str, at_ms: int) -> dict[str, Any]:
    return {"unit_id": unit_id, "received_ms": at_ms, "payload": "{}", "command": "c-1", "ok": True}
