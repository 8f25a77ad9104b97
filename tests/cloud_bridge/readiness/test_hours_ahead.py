"""Are the hours of a unit the right spans of time, also in nights in which the clocks change?"""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from cloud_bridge.durations import HOUR_MS
from cloud_bridge.readiness.hours_ahead import avoided
from cloud_bridge.web.presentation.hours import ALL_WEEK, stored


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
    found = spans("mon-sun 05:30-23:30", at(f"{evening} 18:00"), at(f"{morning} 07:00"))
    assert found == [
        (at(f"{evening} 05:30"), at(f"{evening} 23:30")),
        (at(f"{morning} 05:30"), at(f"{morning} 23:30")),
    ]
    assert found[1][0] - found[0][1] == hours_between * HOUR_MS


def test_days_of_the_week_are_told_apart() -> None:
    friday, saturday = at("2026-01-16 12:00"), at("2026-01-17 12:00")
    assert spans("mon-fri 16:00-22:00", friday, saturday) == [(at("2026-01-16 16:00"), at("2026-01-16 22:00"))]
    assert spans("mon-fri 16:00-22:00", saturday, saturday + 24 * HOUR_MS) == []
