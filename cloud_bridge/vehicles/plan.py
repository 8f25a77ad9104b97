""" "Ready by": calculates when charging has to begin. Pure.

The result is one command for the charge point: a pause that expires by itself. If the connection or the bridge fails, the
charge point still charges when the pause is over. The vehicle itself limits its state of charge; the plan only makes charging
begin early enough.

After the pause, the charge point follows its own charging hours, so hours in which it does not charge are not counted. The
plan also leaves time to see whether the vehicle really charges: a driver is warned at least three hours before departure.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from cloud_bridge.durations import HOUR_MS
from cloud_bridge.time_zones import zone_or_utc
from cloud_bridge.vehicles.providers.provider import Reading

EFFICIENCY = 0.88  # from the meter to the battery, single phase
TAPER_PERCENT = 95.0  # above this, vehicles charge more and more slowly
TAPER_FACTOR = 2.0
MARGIN = 1.15  # factor on the duration, for a cold battery or a reduced current
TOLD_BEFORE_MS = 3 * HOUR_MS  # before departure: the latest warning that the vehicle will not be ready
WATCHED_MS = 2 * HOUR_MS  # of charging before that warning: cold vehicles are slow at first, and some are asleep
BELIEVED_MS = 12 * HOUR_MS  # older readings are ignored, because the vehicle may have been driven since


class ChargeTarget(NamedTuple):
    """The driver's target, and what the car maker does not report."""

    hour: int  # local time at the site
    minute: int
    target_percent: float
    capacity_kwh: float
    power_kw: float


class PlanReason(StrEnum):
    """Why the charge begins when it does."""

    TIME_LEFT = "time-left"
    BATTERY_UNKNOWN = "battery-unknown"
    FULL_ENOUGH = "full-enough"
    NO_TIME = "no-time"
    WATCHED = "watched"  # charging could wait, but then a warning that the vehicle does not charge would be too late


class Plan(NamedTuple):
    """When to charge. Times are UTC in milliseconds since 1970."""

    ready_ms: int
    begin_ms: int  # not before now
    pause_ms: int  # 0 to charge at once
    because: PlanReason


def plan(
    target: ChargeTarget,
    reading: Reading | None,
    now_ms: int,
    time_zone: str,
    avoided: Sequence[tuple[int, int]] = (),
) -> Plan:
    """Return when to begin, so that the vehicle is ready at the next occurrence of this time of day. `time_zone` is an IANA
    name. `avoided` has the spans, in order, in which the charge point does not charge by its own hours."""
    ready_ms = next_time(target.hour, target.minute, now_ms, time_zone)
    if reading is None or reading.battery_percent is None or now_ms - reading.seen_ms > BELIEVED_MS:
        return Plan(ready_ms, now_ms, 0, PlanReason.BATTERY_UNKNOWN)
    needed_ms = duration_ms(reading.battery_percent, target)
    if needed_ms == 0:
        return Plan(ready_ms, now_ms, 0, PlanReason.FULL_ENOUGH)
    latest_ms = latest_begin(ready_ms, needed_ms, avoided, now_ms)
    if latest_ms <= now_ms:
        return Plan(ready_ms, now_ms, 0, PlanReason.NO_TIME)
    begin_ms = min(latest_ms, latest_begin(ready_ms - TOLD_BEFORE_MS, WATCHED_MS, avoided, now_ms))
    if begin_ms <= now_ms:
        return Plan(ready_ms, now_ms, 0, PlanReason.WATCHED)
    return Plan(ready_ms, begin_ms, begin_ms - now_ms, PlanReason.TIME_LEFT)


def duration_ms(percent: float, target: ChargeTarget) -> int:
    """Return how long charging takes from this state of charge, with the margin."""
    below = max(0.0, min(target.target_percent, TAPER_PERCENT) - percent)
    above = max(0.0, target.target_percent - max(percent, TAPER_PERCENT))
    energy_kwh = (below + above * TAPER_FACTOR) / 100 * target.capacity_kwh / EFFICIENCY
    return int(energy_kwh / target.power_kw * MARGIN * HOUR_MS)


def latest_begin(end_ms: int, needed_ms: int, avoided: Sequence[tuple[int, int]], now_ms: int) -> int:
    """Return the latest time that leaves `needed_ms` of charging before `end_ms`; `now_ms` if there is not enough time."""
    for from_ms, until_ms in reversed(avoided):
        free_ms = end_ms - max(until_ms, now_ms)
        if free_ms >= needed_ms:
            break
        if free_ms > 0:
            needed_ms -= free_ms
        end_ms = min(end_ms, from_ms)
    return max(now_ms, end_ms - needed_ms)


def next_time(hour: int, minute: int, now_ms: int, time_zone: str) -> int:
    """Return the next time with this local time of day. A time that is skipped when the clocks go forward becomes the one an
    hour later."""
    zone = zone_or_utc(time_zone)
    today = datetime.fromtimestamp(now_ms / 1000, UTC).astimezone(zone).date()
    for day in (today, today + timedelta(days=1)):
        at_ms = int(datetime(day.year, day.month, day.day, hour, minute, tzinfo=zone).timestamp() * 1000)
        if at_ms > now_ms:
            return at_ms
    return now_ms  # the clocks go back at exactly this minute
