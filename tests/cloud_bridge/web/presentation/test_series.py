"""Do the rows of the charts add up, by the local time of the site?"""

import random
from datetime import UTC, datetime
from itertools import pairwise

import pytest

from cloud_bridge.contact import Gap
from cloud_bridge.durations import DAY_MS, HOUR_MS, MINUTE_MS
from cloud_bridge.support.signal import Reading, SignalPoint, by_five_minutes, over_time
from cloud_bridge.web.presentation.charts import energy_bars, reach_bars, time_axis
from cloud_bridge.web.presentation.series import (
    MAX_STEPS,
    STEPS_MS,
    Slot,
    Spent,
    reaches,
    signal_steps,
    silent_by_hour,
    slots,
    spent_wh,
)

LONDON = "Europe/London"
STEP_MS = 5 * MINUTE_MS


def at_ms(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


def test_the_day_on_which_the_clock_goes_back_has_25_hours() -> None:
    found = slots(at_ms("2026-10-24T12:00"), at_ms("2026-10-27T12:00"), LONDON)
    assert [(slot.to_ms - slot.from_ms) // HOUR_MS for slot in found] == [11, 25, 24, 12]


def test_a_day_has_an_hour_twice_when_the_clock_goes_back() -> None:
    found = slots(at_ms("2026-10-24T20:30"), at_ms("2026-10-25T20:30"), LONDON)
    assert found[0].from_ms == at_ms("2026-10-24T20:30")
    assert len(found) == 25
    assert [bar.tick for bar in energy_bars(found, [], LONDON)][3:7] == ["Sun", "01:00 BST", "01:00 GMT", "02:00"]


def test_slots_are_without_gap_or_overlap() -> None:
    for days in (1, 7, 30):
        from_ms = at_ms("2026-03-20T07:11")
        found = slots(from_ms, from_ms + days * DAY_MS, "Australia/Lord_Howe")
        assert found[0].from_ms == from_ms
        assert found[-1].to_ms == from_ms + days * DAY_MS
        assert all(one.to_ms == other.from_ms for one, other in zip(found, found[1:], strict=False))


def test_silence_counts_where_it_lay_and_our_outages_do_not() -> None:
    days = [Slot(0, DAY_MS), Slot(DAY_MS, 2 * DAY_MS), Slot(2 * DAY_MS, 3 * DAY_MS)]
    silence = Gap(DAY_MS - 6 * HOUR_MS, DAY_MS + 6 * HOUR_MS)
    ours = Gap(DAY_MS + 12 * HOUR_MS, 3 * DAY_MS)
    found = reaches(days, [silence], [ours], 0)
    assert [one.share for one in found] == [0.75, 0.5, None]
    assert [one.share for one in reaches(days, [silence], [ours], DAY_MS)] == [0.5, None], "it was not there before"
    assert [bar.said for bar in reach_bars(found, "UTC")] == ["75.0%", "50.0%", "we were not listening"]


def test_a_session_is_spread_over_its_days() -> None:
    session = Spent(DAY_MS - 2 * HOUR_MS, DAY_MS + 6 * HOUR_MS, 8000)
    days = [Slot(0, DAY_MS), Slot(DAY_MS, 2 * DAY_MS)]
    assert [spent_wh(day, [session]) for day in days] == [2000, 6000]
    at_once = Spent(DAY_MS, DAY_MS, 500)
    assert [spent_wh(day, [at_once]) for day in days] == [0, 500]


def test_silence_by_the_hour_is_the_site_s_hour() -> None:
    found = silent_by_hour([Gap(at_ms("2026-07-01T05:30"), at_ms("2026-07-01T07:00"))], LONDON)
    assert {hour: ms // 60_000 for hour, ms in enumerate(found) if ms} == {6: 30, 7: 60}


def points_between(from_ms: int, to_ms: int, every_ms: int = STEP_MS) -> list[SignalPoint]:
    """Return the signal points of a unit that is heard this often."""
    readings = [
        Reading(at_ms, float(csq), "23415", csq, csq, 1)
        for at_ms in range(from_ms, to_ms, every_ms)
        for csq in [10 + at_ms // every_ms % 5]
    ]
    return over_time(readings, to_ms)


@pytest.mark.parametrize("days", [1, 7, 14, 30])
def test_whatever_the_span_the_table_stays_short(days: int) -> None:
    steps = signal_steps(points_between(0, days * DAY_MS), [], 0, days * DAY_MS)
    assert 100 < len(steps) <= MAX_STEPS
    assert steps[0].from_ms > steps[-1].from_ms
    assert 10 <= steps[0].lowest <= steps[0].mean <= steps[0].highest <= 14
    assert steps[0].networks == "Vodafone"
    assert all(newer.from_ms == older.to_ms for newer, older in pairwise(steps)), "one line without a break"


@pytest.mark.parametrize("days", [1, 7, 30])
def test_a_first_twenty_minutes_are_a_line_of_many_points(days: int) -> None:
    now_ms = at_ms("2026-11-20T12:00")
    since_ms = now_ms - 20 * MINUTE_MS
    axis = time_axis(now_ms - days * DAY_MS, since_ms, now_ms, LONDON)
    assert (axis.from_ms, axis.to_ms) == (now_ms - HOUR_MS, now_ms)
    steps = signal_steps(points_between(since_ms, now_ms, MINUTE_MS), [], axis.from_ms, axis.to_ms)
    assert len(steps) == 20
    assert (steps[-1].from_ms, steps[0].to_ms) == (since_ms, now_ms), "a third of the axis"
    assert len(slots(axis.from_ms, axis.to_ms, LONDON)) == 4
    assert [label for _, label in axis.ticks] == ["11:15", "11:30", "11:45"]


@pytest.mark.parametrize("seed", range(20))
def test_no_line_over_a_silence(seed: int) -> None:
    """Of any length, anywhere in the steps, ending in the middle of five minutes."""
    chance = random.Random(seed)
    days = chance.choice([1, 7, 14, 30])
    silences, heard, at = [], [], 0
    while at < days * DAY_MS:
        until = at + chance.randint(1, 2 * DAY_MS)
        heard += [
            Reading(ms, 17.0, "23415", 17, 17, 1)
            for ms in range(at, min(until, days * DAY_MS), chance.choice([1, 3]) * 100_000)
        ]
        at = until + chance.randint(31 * MINUTE_MS, DAY_MS)
        silences.append(Gap(heard[-1].at_ms, at))
    points = over_time(by_five_minutes(heard), days * DAY_MS)
    steps = signal_steps(points, silences, 0, days * DAY_MS)
    step_ms = next(one for one in STEPS_MS if days * DAY_MS / one <= MAX_STEPS)
    assert all(step.from_ms <= step.to_ms for step in steps)
    for silence in silences:
        if silence.to_ms - silence.from_ms >= step_ms / 2:  # otherwise it is narrower than the line
            assert not [one for one in steps if one.from_ms < silence.to_ms and one.to_ms > silence.from_ms], (
                f"seed {seed}"
            )


def test_a_day_of_the_axis_tells_the_repeated_hour_apart() -> None:
    now_ms = at_ms("2026-10-25T20:30")
    labels = [label for _, label in time_axis(now_ms - DAY_MS, 0, now_ms, LONDON).ticks]
    assert labels[2:7] == ["Sun", "01:00 BST", "01:00 GMT", "02:00", "03:00"]
    now_ms = at_ms("2026-10-25T02:00")
    labels = [label for _, label in time_axis(now_ms - 2 * HOUR_MS, 0, now_ms, LONDON).ticks]
    assert labels == ["01:15 BST", "01:30 BST", "01:45 BST", "01:00 GMT", "01:15 GMT", "01:30 GMT", "01:45 GMT"]


def test_a_month_s_days_have_their_month() -> None:
    now_ms = at_ms("2026-03-10T12:00")
    labels = [label for _, label in time_axis(now_ms - 30 * DAY_MS, 0, now_ms, LONDON).ticks]
    assert (labels[0], labels[-1], len(set(labels))) == ("9 Feb", "10 Mar", len(labels))
