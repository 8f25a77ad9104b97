"""Is the car ready in time, whatever the clocks do, and charged immediately if too little is known?"""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud_bridge.durations import HOUR_MS
from cloud_bridge.vehicles.plan import BELIEVED_MS, ChargeTarget, PlanReason, duration_ms, next_time, plan
from cloud_bridge.vehicles.providers.provider import Reading

ZONE = "Europe/London"
TARGET = ChargeTarget(7, 0, 80, 60, 7.4)


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(ZONE)).timestamp() * 1000)


NOW_MS = at("2026-01-15 22:00")


def test_the_charge_begins_as_late_as_it_may() -> None:
    found = plan(TARGET, Reading(NOW_MS, 50.0), NOW_MS, ZONE)
    assert found.ready_ms == at("2026-01-16 07:00")
    assert found.begin_ms == at("2026-01-16 02:00"), "to be seen for two hours before the driver has to be told"
    slow = plan(TARGET._replace(power_kw=3.7), Reading(NOW_MS, 50.0), NOW_MS, ZONE)
    hours = (slow.ready_ms - slow.begin_ms) / HOUR_MS
    assert hours == pytest.approx(0.3 * 60 / 0.88 / 3.7 * 1.15, abs=0.01)
    assert (found.pause_ms, found.because) == (found.begin_ms - NOW_MS, PlanReason.TIME_LEFT)


@pytest.mark.parametrize(
    ("reading", "because"),
    [
        (None, PlanReason.BATTERY_UNKNOWN),
        (Reading(NOW_MS), PlanReason.BATTERY_UNKNOWN),
        (Reading(NOW_MS - BELIEVED_MS - 1, 50.0), PlanReason.BATTERY_UNKNOWN),
        (Reading(NOW_MS, 0.0), PlanReason.NO_TIME),
        (Reading(NOW_MS, 80.0), PlanReason.FULL_ENOUGH),
    ],
)
def test_what_is_not_known_or_urgent_or_done_is_not_paused(reading: Reading | None, because: PlanReason) -> None:
    found = plan(TARGET._replace(power_kw=2.3), reading, NOW_MS, ZONE)
    assert (found.pause_ms, found.begin_ms, found.because) == (0, NOW_MS, because)


def test_the_hours_of_the_charge_point_are_no_time_for_charging() -> None:
    """A pause until four hours before a departure at 08:15 left 75 minutes of hours that end at 05:30."""
    late = TARGET._replace(hour=8, minute=15)
    avoided = [(at("2026-01-15 05:30"), at("2026-01-16 00:30")), (at("2026-01-16 05:30"), at("2026-01-17 00:30"))]
    found = plan(late, Reading(NOW_MS, 45.0), NOW_MS, ZONE, avoided)
    charged_ms = at("2026-01-16 05:30") - found.begin_ms
    assert charged_ms == duration_ms(45.0, late)
    far = plan(late, Reading(NOW_MS, 5.0), NOW_MS, ZONE, avoided)
    assert (far.pause_ms, far.because) == (0, PlanReason.NO_TIME), "more than the hours leave"


def test_shortly_before_it_charges_at_once_to_be_seen_in_time() -> None:
    found = plan(TARGET, Reading(at("2026-01-16 02:30"), 75.0), at("2026-01-16 02:30"), ZONE)
    assert (found.pause_ms, found.because) == (0, PlanReason.WATCHED)


def test_the_last_percent_take_longer() -> None:
    assert duration_ms(95, TARGET._replace(target_percent=100)) == pytest.approx(
        2 * duration_ms(85, TARGET._replace(target_percent=90)), rel=0.001
    )


@pytest.mark.parametrize(
    ("now", "ready"),
    [
        ("2026-01-15 06:59", "2026-01-15 07:00"),
        ("2026-01-15 07:00", "2026-01-16 07:00"),
        ("2026-03-28 22:00", "2026-03-29 07:00"),  # a night that is an hour shorter
        ("2026-10-24 22:00", "2026-10-25 07:00"),  # a night that is an hour longer
    ],
)
def test_ready_is_by_the_clock_on_the_wall(now: str, ready: str) -> None:
    assert next_time(7, 0, at(now), ZONE) == at(ready)


@given(
    now_ms=st.integers(0, 4_000_000_000_000),
    hour=st.integers(0, 23),
    minute=st.integers(0, 59),
    percent=st.floats(0, 100),
    target=st.floats(20, 100),
    kwh=st.floats(5, 250),
    kw=st.floats(1, 22),
)
def test_no_plan_waits_longer_than_until_it_has_to_be_ready(
    now_ms: int, hour: int, minute: int, percent: float, target: float, kwh: float, kw: float
) -> None:
    found = plan(ChargeTarget(hour, minute, target, kwh, kw), Reading(now_ms, percent), now_ms, ZONE)
    assert now_ms <= found.begin_ms <= found.ready_ms <= now_ms + 26 * HOUR_MS
    assert found.pause_ms == found.begin_ms - now_ms
