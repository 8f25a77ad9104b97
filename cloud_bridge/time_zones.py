"""Time zones of sites, by their IANA names. Which names are known is a matter of each machine's tz database."""

from datetime import UTC, datetime, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

UNKNOWN = "UTC"  # what is shown instead of a zone that this machine does not know


@lru_cache(maxsize=1000)
def zone_of(name: str) -> tzinfo | None:
    """None: this machine does not know it, as after a move to one with an older tz database, or without any."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):  # the last two: no name at all, and the name of a folder
        return UTC if name == UNKNOWN else None


def zone_or_utc(name: str) -> tzinfo:
    return zone_of(name) or UTC


def local_time(at_ms: int, time_zone: str) -> datetime:
    """On the clock of the site; UTC where its zone is not known."""
    return datetime.fromtimestamp(at_ms / 1000, UTC).astimezone(zone_or_utc(time_zone))


def happens_twice(local: datetime) -> bool:
    """Whether the clock on the wall shows this time twice, because it is set back in between."""
    return local.replace(fold=0).utcoffset() != local.replace(fold=1).utcoffset()


def which(local: datetime, time_zone: str) -> str:
    """What tells a time from its double, to be put behind it: " BST", or " GMT" an hour later. Empty where there is none;
    " UTC" where the zone is not known."""
    if zone_of(time_zone) is None:
        return f" {UNKNOWN}"
    if not happens_twice(local):
        return ""
    names = {local.replace(fold=fold).tzname() for fold in (0, 1)}
    return f" {local:%Z}" if len(names) == 2 else f" {local:%z}"
