"""The unit's hours as spans of time: when it does not charge between two moments. Pure."""

from datetime import UTC, date, datetime, timedelta

from cloud_bridge.readiness.facts import Span
from cloud_bridge.time_zones import BRITISH, zone_or_utc

DAY_MIN = 24 * 60
ALL_DAY = (1 << DAY_MIN) - 1


def avoided(allowed: int, from_ms: int, until_ms: int) -> list[Span]:
    """`allowed` has a bit for each minute of the week from Monday 00:00 on, as web/presentation/hours.py makes it; the unit
    goes by British time (firmware/charging/uk_time.py). Spans are in order; the first may begin before `from_ms`, and the
    last may end after `until_ms`."""
    found: list[Span] = []
    day = datetime.fromtimestamp(from_ms / 1000, UTC).astimezone(zone_or_utc(BRITISH)).date()
    while _at_ms(day, 0) < until_ms:
        minutes, at = ~(allowed >> day.weekday() * DAY_MIN) & ALL_DAY, 0
        while minutes:
            skipped = (minutes & -minutes).bit_length() - 1
            minutes >>= skipped
            length = (~minutes & minutes + 1).bit_length() - 1
            minutes >>= length
            found.append((_at_ms(day, at + skipped), _at_ms(day, at + skipped + length)))
            at += skipped + length
        day += timedelta(days=1)
    return [(begins_ms, ends_ms) for begins_ms, ends_ms in found if ends_ms > from_ms and begins_ms < until_ms]


def _at_ms(day: date, minute: int) -> int:
    """By the clock on the wall. A time that is skipped in spring is the one an hour later; of two in autumn, the first."""
    day += timedelta(days=minute // DAY_MIN)
    local = datetime(day.year, day.month, day.day, minute % DAY_MIN // 60, minute % 60, tzinfo=zone_or_utc(BRITISH))
    return int(local.timestamp()) * 1000
