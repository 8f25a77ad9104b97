"""The form of the hours: filled with what the unit has stored, or read as it was typed. Pure."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from cloud_bridge.web.presentation.hours import DEFAULT, MAX_WINDOWS, OFF, Window, Windows, clock, said

_TIME = re.compile(r"([01]?\d|2[0-3])[:.]([0-5]\d)", re.ASCII)
Lines = list[tuple[str, str]]  # from, to


@dataclass
class HoursForm:
    """What stands in the fields, and what is wrong with it, by line: `weekday_0`."""

    weekday: Lines
    weekend: Lines
    is_same: bool = True  # the weekends have the windows of the weekdays
    errors: dict[str, str] = field(default_factory=dict)


def filled(hours: str | None) -> HoursForm:
    """With the windows of the stored hours; empty where there are none, or the choice has a name."""
    windows = said(hours) if hours is not None and hours not in (DEFAULT, OFF) else None
    if windows is None:
        return HoursForm(_lines(()), _lines(()))
    same = windows.weekdays == windows.weekend
    return HoursForm(_lines(windows.weekdays), _lines(() if same else windows.weekend), same)


def read(weekday: Sequence[tuple[str, str]], weekend: Sequence[tuple[str, str]], is_same: bool) -> HoursForm | Windows:
    """The windows, or the form as it was typed with the errors in it."""
    errors: dict[str, str] = {}
    weekdays = _windows(weekday, "weekday", errors)
    at_weekends = weekdays if is_same else _windows(weekend, "weekend", errors)
    if not errors and not weekdays and not at_weekends:
        errors["weekday_0"] = "Enter when to charge, from and to, or choose “Any time” above."
    if errors:
        return HoursForm(_padded(weekday), _padded(weekend), is_same, errors)
    return Windows(weekdays, at_weekends)


def _windows(lines: Sequence[tuple[str, str]], name: str, errors: dict[str, str]) -> tuple[Window, ...]:
    """Lines that are empty are left out."""
    found = []
    for index, (begin, end) in enumerate(lines):
        if not begin.strip() and not end.strip():
            continue
        times = [_minute(begin), _minute(end)]
        if None in times:
            errors[f"{name}_{index}"] = "Enter both times, such as 23:30 and 05:30, or leave both empty."
        found.append(Window(times[0] or 0, times[1] or 0))
    return tuple(sorted(set(found)))


def _minute(text: str) -> int | None:
    match = _TIME.fullmatch(text.strip())
    return None if match is None else int(match[1]) * 60 + int(match[2])


def _lines(windows: tuple[Window, ...]) -> Lines:
    return _padded([(clock(window.begin), clock(window.end)) for window in windows])


def _padded(lines: Sequence[tuple[str, str]]) -> Lines:
    return [*lines, *[("", "")] * MAX_WINDOWS][:MAX_WINDOWS]
