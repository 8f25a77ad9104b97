"""Is the signal's evidence weighted by time, whatever the readings: averages, single ones, many or few?"""

import random

import pytest

from cloud_bridge.durations import DAY_MS, HOUR_MS, MINUTE_MS
from cloud_bridge.store.database import Database
from cloud_bridge.store.ownership import Period
from cloud_bridge.store.signal_averages import roll_up_signal
from cloud_bridge.store.tables import signal
from cloud_bridge.store.upsert import insert_new
from cloud_bridge.support.evidence import signal_points
from cloud_bridge.support.signal import (
    FIVE_MINUTES_MS,
    HOLD_MS,
    Reading,
    SignalPoint,
    by_five_minutes,
    over_time,
    summary,
)

NOW_MS = 1_767_225_600_000  # 2026-01-01T00:00:00Z
VODAFONE, EE = "23415", "23430"


def single(at_ms: int, csq: int, operator: str = VODAFONE) -> Reading:
    return Reading(at_ms, float(csq), operator, csq, csq, 1)


def every(step_ms: int, from_ms: int, to_ms: int, csq: int) -> list[Reading]:
    return [single(at_ms, csq) for at_ms in range(from_ms, to_ms, step_ms)]


def test_weak_share_is_of_time_when_a_charging_unit_sends_more_often() -> None:
    """Nine idle hours with a good signal, and one of charging with a weak one: a tenth, however many heartbeats."""
    readings = every(5 * MINUTE_MS, 0, 9 * HOUR_MS, 20) + every(MINUTE_MS, 9 * HOUR_MS, 10 * HOUR_MS, 9)
    found = summary(over_time(readings, 10 * HOUR_MS))
    assert found.weak_share == pytest.approx(0.1)
    assert found.measured_ms == 10 * HOUR_MS
    assert (found.typical_csq, found.weakest_csq, found.latest_csq) == (20, 9, 9)


def test_median_is_over_time() -> None:
    readings = every(5 * MINUTE_MS, 0, 6 * HOUR_MS, 10) + every(10_000, 6 * HOUR_MS, 10 * HOUR_MS, 25)
    assert summary(over_time(readings, 10 * HOUR_MS)).typical_csq == 10


def test_weakest_is_a_reading_and_no_average() -> None:
    made = by_five_minutes([single(0, 3), single(60_000, 25), single(120_000, 26)])
    assert summary(over_time(made, HOUR_MS)).weakest_csq == 3


def test_a_pause_is_not_measured() -> None:
    found = over_time([single(0, 9), single(HOLD_MS + 1, 20), single(HOLD_MS + MINUTE_MS + 1, 20)], DAY_MS)
    assert [point.lasting_ms for point in found] == [FIVE_MINUTES_MS, MINUTE_MS, FIVE_MINUTES_MS]


def test_networks_share_the_time_of_their_average() -> None:
    made = by_five_minutes([single(0, 10), single(60_000, 20, EE), single(120_000, 20, EE), single(180_000, 20, EE)])
    found = summary(over_time(made, FIVE_MINUTES_MS)).networks
    assert [(network.operator, network.share) for network in found] == [(EE, 0.75), (VODAFONE, 0.25)]


def test_nothing_measured_has_no_figures() -> None:
    found = summary([])
    assert (found.typical_csq, found.weakest_csq, found.latest_csq, found.weak_share) == (None, None, None, 0.0)
    assert found.networks == []


@pytest.mark.parametrize("seed", range(8))
def test_evidence_does_not_depend_on_how_far_averages_are_made(database: Database, seed: int) -> None:
    chance = random.Random(seed)
    rows, at_ms = [], NOW_MS - 20 * HOUR_MS
    while at_ms < NOW_MS:
        rows.append((at_ms, chance.randint(0, 31), chance.choice([VODAFONE, VODAFONE, EE, ""])))
        at_ms += chance.choice([5_000, MINUTE_MS, 5 * MINUTE_MS, 12 * MINUTE_MS, 2 * HOUR_MS])
    names = ("received_ms", "csq", "operator")
    with database.writing() as connection:
        insert_new(connection, signal, [{"unit_id": "cp-1"} | dict(zip(names, row, strict=True)) for row in rows])
        buckets = sorted({at_ms - at_ms % FIVE_MINUTES_MS for at_ms, *_ in rows if at_ms < NOW_MS})
        seen = []
        for upto in (0, chance.randrange(len(buckets)), len(buckets)):
            for bucket in buckets[:upto]:
                roll_up_signal(connection, bucket, bucket + FIVE_MINUTES_MS, ["cp-1"])
            points = signal_points(connection, Period("cp-1", 0, 0), NOW_MS - DAY_MS, NOW_MS)
            seen.append([(*point[:2], round(point.lasting_ms, 3), round(point.csq, 6), *point[4:]) for point in points])
    assert seen[0] == seen[1] == seen[2], f"seed {seed}"
    assert len(seen[0]) >= len(buckets) > 1


def test_a_short_time_has_every_reading(database: Database) -> None:
    rows = [
        {"unit_id": "cp-1", "received_ms": at_ms, "csq": 17, "operator": ""}
        for at_ms in range(NOW_MS - HOUR_MS, NOW_MS, MINUTE_MS)
    ]
    with database.writing() as connection:
        insert_new(connection, signal, rows)
        roll_up_signal(connection, NOW_MS - DAY_MS, NOW_MS, ["cp-1"])
        found = signal_points(connection, Period("cp-1", 0, 0), NOW_MS - HOUR_MS, NOW_MS)
    assert len(found) == 60
    assert found[0] == SignalPoint(NOW_MS - HOUR_MS, NOW_MS - HOUR_MS + MINUTE_MS, MINUTE_MS, 17.0, "", 17, 17)
