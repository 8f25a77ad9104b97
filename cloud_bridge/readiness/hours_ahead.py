"""The unit's hours as spans of time: when it does not charge between two moments. Pure."""

from datetime import UTC, datetime

from cloud_bridge.charging_hours import ALL_WEEK, DAY_MIN, WEEK_MIN, runs
from cloud_bridge.durations import HOUR_MS, MINUTE_MS
from cloud_bridge.readiness.facts import Span
from cloud_bridge.time_zones import BRITISH, zone_or_utc

HOUR_MIN = 60
AN_HOUR = (1 << HOUR_MIN) - 1


def avoided(allowed: int, from_ms: int, until_ms: int) -> list[Span]:
    """`allowed` is a week of charging_hours.py. Spans are in order and do not touch. They are looked for by whole hours, from
    the one before `from_ms` on, so the first may begin and the last may end outside of the time that was asked for."""
    week = ~allowed & ALL_WEEK
    twice = week | week << WEEK_MIN  # an hour may go on after Sunday
    first_ms = from_ms - from_ms % HOUR_MS - HOUR_MS
    minutes = 0
    for number, hour_ms in enumerate(range(first_ms, until_ms, HOUR_MS)):
        minutes |= (twice >> _minute_of_week(hour_ms) & AN_HOUR) << number * HOUR_MIN
    spans = [(first_ms + begin * MINUTE_MS, first_ms + end * MINUTE_MS) for begin, end in runs(minutes)]
    return [(begins_ms, ends_ms) for begins_ms, ends_ms in spans if ends_ms > from_ms and begins_ms < until_ms]


def _minute_of_week(at_ms: int) -> int:
    """By British time, whose clocks change at whole hours of UTC alone."""
    local = datetime.fromtimestamp(at_ms / 1000, UTC).astimezone(zone_or_utc(BRITISH))
    return local.weekday() * DAY_MIN + local.hour * HOUR_MIN + local.minute
