"""The hours of charging: as a person says them, as the unit stores them, and in words. Pure.

A person says when to charge, in windows that may cross midnight: "from 23:30 to 05:30". The unit stores when not to charge,
within days: `mon-sun 05:30-23:30` (firmware/charging/schedule.py). Between the two stands the week as it is: a number with a
bit for each of its 10,080 minutes, set where charging is allowed. A window belongs to the day on which it begins, so that
Friday's window ends on Saturday morning.

Nothing else is kept than what the unit stores: `said` finds the windows that mean exactly that, or none, and then the page
says which hours are avoided.
"""

import re
from functools import lru_cache
from itertools import combinations
from typing import Any, NamedTuple

DEFAULT, OFF = "default", "off"  # as the unit writes them
DEFAULT_AVOIDS = "mon-fri 08:00-11:00 16:00-22:00"  # SI 2021/1467, regulation 10 (from memory, unverified)
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
DAY_NAMES = ("Mondays", "Tuesdays", "Wednesdays", "Thursdays", "Fridays", "Saturdays", "Sundays")
DAY_MIN, WEEK_MIN = 24 * 60, 7 * 24 * 60
ALL_DAY, ALL_WEEK = (1 << DAY_MIN) - 1, (1 << WEEK_MIN) - 1
WEEKDAYS, WEEKEND = range(5), range(5, 7)
MAX_WINDOWS = 2  # of a weekday, and of a day of the weekend
MOST_EDGES = 4 * MAX_WINDOWS + 1  # where those begin and end, and midnight; what has more is not looked through
# What the unit takes (firmware/storage/bounds.py, firmware/charging/schedule.py). Two windows a day are never longer.
LONGEST_TEXT, LONGEST_LIST = 200, 24

_DAY = "|".join(DAYS)
_TIME = r"(?:[01]\d|2[0-3]):[0-5]\d|24:00"
_PART = re.compile(rf"({_DAY})(?:-({_DAY}))?((?: +(?:{_TIME})-(?:{_TIME}))+)", re.ASCII)


class Window(NamedTuple):
    """Minutes of the day. It ends on the next day unless `end` is later than `begin`, after 24 hours if they are the same."""

    begin: int
    end: int

    def __str__(self) -> str:
        if self == WHOLE_DAY:
            return "the whole day"
        return f"{clock(self.begin)} to {clock(self.end)}{' the next day' if self.begin == self.end else ''}"


WHOLE_DAY = Window(0, 0)


class Windows(NamedTuple):
    """When to charge, by the day on which a window begins."""

    weekdays: tuple[Window, ...]
    weekend: tuple[Window, ...]


def clock(minute: int) -> str:
    return f"{minute // 60:02d}:{minute % 60:02d}"


def week(windows: Windows) -> int:
    """The minutes of the week, from Monday 00:00 on, in which charging is allowed."""
    found = 0
    for days, of_day in ((WEEKDAYS, windows.weekdays), (WEEKEND, windows.weekend)):
        for window in of_day:
            found |= _on(days, window)
    return found


def written(windows: Windows) -> str:
    """The hours to avoid, as the unit stores them."""
    avoided = ALL_WEEK & ~week(windows)
    parts: list[tuple[str, str]] = []  # first day, hours; days in a row with the same hours are one part
    last: list[str] = []
    for day, name in enumerate(DAYS):
        hours = " ".join(f"{clock(begin)}-{clock(end)}" for begin, end in _spans(avoided >> day * DAY_MIN & ALL_DAY))
        if day and parts[-1][1] == hours:
            last[-1] = name
        else:
            parts.append((name, hours))
            last.append(name)
    days = [first if first == end else f"{first}-{end}" for (first, _), end in zip(parts, last, strict=True)]
    return "; ".join(f"{name} {hours}" for name, (_, hours) in zip(days, parts, strict=True) if hours) or OFF


def stored(hours: Any) -> int | None:
    """The minutes of the week in which the unit charges with these hours; None for what it would refuse."""
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
                avoided |= _minutes(day * DAY_MIN + begin, end - begin)
    return ALL_WEEK & ~avoided if count <= LONGEST_LIST else None


@lru_cache(maxsize=1000)
def said(hours: str) -> Windows | None:
    """The fewest windows that mean these stored hours; None if there are none, or the hours are not valid."""
    allowed = stored(hours)
    if allowed is None or not allowed:
        return None
    edges = sorted({0, *(minute % DAY_MIN for span in _spans(allowed) for minute in span)})
    if len(edges) > MOST_EDGES:
        return None
    every = [Window(begin, end) for begin in edges for end in edges]
    by_day = []
    for days in (WEEKDAYS, WEEKEND):
        fit = [(one, mask) for one in every if not (mask := _on(days, one)) & ~allowed]
        choices: list[tuple[tuple[Window, ...], int]] = [((), 0), *(((one,), mask) for one, mask in fit)]
        choices += [((one, two), mask | more) for (one, mask), (two, more) in combinations(fit, MAX_WINDOWS)]
        # The first of these days may be charged in a window of the day before; the others have no other windows.
        needed = allowed & sum(ALL_DAY << day * DAY_MIN for day in days[1:])
        by_day.append([choice for choice in choices if not needed & ~choice[1]])
    for weekdays, some in by_day[0]:
        for weekend, more in sorted(by_day[1], key=lambda choice: choice[0] != weekdays):
            if some | more == allowed:
                return Windows(tuple(sorted(weekdays)), tuple(sorted(weekend)))
    return None


def in_words(hours: str | None) -> str:
    """As the person would say it. `hours`: valid, as stored by the unit; None: not chosen from here."""
    if hours is None:
        return "Not chosen from here yet"
    if hours == OFF:
        return "Any time"
    if hours == DEFAULT:
        return f"Any time but weekday peaks: not {_avoided(hours)}"
    windows = said(hours)
    if windows is None or any(one.begin == one.end != 0 for one in (*windows.weekdays, *windows.weekend)):
        return f"Any time, but not {_avoided(hours)}"
    if windows.weekdays == windows.weekend:
        return f"Every day, {_listed(windows.weekdays)}"
    return f"Weekdays, {_listed(windows.weekdays)}; weekends, {_listed(windows.weekend)}"


def peaks() -> str:
    """What the default of the law avoids, in words."""
    return _avoided(DEFAULT)


def _listed(windows: tuple[Window, ...]) -> str:
    return " and ".join(map(str, windows)) or "not at all"


def _avoided(hours: str) -> str:
    names = {"mon-fri": "on weekdays", "sat-sun": "at weekends", "mon-sun": "on any day"}
    found = []
    for part in (DEFAULT_AVOIDS if hours == DEFAULT else hours).split(";"):
        days, *spans = part.split()
        first, _, last = days.partition("-")
        begin, end = (DAY_NAMES[DAYS.index(name)] for name in (first, last or first))
        when = names.get(days) or (f"on {begin}" if begin == end else f"on {begin} to {end}")
        found.append(f"{' or '.join(span.replace('-', ' to ') for span in spans)} {when}")
    return ", nor ".join(found)


def _on(days: range, window: Window) -> int:
    length = (window.end - window.begin - 1) % DAY_MIN + 1
    found = 0
    for day in days:
        found |= _minutes(day * DAY_MIN + window.begin, length)
    return found


def _minutes(begin: int, length: int) -> int:
    """So many minutes of the week from `begin` on; what is after Sunday is on Monday."""
    found = ((1 << length) - 1) << begin
    return (found | found >> WEEK_MIN) & ALL_WEEK


def _spans(minutes: int) -> list[tuple[int, int]]:
    """The runs of bits that are set, each with its begin and end."""
    found, at = [], 0
    while minutes:
        skipped = (minutes & -minutes).bit_length() - 1
        minutes >>= skipped
        length = (~minutes & minutes + 1).bit_length() - 1
        minutes >>= length
        found.append((at + skipped, at + skipped + length))
        at += skipped + length
    return found
