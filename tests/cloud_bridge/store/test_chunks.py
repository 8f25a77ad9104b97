"""Are rows with a time found, written and removed by chunks on SQLite, with the same results as on PostgreSQL?"""

import string
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, delete, event, func, select, text

from cloud_bridge.contact import UptimeLedger
from cloud_bridge.durations import DAY_MS, HOUR_MS, MINUTE_MS
from cloud_bridge.live import Live
from cloud_bridge.store import chunk_removal, history, personal, slices
from cloud_bridge.store.access import Role
from cloud_bridge.store.alerts import weak_signals
from cloud_bridge.store.chunk_removal import ChunkRemoval
from cloud_bridge.store.chunks import CHUNKED
from cloud_bridge.store.database import Database
from cloud_bridge.store.idle_vehicles import idle_vehicles, owners_power
from cloud_bridge.store.ownership import Period, begin_ownership, end_ownership
from cloud_bridge.store.people import add_person, find_person
from cloud_bridge.store.record import record
from cloud_bridge.store.slices import in_slices
from cloud_bridge.store.tables import power, retention, signal, signal_5min, signal_hourly
from cloud_bridge.store.units import add_unit
from cloud_bridge.store.upkeep import KEPT
from cloud_bridge.store.upsert import insert_new
from cloud_bridge.upkeep import Upkeep
from cloud_bridge.verified_time import clocks_of
from tests.cloud_bridge.recording import inbound
from tests.cloud_bridge.running import START_MS, HandClock

HEARTBEAT = b'{"n":1,"b":1,"s":"C2","q":17,"o":"23415","a":32,"w":7200,"e":1000,"f":[]}'
ODD_MS = [0, 1, HOUR_MS - 1, START_MS - 400 * DAY_MS, START_MS + 50 * 366 * DAY_MS]
NAMES = {table.name for table in CHUNKED}


def upkeep(database: Database, clock: HandClock) -> Upkeep:
    return Upkeep(database, Live(), UptimeLedger(), clocks_of(clock))


def readings(database: Database, unit_id: str, *at_ms: int) -> None:
    rows = [{"unit_id": unit_id, "received_ms": one, "csq": 15, "operator": "23415"} for one in at_ms]
    with database.writing() as connection:
        insert_new(connection, signal, rows)


def times(connection: Connection, unit_id: str = "cp-1", from_ms: int = 0, to_ms: int = 1 << 50) -> list[int]:
    rows = history.signal_raw(connection, Period(unit_id, 0, 0), from_ms, to_ms)
    return [row["received_ms"] for row in rows]


# --- plans -------------------------------------------------------------------------------------------------------------


@contextmanager
def plans(database: Database) -> Iterator[list[tuple[str, str]]]:
    """Collect each statement that uses a table in chunks, with a line of its plan."""
    found: list[tuple[str, str]] = []

    def explain(_connection: Any, cursor: Any, statement: str, given_to: Any, _context: Any, is_many: bool) -> None:
        words = set(statement.translate(str.maketrans(string.punctuation.replace("_", ""), " " * 31)).split())
        if NAMES.isdisjoint(words) or not statement.startswith(("SELECT", "INSERT", "DELETE", "UPDATE", "WITH")):
            return
        cursor.execute(f"EXPLAIN QUERY PLAN {statement}", given_to[0] if is_many else given_to)
        found.extend((statement, row[3]) for row in cursor.fetchall())

    event.listen(database._reader, "before_cursor_execute", explain)
    yield found
    event.remove(database._reader, "before_cursor_execute", explain)


def use_everything(database: Database) -> None:
    """Do everything that reads or writes signal and power."""
    clock = HandClock()
    at_ms = START_MS - 2 * HOUR_MS
    with database.writing() as connection:
        add_person(connection, "ann", "a hash", Role.DRIVER, 0)
        begin_ownership(connection, "cp-1", find_person(connection, "ann").id, 1)
        record(connection, [inbound("cp-1", at_ms + number * MINUTE_MS, payload=HEARTBEAT) for number in range(9)])
        record(connection, [inbound("cp-2", at_ms, payload=HEARTBEAT)])
    duty = upkeep(database, clock)
    duty.roll_up()
    duty.roll_up_hours()
    period = Period("cp-1", 2, 2)
    with database.reading() as connection:
        assert len(history.signal_raw(connection, period, 0, START_MS)) == 9
        assert len(history.power_readings(connection, period, 0, START_MS)) == 9
        assert len(history.signal_averages(connection, period, 0, START_MS)) == 2
        assert history.last_idle(connection, period, START_MS) is None
        assert list(idle_vehicles(connection, at_ms, 100, at_ms)) == []
        assert len(owners_power(connection, "cp-1", at_ms, START_MS)) == 9
        assert weak_signals(connection, at_ms, START_MS, 31, 1) == [("cp-1", 17.0), ("cp-2", 17.0)]
    with database.writing() as connection:
        end_ownership(connection, "cp-1", START_MS)
        person = find_person(connection, "ann")
        assert len(personal.export(connection, person)["signal"]) == 9
        assert personal.erase(connection, person)["signal"] == 9
    clock.advance(500 * DAY_MS)
    duty.roll_up_hours()
    duty.forget()


@pytest.mark.store("sqlite")
def test_every_statement_goes_by_chunks_and_sorts_nothing(database: Database) -> None:
    """Reading a whole table of a large fleet takes minutes; sorting a month of one unit took three times as long."""
    with plans(database) as found:
        use_everything(database)
    assert {name for name in NAMES for statement, _ in found if name in statement} == NAMES
    whole = [(line, statement) for statement, line in found if any(f"SCAN {name}" == line for name in NAMES)]
    assert whole == []
    assert [one for one in found if one[0].startswith("SELECT") and "ORDER BY" in one[1]] == []


@pytest.mark.store("sqlite")
@pytest.mark.parametrize("table", CHUNKED, ids=lambda table: table.name)
def test_nothing_but_the_chunks_has_to_be_written(database: Database, table: Any) -> None:
    """With an index by unit or by time, each removed row would be on its own page again."""
    with database.reading() as connection:
        made = text("SELECT type, name FROM sqlite_master WHERE tbl_name = :name")
        assert connection.execute(made, {"name": table.name}).all() == [("table", table.name)]


# --- results, the same on both databases -------------------------------------------------------------------------------


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make each transaction one step, and each step a few rows."""
    monkeypatch.setattr(slices, "SLICE_S", 0.0)
    monkeypatch.setattr(slices, "PAUSE_S", 0.0)
    monkeypatch.setattr(chunk_removal, "REMOVED_AT_ONCE", 2)


AT_MS = st.one_of(st.sampled_from(ODD_MS), st.integers(START_MS - 3 * HOUR_MS, START_MS + 3 * HOUR_MS))
BY_THE_HALF_HOUR = st.integers(-8, 8).map(lambda number: START_MS + number * 30 * MINUTE_MS)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.lists(st.tuples(st.sampled_from(["cp-1", "cp-2"]), AT_MS), max_size=40),
    window=st.tuples(AT_MS, AT_MS),
    removed=st.tuples(st.one_of(st.none(), BY_THE_HALF_HOUR), BY_THE_HALF_HOUR),
)
def test_what_is_read_and_what_is_removed_goes_by_the_time_alone(
    database: Database,
    quick: None,
    rows: list[tuple[str, int]],
    window: tuple[int, int],
    removed: tuple[int | None, int],
) -> None:
    """Whatever clock stamped the rows, and wherever a chunk begins."""
    with database.writing() as connection:
        connection.execute(delete(signal))
    for unit_id, at_ms in rows:
        readings(database, unit_id, at_ms)
    kept = next(kept for kept in KEPT if kept.table is signal)
    from_ms, to_ms = removed

    def expected(unit_id: str, stays: bool) -> list[int]:
        of_unit = sorted({at_ms for one, at_ms in rows if one == unit_id})
        return [at_ms for at_ms in of_unit if stays or at_ms >= to_ms or (from_ms is not None and at_ms < from_ms)]

    for stays in (True, False):
        if not stays:
            upkeep(database, HandClock())._remove(kept, from_ms, to_ms)
        with database.reading() as connection:
            for unit_id in ("cp-1", "cp-2"):
                left = expected(unit_id, stays)
                assert times(connection, unit_id) == left
                inside = [at_ms for at_ms in left if window[0] <= at_ms < window[1]]
                assert times(connection, unit_id, *window) == inside


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("heard"), st.sampled_from([0, 0, 0, -5 * DAY_MS, 5 * DAY_MS, 20_000 * DAY_MS])),
        st.tuples(st.just("passes"), st.sampled_from([MINUTE_MS, 40 * MINUTE_MS, 7 * HOUR_MS, 26 * HOUR_MS])),
        st.tuples(st.just("forget"), st.just(0)),
    ),
    max_size=30,
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_no_reading_goes_before_its_day_and_none_of_a_right_clock_stays_long(
    database: Database, quick: None, steps: list[tuple[str, int]]
) -> None:
    """`heard` stamps with a clock that is wrong by this much."""
    with database.writing() as connection:
        connection.execute(delete(signal))
        connection.execute(delete(retention))
    clock = HandClock()
    duty = upkeep(database, clock)
    stored: dict[int, tuple[int, int]] = {}  # by stamp: when it was stored, and the error of the stamp
    for step, ms in steps:
        if step == "heard":
            at_ms = clock.now_ms() + ms
            readings(database, "cp-1", at_ms)
            stored.setdefault(at_ms, (clock.now_ms(), ms))
        elif step == "passes":
            clock.advance(ms)
        else:
            duty.forget()
            with database.reading() as connection:
                left = set(times(connection))
            young = {at_ms for at_ms in stored if at_ms >= clock.now_ms() - DAY_MS}
            old = {at_ms for at_ms, (since_ms, wrong_ms) in stored.items() if wrong_ms >= 0} - {
                at_ms for at_ms in stored if at_ms >= clock.now_ms() - DAY_MS - HOUR_MS
            }
            assert young <= left
            assert not old & left
            stored = {at_ms: stored[at_ms] for at_ms in left}


@pytest.mark.store("sqlite")
def test_a_unit_that_sends_too_much_is_removed_in_a_step_of_its_own(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chunk_removal, "REMOVED_AT_ONCE", 3)
    readings(database, "cp-1", *range(START_MS, START_MS + 10))
    readings(database, "cp-2", *range(START_MS, START_MS + 10))
    readings(database, "cp-2", START_MS + HOUR_MS)
    reached: list[int] = []
    removal = ChunkRemoval(signal, None, START_MS + DAY_MS, lambda _, until_ms: reached.append(until_ms))
    rows = []
    with database.writing() as connection:
        while removal.step(connection):
            rows.append((connection.execute(select(func.count()).select_from(signal)).scalar(), len(reached)))
    assert rows == [(21, 0), (11, 0), (1, 1), (0, 2)]
    assert reached == [START_MS + HOUR_MS, START_MS + 2 * HOUR_MS]


@pytest.mark.store("sqlite")
def test_whoever_is_killed_in_the_middle_of_a_chunk_goes_on_with_it(
    database: Database, monkeypatch: pytest.MonkeyPatch, quick: None
) -> None:
    clock = HandClock()
    units = [f"of-{number}" for number in range(9)]
    with database.writing() as connection:
        for unit_id in units:
            add_unit(connection, unit_id, 0)
    duty = upkeep(database, clock)
    duty.forget()
    for unit_id in units:
        readings(database, unit_id, START_MS, START_MS + 1)
    step, steps = ChunkRemoval.step, 0

    def killed(self: ChunkRemoval, connection: Connection) -> bool:
        nonlocal steps
        steps += 1
        if steps == 3:
            raise KeyboardInterrupt
        return step(self, connection)

    monkeypatch.setattr(ChunkRemoval, "step", killed)
    clock.advance(26 * HOUR_MS)
    with pytest.raises(KeyboardInterrupt):
        duty.forget()
    with database.reading() as connection:
        assert 0 < connection.execute(select(func.count()).select_from(signal)).scalar_one() < 18
    upkeep(database, clock).forget()
    with database.reading() as connection:
        assert connection.execute(select(func.count()).select_from(signal)).scalar_one() == 0


@pytest.mark.store("sqlite")
def test_five_minutes_are_reached_before_they_are_half_gone(database: Database, quick: None) -> None:
    """Readers use the hours for the span that they cover; otherwise neither would be visible."""
    rows = [
        {"unit_id": "cp-1", "from_ms": START_MS, "operator": operator}
        | dict.fromkeys(("lowest", "highest", "total", "samples"), 1)
        for operator in ("23410", "23415")
    ]
    with database.writing() as connection:
        insert_new(connection, signal_5min, rows)
    seen: list[int | None] = []

    def reached(connection: Connection, _until_ms: int) -> None:
        seen.append(connection.execute(select(func.count()).select_from(signal_5min)).scalar())

    in_slices(database.writing_slice, ChunkRemoval(signal_5min, None, START_MS + DAY_MS, reached, True).step)
    assert seen == [2, 0]


def test_what_is_made_of_signal_is_made_once(database: Database) -> None:
    """It is made again if there are more readings, in the same chunk."""
    clock = HandClock()
    duty = upkeep(database, clock)
    for _ in range(2):
        readings(database, "cp-1", *(clock.now_ms() - 3 * HOUR_MS + number for number in range(3)))
        duty.roll_up()
        duty.roll_up_hours()
    with database.reading() as connection:
        counts = [
            connection.execute(select(func.count()).select_from(one)).scalar() for one in (signal_5min, signal_hourly)
        ]
    assert counts == [1, 1]
    assert power in CHUNKED
