"""Time zones of sites, by their IANA names. The tz database of each machine determines which names are known."""

from datetime import UTC, date, datetime, time, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cloud_bridge.durations import DAY_MS
from cloud_bridge.words import formats

BRITISH = "Europe/London"
# The zones of Great Britain, and of the islands that share its time, its currency and its miles.
GREAT_BRITAIN = frozenset(
    {BRITISH, "Europe/Belfast", "Europe/Guernsey", "Europe/Isle_of_Man", "Europe/Jersey", "GB", "GB-Eire"}
)
UNKNOWN = "UTC"  # shown instead of a zone that this machine does not know
HALF_A_YEAR_MS = 182 * DAY_MS


@lru_cache(maxsize=1000)
def zone_of(name: str) -> tzinfo | None:
    """Return the zone, or None if this machine does not know it: its tz database may be older, or missing."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):  # ValueError: not a valid name. OSError: the name of a folder
        return UTC if name == UNKNOWN else None


def zone_or_utc(name: str) -> tzinfo:
    return zone_of(name) or UTC


def local_time(at_ms: int, time_zone: str) -> datetime:
    """Return a time in the time zone of the site, or in UTC if the zone is not known."""
    return datetime.fromtimestamp(at_ms / 1000, UTC).astimezone(zone_or_utc(time_zone))


def is_british_time(time_zone: str, at_ms: int) -> bool:
    """Return whether the zone has British time, both at `at_ms` and half a year later."""
    return all(
        local_time(ms, time_zone).utcoffset() == local_time(ms, BRITISH).utcoffset()
        for ms in (at_ms, at_ms + HALF_A_YEAR_MS)
    )


def happens_twice(local: datetime) -> bool:
    """Return whether this local time occurs twice, because clocks are set back in between."""
    return local.replace(fold=0).utcoffset() != local.replace(fold=1).utcoffset()


def which(local: datetime, time_zone: str) -> str:
    """Return the suffix that makes a local time unambiguous: " BST", or " GMT" an hour later. It is empty if the time
    occurs once, and " UTC" if the zone is not known."""
    if zone_of(time_zone) is None:
        return f" {UNKNOWN}"
    if not happens_twice(local):
        return ""
    names = {local.replace(fold=fold).tzname() for fold in (0, 1)}
    return f" {local:%Z}" if len(names) == 2 else f" {local:%z}"


def at_ms(day: date, at: time, time_zone: str) -> int | None:
    """Convert a local date and time of the site to UTC milliseconds. Return the first moment if the local time occurs
    twice, or None if it does not occur."""
    local = datetime.combine(day, at, zone_or_utc(time_zone))
    found_ms = int(local.timestamp() * 1000)
    return found_ms if local_time(found_ms, time_zone).replace(tzinfo=None) == local.replace(tzinfo=None) else None


def span(from_ms: int, until_ms: int, time_zone: str) -> str:
    """Format a span of time: Tue 5 Nov, 9:00 to 12:00. A local time that occurs twice gets a suffix (`which`)."""
    begins, ends = local_time(from_ms, time_zone), local_time(until_ms, time_zone)
    first = f"{formats.weekday_day(begins)}, {begins.hour}:{begins:%M}{which(begins, time_zone)}"
    last = f"{ends.hour}:{ends:%M}{which(ends, time_zone)}"
    same_day = begins.date() == ends.date()
    return formats.from_to(first, last if same_day else f"{formats.weekday_day(ends)}, {last}")
