"""Are a unit's hours converted to the right spans of time, also in nights in which the clocks change?"""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cloud_bridge.charging_hours import ALL_WEEK, stored
from cloud_bridge.durations import HOUR_MS, MINUTE_MS
from cloud_bridge.readiness.hours_ahead import avoided
from firmware.charging import schedule


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo("Europe/London")).timestamp() * 1000)


def spans(hours: str, from_ms: int, until_ms: int) -> list[tuple[int, int]]:
    allowed = stored(hours)
    assert allowed is not None
    return avoided(allowed, from_ms, until_ms)


def test_nothing_is_avoided_where_any_time_will_do() -> None:
    assert avoided(ALL_WEEK, at("2026-01-15 18:00"), at("2026-01-16 07:00")) == []


@pytest.mark.parametrize(
    ("evening", "morning", "hours_between"),
    [("2026-01-15", "2026-01-16", 6), ("2026-03-28", "2026-03-29", 5), ("2026-10-24", "2026-10-25", 7)],
)
def test_hours_are_by_the_clock_on_the_wall(evening: str, morning: str, hours_between: int) -> None:
    (_, begins_ms), (ends_ms, _) = spans("mon-sun 05:30-23:30", at(f"{evening} 18:00"), at(f"{morning} 07:00"))
    assert (begins_ms, ends_ms) == (at(f"{evening} 23:30"), at(f"{morning} 05:30"))
    assert ends_ms - begins_ms == hours_between * HOUR_MS


def test_days_of_the_week_are_told_apart() -> None:
    friday, saturday = at("2026-01-16 12:00"), at("2026-01-17 12:00")
    assert spans("mon-fri 16:00-22:00", friday, saturday) == [(at("2026-01-16 16:00"), at("2026-01-16 22:00"))]
    assert spans("mon-fri 16:00-22:00", saturday, saturday + 24 * HOUR_MS) == []


NIGHTS = ("2026-01-15", "2026-03-28", "2026-10-24", "2026-10-25", "2026-12-31")
HOURS = ("mon-sun 01:15-01:45", "mon-sun 00:00-01:30 02:30-24:00", "sat 23:00-24:00; sun 00:00-01:59", "default", "off")


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(NIGHTS), st.integers(0, 24 * 60 - 1), st.integers(1, 26 * 60), st.sampled_from(HOURS))
def test_each_minute_is_as_the_unit_has_it(evening: str, from_min: int, minutes: int, hours: str) -> None:
    from_ms = at(evening) + from_min * MINUTE_MS
    found = spans(hours, from_ms, from_ms + minutes * MINUTE_MS)
    assert all(one[1] < other[0] for one, other in zip(found, found[1:], strict=False)), "in order, and apart"
    rule = schedule.read(hours)
    for at_ms in range(from_ms, from_ms + minutes * MINUTE_MS, MINUTE_MS):
        is_avoided = any(begins_ms <= at_ms < ends_ms for begins_ms, ends_ms in found)
        assert is_avoided == (schedule.avoided_until(rule, at_ms // 1000) is not None)
