"""Is signal kept by the hour after its five minutes are deleted: same figures, one owner for each row, and no step lost?"""

from typing import Any

import pytest
from sqlalchemy import Connection, Table, func, select

from cloud_bridge.contact import UptimeLedger
from cloud_bridge.durations import DAY_MS, HOUR_MS, MINUTE_MS
from cloud_bridge.live import Live
from cloud_bridge.store import personal, signal_averages
from cloud_bridge.store import upkeep as store_upkeep
from cloud_bridge.store.access import Role
from cloud_bridge.store.chunk_removal import ChunkRemoval
from cloud_bridge.store.claims import claim, release
from cloud_bridge.store.database import Database
from cloud_bridge.store.history import signal_averages as averages_of
from cloud_bridge.store.ownership import BUCKET_MS, Period
from cloud_bridge.store.people import add_person, find_person
from cloud_bridge.store.signal_averages import make_hours, pieces
from cloud_bridge.store.tables import signal, signal_5min, signal_hourly, units
from cloud_bridge.store.units import add_unit, visible_unit
from cloud_bridge.store.upsert import insert_new
from cloud_bridge.support.evidence import signal_points
from cloud_bridge.support.signal import summary
from cloud_bridge.upkeep import Upkeep
from cloud_bridge.verified_time import clocks_of
from tests.cloud_bridge.running import START_MS, HandClock

VODAFONE, EE = "23415", "23430"
ALL = Period("cp-1", 0, 0)
KEPT_DAYS = 32


def five(from_ms: int, csq: int, samples: int = 1, operator: str = VODAFONE, unit_id: str = "cp-1") -> dict[str, Any]:
    row = {"unit_id": unit_id, "from_ms": from_ms, "operator": operator, "samples": samples}
    return row | {"lowest": csq, "highest": csq, "total": csq * samples}


def store(database: Database, rows: list[dict[str, Any]]) -> None:
    with database.writing() as connection:
        insert_new(connection, signal_5min, rows)


def hours(connection: Connection) -> list[tuple[Any, ...]]:
    of = signal_hourly.c
    columns = (of.from_ms, of.until_ms, of.operator, of.lowest, of.highest, of.total, of.samples, of.lasting_ms)
    return [tuple(row) for row in connection.execute(select(*columns).order_by(of.from_ms, of.operator))]


def count(database: Database, table: Table) -> int:
    with database.reading() as connection:
        return connection.execute(select(func.count()).select_from(table)).scalar_one()


def upkeep(database: Database, clock: HandClock) -> Upkeep:
    return Upkeep(database, Live(), UptimeLedger(), clocks_of(clock))


def test_an_hour_is_an_average_over_time_and_networks_share_it(database: Database) -> None:
    """Ten five-minute averages of a charging unit at CSQ 10, with five samples each, and two idle ones at 22."""
    rows = [five(START_MS + number * BUCKET_MS, 10, samples=5) for number in range(10)]
    rows += [five(START_MS + number * BUCKET_MS, 22) for number in (10, 11)]
    rows += [five(START_MS, 20, samples=5, operator=EE)]
    store(database, rows)
    with database.writing() as connection:
        make_hours(connection, START_MS, START_MS + HOUR_MS, ["cp-1"])
        vodafone, ee = hours(connection)
    until_ms = START_MS + HOUR_MS
    assert vodafone[:5] == (START_MS, until_ms, VODAFONE, 10, 22)
    assert vodafone[5] / vodafone[6] == pytest.approx((9.5 * 10 + 2 * 22) / 11.5, abs=0.5 / 52)
    assert vodafone[6:] == (52, 11.5 * BUCKET_MS)
    assert ee == (START_MS, until_ms, EE, 20, 20, 100, 5, BUCKET_MS / 2)


def test_a_row_that_cannot_be_an_average_does_not_keep_the_others_from_their_hour(database: Database) -> None:
    store(database, [five(START_MS, 10, samples=0), five(START_MS + BUCKET_MS, 20)])
    with database.writing() as connection:
        make_hours(connection, START_MS, START_MS + HOUR_MS, ["cp-1"])
        assert [row[3] for row in hours(connection)] == [20]


@pytest.mark.parametrize(
    ("changed", "edges"),
    [
        ([], [0, 60]),
        ([23], [0, 20, 25, 60]),
        ([20], [0, 20, 60]),
        ([3, 58], [0, 5, 55, 60]),
        ([21, 24, 26], [0, 20, 25, 30, 60]),
    ],
)
def test_an_hour_is_cut_at_the_five_minutes_of_a_change(changed: list[int], edges: list[int]) -> None:
    at_ms = [START_MS + minute * MINUTE_MS for minute in edges]
    wanted = list(zip(at_ms[:-1], at_ms[1:], strict=True))
    assert pieces(START_MS, START_MS + HOUR_MS, [START_MS + minute * MINUTE_MS for minute in changed]) == wanted


def test_no_hour_mixes_owners(database: Database) -> None:
    """Ann releases it at 10:23, and Ben claims it at 10:41."""
    store(database, [five(START_MS + number * BUCKET_MS, number) for number in range(12)])
    with database.writing() as connection:
        for name in ("ann", "ben"):
            add_person(connection, name, "a hash", Role.DRIVER, 0)
        code = add_unit(connection, "wall", 0).claim_code
        ann, ben = (find_person(connection, name) for name in ("ann", "ben"))
        claim(connection, ann, code, START_MS - DAY_MS)
        release(connection, "wall", now_ms=START_MS + 23 * MINUTE_MS)
        claim(connection, ben, code, START_MS + 41 * MINUTE_MS)
        rows = [five(START_MS + number * BUCKET_MS, number, unit_id="wall") for number in range(12)]
        insert_new(connection, signal_5min, rows)
        make_hours(connection, START_MS, START_MS + HOUR_MS, ["cp-1", "wall"])
        of = signal_hourly.c
        made = connection.execute(select(of.lowest, of.highest).where(of.unit_id == "wall").order_by(of.from_ms)).all()
        assert made == [(0, 3), (4, 4), (5, 7), (8, 8), (9, 11)]
        whole = connection.execute(select(of.lowest, of.highest).where(of.unit_id == "cp-1")).all()
        assert whole == [(0, 11)]
        theirs = personal.export(connection, ann)["signal_hourly"], personal.export(connection, ben)["signal_hourly"]
        assert [[(row["lowest"], row["highest"]) for row in rows] for rows in theirs] == [[(0, 3)], [(9, 11)]]
        personal.erase(connection, ann)
        assert connection.execute(select(func.min(of.lowest)).where(of.unit_id == "wall")).scalar() == 4


def test_a_new_owner_reads_the_piece_of_their_own_time(database: Database) -> None:
    clock = HandClock()
    with database.writing() as connection:
        add_person(connection, "ann", "a hash", Role.DRIVER, 0)
        code = add_unit(connection, "wall", 0).claim_code
        claim(connection, find_person(connection, "ann"), code, START_MS + 23 * MINUTE_MS)
        rows = [five(START_MS + number * BUCKET_MS, number, unit_id="wall") for number in range(12)]
        insert_new(connection, signal_5min, rows)
    clock.advance((KEPT_DAYS + 1) * DAY_MS)
    condensed(database, clock)
    with database.reading() as connection:
        seen = visible_unit(connection, find_person(connection, "ann"), "wall")
        assert seen is not None
        found = averages_of(connection, seen.period, 0, clock.now_ms())
    assert [(row["lowest"], row["highest"]) for row in found] == [(5, 11)]


def hours_made(database: Database, clock: HandClock) -> None:
    duty = upkeep(database, clock)
    duty.roll_up()
    duty.roll_up_hours()


def condensed(database: Database, clock: HandClock) -> None:
    """Condense as upkeep does, until nothing is left to do."""
    hours_made(database, clock)
    upkeep(database, clock).forget()


def test_a_year_of_five_minutes_is_condensed_in_steps_and_readers_see_all_of_it_at_any_time(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As an older version leaves it, without hours."""
    monkeypatch.setattr("cloud_bridge.upkeep.SPANS_AT_ONCE", 1)
    monkeypatch.setattr("cloud_bridge.upkeep.HOURS_SPAN_MS", 3 * HOUR_MS)
    monkeypatch.setattr(store_upkeep, "FORGOTTEN_AT_ONCE", 5)
    clock = HandClock(START_MS + 100 * DAY_MS)
    old = [five(START_MS + number * BUCKET_MS, 15) for number in range(8 * 12)]
    new = [five(clock.now_ms() - DAY_MS + number * BUCKET_MS, 15) for number in range(12)]
    store(database, old + new)
    measured_ms = (len(old) + len(new)) * BUCKET_MS
    forget = store_upkeep.forget

    def measured(*_: Any) -> float:
        with database.reading() as connection:
            points = signal_points(connection, ALL, START_MS - DAY_MS, clock.now_ms())
        ends = [(one.at_ms, one.until_ms) for one in points]
        assert all(one[1] <= other[0] for one, other in zip(ends, ends[1:], strict=False)), "nothing counts twice"
        return summary(points).measured_ms

    seen = [measured()]
    event_seen: list[float] = []

    def forgetting(connection: Connection, *arguments: Any) -> None:
        if arguments[0].table is signal_5min:
            event_seen.append(measured())  # by another connection, so before this transaction
        forget(connection, *arguments)

    class Removing(ChunkRemoval):
        def step(self, connection: Connection) -> bool:
            event_seen.append(measured())
            return super().step(connection)

    monkeypatch.setattr("cloud_bridge.upkeep.forget", forgetting)
    monkeypatch.setattr("cloud_bridge.upkeep.ChunkRemoval", Removing)  # SQLite
    duty = upkeep(database, clock)
    duty.roll_up()
    for _ in range(4):
        duty.roll_up_hours()
        seen.append(measured())
        upkeep(database, clock).forget()
        seen.append(measured())
    assert set(seen) == {measured_ms}
    assert set(event_seen) == {measured_ms}
    assert len(event_seen) > (8 if database.kind == "postgresql" else 4)
    assert (count(database, signal_5min), count(database, signal_hourly)) == (len(new), 9)


def test_five_minutes_stay_until_their_hour_is_made(database: Database) -> None:
    clock = HandClock(START_MS + 100 * DAY_MS)
    store(database, [five(START_MS, 15)])
    upkeep(database, clock).forget()
    assert count(database, signal_5min) == 1
    condensed(database, clock)
    assert (count(database, signal_5min), count(database, signal_hourly)) == (0, 1)


def test_a_clock_that_was_behind_changes_no_hour_of_then(database: Database) -> None:
    """It writes five minutes into an hour whose own were deleted."""
    clock = HandClock(START_MS + 100 * DAY_MS)
    store(database, [five(START_MS, 25)])
    condensed(database, clock)
    store(database, [five(START_MS, 3)])
    clock.at_ms = START_MS + 2 * HOUR_MS
    condensed(database, clock)
    clock.at_ms = START_MS + 101 * DAY_MS
    condensed(database, clock)
    with database.reading() as connection:
        assert [row[3] for row in hours(connection)] == [25]
        assert [row["lowest"] for row in averages_of(connection, ALL, 0, clock.now_ms())] == [25]


def test_no_hour_is_made_before_its_five_minutes_are(database: Database) -> None:
    """Both begin at a start, after hours in which no process ran."""
    clock = HandClock(START_MS + DAY_MS)
    reading = {"unit_id": "cp-1", "received_ms": START_MS + 20 * HOUR_MS, "csq": 15, "operator": VODAFONE}
    with database.writing() as connection:
        insert_new(connection, signal, [reading])
    upkeep(database, clock).roll_up_hours()
    hours_made(database, clock)
    assert count(database, signal_hourly) == 1


def test_a_restart_goes_on_with_the_hour_after_the_last(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = HandClock(START_MS + 10 * HOUR_MS)
    store(database, [five(START_MS + number * HOUR_MS, 15) for number in range(10)])
    hours_made(database, clock)
    assert count(database, signal_hourly) == 9, "the last may still be made again"
    made: list[int] = []
    monkeypatch.setattr("cloud_bridge.upkeep.make_hours", lambda _, from_ms, *__: made.append(from_ms))
    clock.advance(HOUR_MS)
    hours_made(database, clock)
    assert made == [START_MS + 9 * HOUR_MS]


def test_a_transaction_makes_averages_of_some_units_only(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """For 10,000 units at once, it blocked the recorder for more than a second (SQLite)."""
    monkeypatch.setattr(signal_averages, "ROWS_AT_ONCE", 48)
    names = [f"many-{number}" for number in range(5)]
    with database.writing() as connection:
        for name in names:
            add_unit(connection, name, 0)
        insert_new(connection, signal_5min, [five(START_MS, 15, unit_id=name) for name in names])
        groups = list(signal_averages.units_averaged(connection, START_MS, START_MS + DAY_MS))
    assert groups == [names[:2], names[2:4], names[4:]]
    hours_made(database, HandClock(START_MS + DAY_MS))
    assert count(database, signal_hourly) == 5


def test_a_unit_that_is_removed_takes_its_hours_along(database: Database) -> None:
    store(database, [five(START_MS, 15)])
    with database.writing() as connection:
        make_hours(connection, START_MS, START_MS + HOUR_MS, ["cp-1"])
        connection.execute(units.delete().where(units.c.id == "cp-1"))
        assert hours(connection) == []
