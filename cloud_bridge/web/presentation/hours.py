"""Charging hours: converted between a person's windows and the unit's format, and in words. Pure.

A person chooses when to charge, in windows that may cross midnight, such as 23:30 to 05:30. A window belongs to the day on
which it begins, so Friday's window ends on Saturday morning. The two forms are converted through a bit mask of the minutes of
the week (charging_hours.py).

Only the unit's format is stored. `said` finds windows that mean exactly the same. If there are none, the page lists the
avoided hours instead.
"""

from functools import lru_cache, reduce
from itertools import combinations
from typing import NamedTuple

from cloud_bridge.charging_hours import (
    ALL_DAY,
    ALL_WEEK,
    DAY_MIN,
    DAYS,
    DEFAULT,
    DEFAULT_AVOIDS,
    OFF,
    minutes_of_week,
    runs,
    stored,
)
from cloud_bridge.words import N_
from cloud_bridge.words import gettext as _

DAY_NAMES = (
    N_("Mondays"),
    N_("Tuesdays"),
    N_("Wednesdays"),
    N_("Thursdays"),
    N_("Fridays"),
    N_("Saturdays"),
    N_("Sundays"),
)
AVOIDED_ON = {
    "mon-fri": N_("{hours} on weekdays"),
    "sat-sun": N_("{hours} at weekends"),
    "mon-sun": N_("{hours} on any day"),
}
WEEKDAYS, WEEKEND = range(5), range(5, 7)
MAX_WINDOWS = 2  # for weekdays, and for the weekend
MOST_EDGES = 4 * MAX_WINDOWS + 1  # begin and end of each window, and midnight; more edges are not searched


class Window(NamedTuple):
    """A window in minutes of the day. It ends on the next day unless `end` is later than `begin`; if both are the same, it
    lasts 24 hours."""

    begin: int
    end: int

    def __str__(self) -> str:
        if self == WHOLE_DAY:
            return _("the whole day")
        text = _("{begin} to {end} the next day") if self.begin == self.end else _("{begin} to {end}")
        return text.format(begin=clock(self.begin), end=clock(self.end))


WHOLE_DAY = Window(0, 0)


class Windows(NamedTuple):
    """When to charge, by the day on which a window begins."""

    weekdays: tuple[Window, ...]
    weekend: tuple[Window, ...]


def clock(minute: int) -> str:
    return f"{minute // 60:02d}:{minute % 60:02d}"


def week(windows: Windows) -> int:
    """Return the minutes of the week, from Monday 00:00, in which charging is allowed, as a bit mask."""
    found = 0
    for days, of_day in ((WEEKDAYS, windows.weekdays), (WEEKEND, windows.weekend)):
        for window in of_day:
            found |= _on(days, window)
    return found


def written(windows: Windows) -> str:
    """Return the avoided hours in the unit's format."""
    avoided = ALL_WEEK & ~week(windows)
    parts: list[tuple[str, str]] = []  # first day and hours; consecutive days with the same hours are one part
    last: list[str] = []
    for day, name in enumerate(DAYS):
        hours = " ".join(f"{clock(begin)}-{clock(end)}" for begin, end in runs(avoided >> day * DAY_MIN & ALL_DAY))
        if day and parts[-1][1] == hours:
            last[-1] = name
        else:
            parts.append((name, hours))
            last.append(name)
    days = [first if first == end else f"{first}-{end}" for (first, _), end in zip(parts, last, strict=True)]
    return "; ".join(f"{name} {hours}" for name, (_, hours) in zip(days, parts, strict=True) if hours) or OFF


@lru_cache(maxsize=1000)
def said(hours: str) -> Windows | None:
    """Return the fewest windows that mean the same as the stored hours. Return None if there are none, or if the hours are
    invalid."""
    allowed = stored(hours)
    if allowed is None or not allowed:
        return None
    edges = sorted({0, *(minute % DAY_MIN for span in runs(allowed) for minute in span)})
    if len(edges) > MOST_EDGES:
        return None
    every = [Window(begin, end) for begin in edges for end in edges]
    by_day = []
    for days in (WEEKDAYS, WEEKEND):
        fit = [(one, mask) for one in every if not (mask := _on(days, one)) & ~allowed]
        choices: list[tuple[tuple[Window, ...], int]] = [((), 0), *(((one,), mask) for one, mask in fit)]
        choices += [((one, two), mask | more) for (one, mask), (two, more) in combinations(fit, MAX_WINDOWS)]
        # On the first of these days, a window of the day before may still be open; the other days have only their own windows.
        needed = allowed & sum(ALL_DAY << day * DAY_MIN for day in days[1:])
        by_day.append([choice for choice in choices if not needed & ~choice[1]])
    for weekdays, some in by_day[0]:
        for weekend, more in sorted(by_day[1], key=lambda choice: choice[0] != weekdays):
            if some | more == allowed:
                return Windows(tuple(sorted(weekdays)), tuple(sorted(weekend)))
    return None


def in_words(hours: str | None) -> str:
    """Return the hours in words. `hours` has to be valid, in the unit's format, or None if no hours were chosen from the
    cloud."""
    if hours is None:
        return _("Not chosen from here yet")
    if hours == OFF:
        return _("Any time")
    if hours == DEFAULT:
        return _("Any time but weekday peaks: not {hours}").format(hours=_avoided(hours))
    windows = said(hours)
    if windows is None or any(one.begin == one.end != 0 for one in (*windows.weekdays, *windows.weekend)):
        return _("Any time, but not {hours}").format(hours=_avoided(hours))
    if windows.weekdays == windows.weekend:
        return _("Every day, {hours}").format(hours=_listed(windows.weekdays))
    text = _("Weekdays, {hours}; weekends, {weekend}")
    return text.format(hours=_listed(windows.weekdays), weekend=_listed(windows.weekend))


def peaks() -> str:
    """Return the hours that the statutory default avoids, in words."""
    return _avoided(DEFAULT)


def _listed(windows: tuple[Window, ...]) -> str:
    if len(windows) < 2:
        return "".join(map(str, windows)) or _("not at all")
    return _("{first} and {last}").format(first=windows[0], last=windows[1])


def _avoided(hours: str) -> str:
    found = []
    for part in (DEFAULT_AVOIDS if hours == DEFAULT else hours).split(";"):
        days, *spans = part.split()
        listed = [
            _("{begin} to {end}").format(begin=begin, end=end) for begin, end in (one.split("-") for one in spans)
        ]
        found.append(_on_days(days).format(hours=reduce(_or, listed)))
    return reduce(_nor, found)


def _or(first: str, last: str) -> str:
    return _("{first} or {last}").format(first=first, last=last)


def _nor(first: str, last: str) -> str:
    return _("{first}, nor {last}").format(first=first, last=last)


def _on_days(days: str) -> str:
    """Return the text for some days, with the placeholder {hours}."""
    if days in AVOIDED_ON:
        return _(AVOIDED_ON[days])
    first, *last = (_(DAY_NAMES[DAYS.index(name)]) for name in days.split("-"))
    if not last:
        return _("{hours} on {day}").format(hours="{hours}", day=first)
    return _("{hours} on {first} to {last}").format(hours="{hours}", first=first, last=last[0])


def _on(days: range, window: Window) -> int:
    length = (window.end - window.begin - 1) % DAY_MIN + 1
    found = 0
    for day in days:
        found |= minutes_of_week(day * DAY_MIN + window.begin, length)
    return found
