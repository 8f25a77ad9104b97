"""A second parser of the hours to avoid, for the checks: it shares no code with the product. Pure."""

from datetime import datetime
from zoneinfo import ZoneInfo

HERE = ZoneInfo("Europe/London")
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
DEFAULT = "mon-fri 08:00-11:00 16:00-22:00"
NONE = ("", "off")


def avoids(text: str, at_s: float) -> bool:
    """Return whether a schedule, in the format of the setting, avoids `at_s` (UTC, s since 1970). Raise ValueError."""
    if text in NONE:
        return False
    local = datetime.fromtimestamp(at_s, HERE)
    minute = local.hour * 60 + local.minute
    return any(
        _first(days) <= local.weekday() <= _last(days) and begin <= minute < end
        for part in (DEFAULT if text == "default" else text).split(";")
        for days, *spans in [part.split()]
        for begin, end in map(_minutes, spans)
    )


def _first(days: str) -> int:
    return DAYS.index(days.split("-")[0])


def _last(days: str) -> int:
    return DAYS.index(days.split("-")[-1])


def _minutes(span: str) -> tuple[int, int]:
    begin, end = ((60 * int(one[:2]) + int(one[3:])) for one in span.split("-"))
    return begin, end
