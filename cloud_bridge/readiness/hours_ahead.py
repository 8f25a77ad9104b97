"""The unit's charging hours as spans of time: when it does not charge between two times. Pure."""

from datetime import UTC, datetime

from cloud_bridge.charging_hours import ALL_WEEK, DAY_MIN, WEEK_MIN, runs
from cloud_bridge.durations import HOUR_MS, MINUTE_MS
from cloud_bridge.readiness.facts import Span
from cloud_bridge.time_zones import BRITISH, zone_or_utc

HOUR_MIN = 60
AN_HOUR = (1 << HOUR_MIN) - 1


def avoided(allowed: int, from_ms: int, until_ms: int) -> list[Span]:
    """Return the spans. `allowed` is a week mask (charging_hours.py). The spans are in order and do not touch. They are
    calculated in whole hours from the one before `from_ms`, so the first may begin and the last may end outside the requested
    time."""
    week = ~allowed & ALL_WEEK
    twice = week | week << WEEK_MIN  # an hour may continue after Sunday
    first_ms = from_ms - from_ms % HOUR_MS - HOUR_MS
    minutes = 0
    for number, hour_ms in enumerate(range(first_ms, until_ms, HOUR_MS)):
        minutes |= (twice >> _minute_of_week(hour_ms) & AN_HOUR) << number * HOUR_MIN
    spans = [(first_ms + begin * MINUTE_MS, first_ms + end * MINUTE_MS) for begin, end in runs(minutes)]
    return [(begins_ms, ends_ms) for begins_ms, ends_ms in spans if ends_ms > from_ms and begins_ms < until_ms]


def _minute_of_week(at_ms: int) -> int:
    """Return the minute of the week in British time, whose changes fall on whole hours of UTC."""
    local = datetime.fromtimestamp(at_ms / 1000, UTC).astimezone(zone_or_utc(BRITISH))
    return local.weekday() * DAY_MIN + local.hour * HOUR_MIN + local.minute
