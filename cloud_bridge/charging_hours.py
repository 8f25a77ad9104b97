"""Charging hours in the format of the unit: days and the times to avoid, such as `mon-sun 05:30-23:30`. Pure.

Parsed hours are an integer with one bit for each of the 10,080 minutes of a week from Monday 00:00, set if charging is
allowed (as in firmware/charging/schedule.py). The unit uses British time (firmware/charging/uk_time.py).
"""

import re
from typing import Any

DEFAULT, OFF = "default", "off"  # the unit's words for the default hours, and for no times to avoid
DEFAULT_AVOIDS = "mon-fri 08:00-11:00 16:00-22:00"  # SI 2021/1467, regulation 10 (from memory, unverified)
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
DAY_MIN, WEEK_MIN = 24 * 60, 7 * 24 * 60
ALL_DAY, ALL_WEEK = (1 << DAY_MIN) - 1, (1 << WEEK_MIN) - 1
# The unit's limits (firmware/storage/bounds.py, firmware/charging/schedule.py). Two windows a day never exceed them.
LONGEST_TEXT, LONGEST_LIST = 200, 24

_DAY = "|".join(DAYS)
_TIME = r"(?:[01]\d|2[0-3]):[0-5]\d|24:00"
_PART = re.compile(rf"({_DAY})(?:-({_DAY}))?((?: +(?:{_TIME})-(?:{_TIME}))+)", re.ASCII)


def stored(hours: Any) -> int | None:
    """Return the minutes of the week in which the unit charges with these hours, or None if it would refuse them."""
    if not isinstance(hours, str) or len(hours) > LONGEST_TEXT:
        return None
    if hours == OFF:
        return ALL_WEEK
    avoided, count = 0, 0
    for part in (DEFAULT_AVOIDS if hours == DEFAULT else hours).split(";"):
        match = _PART.fullmatch(part.strip())
        if match is None:
            return None
        first = DAYS.index(match[1])
        days = range(first, DAYS.index(match[2] or match[1]) + 1)
        for span in match[3].split():
            begin, end = (int(time[:2]) * 60 + int(time[3:]) for time in span.split("-"))
            if end <= begin or not days:
                return None
            count += 1
            for day in days:
                avoided |= minutes_of_week(day * DAY_MIN + begin, end - begin)
    return ALL_WEEK & ~avoided if count <= LONGEST_LIST else None


def minutes_of_week(begin: int, length: int) -> int:
    """Return the bits of `length` minutes from minute `begin` of the week. They wrap from Sunday to Monday."""
    found = ((1 << length) - 1) << begin
    return (found | found >> WEEK_MIN) & ALL_WEEK


def runs(minutes: int) -> list[tuple[int, int]]:
    """Return the runs of set bits, each as (begin, end); the end is exclusive."""
    found, at = [], 0
    while minutes:
        skipped = (minutes & -minutes).bit_length() - 1
        minutes >>= skipped
        length = (~minutes & minutes + 1).bit_length() - 1
        minutes >>= length
        found.append((at + skipped, at + skipped + length))
        at += skipped + length
    return found
