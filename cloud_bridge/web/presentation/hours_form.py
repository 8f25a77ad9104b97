"""The form of the charging hours: filled in from the unit's hours, and parsed as it was typed. Pure."""

import re
from collections.abc import Mapping
from typing import NamedTuple

from cloud_bridge.charging_hours import DEFAULT, OFF
from cloud_bridge.web.errors import Refused
from cloud_bridge.web.presentation.hours import MAX_WINDOWS, Window, Windows, clock, said
from cloud_bridge.words import gettext as _

_TIME = re.compile(r"([01]?\d|2[0-3])[:.]([0-5]\d)", re.ASCII)

Lines = list[tuple[str, str]]  # (from, to) pairs


class HoursForm(NamedTuple):
    """The content of the fields."""

    weekday: Lines
    weekend: Lines
    is_same: bool = True  # the weekend has the windows of the weekdays


def filled(hours: str | None) -> HoursForm:
    """Fill in the windows of the stored hours. The form is empty if no windows match them, or if they are a named choice."""
    windows = said(hours) if hours is not None and hours not in (DEFAULT, OFF) else None
    if windows is None:
        return HoursForm(_lines(()), _lines(()))
    is_same = windows.weekdays == windows.weekend
    return HoursForm(_lines(windows.weekdays), _lines(() if is_same else windows.weekend), is_same)


def read(fields: Mapping[str, str], is_same: bool) -> Windows:
    """Parse the form. `fields` are `weekday_from_0`, `weekday_to_0` and so on. Raises Refused with the field's name."""
    weekdays = _windows(fields, "weekday")
    weekend = weekdays if is_same else _windows(fields, "weekend")
    if not weekdays and not weekend:
        raise _refused("weekday_from_0", _("Enter when to charge, from and to, or choose “Any time” above."))
    return Windows(weekdays, weekend)


def _windows(fields: Mapping[str, str], kind: str) -> tuple[Window, ...]:
    """Parse the lines of one kind of day. Empty lines are skipped."""
    found = set()
    for line in range(MAX_WINDOWS):
        names = (f"{kind}_from_{line}", f"{kind}_to_{line}")
        if any(fields[name].strip() for name in names):
            found.add(Window(*(_minute(fields, name) for name in names)))
    return tuple(sorted(found))


def _minute(fields: Mapping[str, str], name: str) -> int:
    match = _TIME.fullmatch(fields[name].strip())
    if match is None:
        raise _refused(name, _("Enter both times, such as 23:30 and 05:30, or leave both empty."))
    return int(match[1]) * 60 + int(match[2])


def _refused(field: str, words: str) -> Refused:
    return Refused(_("Those hours do not work"), f"{words} {_('Nothing was changed.')}", field=field)


def _lines(windows: tuple[Window, ...]) -> Lines:
    lines = [(clock(window.begin), clock(window.end)) for window in windows]
    return [*lines, *[("", "")] * MAX_WINDOWS][:MAX_WINDOWS]
