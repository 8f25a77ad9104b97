"""Do the rows that charts draw add up, on the clock of the site?"""

from datetime import UTC, datetime

import pytest

from cloud_bridge.contact import Gap
from cloud_bridge.durations import DAY_MS, HOUR_MS
from cloud_bridge.support.signal import SignalPoint
from cloud_bridge.web.presentation.charts import energy_bars, reach_bars
from cloud_bridge.web.presentation.series import (
    MAX_STEPS,
    Slot,
    Spent,
    reaches,
    signal_steps,
    silent_by_hour,
    slots,
    spent_wh,
)

LONDON = "Europe/London"


def at_ms(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


def test_the_day_on_which_the_clock_goes_back_has_25_hours() -> None:
    found = slots(at_ms("2026-10-24T12:00"), at_ms("2026-10-27T12:00"), LONDON)
    assert [(slot.to_ms - slot.from_ms) // HOUR_MS for slot in found] == [11, 25, 24, 12]


def test_a_day_has_an_hour_twice_when_the_clock_goes_back() -> None:
    found = slots(at_ms("2026-10-24T20:30"), at_ms("2026-10-25T20:30"), LONDON)
    assert found[0].from_ms == at_ms("2026-10-24T20:30")
    assert len(found) == 25
    assert [bar.tick for bar in energy_bars(found, [], LONDON)][3:7] == ["00", "01 BST", "01 GMT", "02"]


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


@pytest.mark.parametrize("days", [1, 7, 14, 30])
def test_whatever_the_span_the_table_stays_short(days: int) -> None:
    points = [
        SignalPoint(at_ms, 300_000, csq, "23415", csq, csq)
        for at_ms in range(0, days * DAY_MS, 300_000)
        for csq in [10 + at_ms // 300_000 % 5]
    ]
    steps = signal_steps(points, 0, days * DAY_MS)
    assert 100 < len(steps) <= MAX_STEPS
    assert steps[0].from_ms > steps[-1].from_ms
    assert 10 <= steps[0].lowest <= steps[0].mean <= steps[0].highest <= 14
    assert steps[0].networks == "Vodafone"
