"""The owner's hours: as the unit writes them, as the form shows them, and in words. Pure."""

import re
from typing import Any

from cloud_bridge.web.errors import Refused

DEFAULT, OFF = "default", "off"  # as the unit writes them
_DAYS = r"[a-z-]{1,20}( [0-9:]{5}-[0-9:]{5}){1,9}"
WRITTEN = re.compile(rf"{_DAYS}(; ?{_DAYS})?")
AVOIDED = "08:00 to 11:00 and 16:00 to 22:00 on weekdays"  # what `default` means


def written(begins: list[str], ends: list[str]) -> str:
    """Hours to avoid as the unit writes them; empty lines are left out. Midnight at the end is 24:00."""
    found = []
    for begin, end in zip(begins, ends, strict=False):
        if not begin and not end:
            continue
        end = "24:00" if end == "00:00" else end
        if not all(re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d|24:00", time) for time in (begin, end)) or begin >= end:
            raise Refused("Those hours do not work", "Each line needs a beginning and a later end on the same day.")
        found.append(f"{begin}-{end}")
    return " ".join(found)


def is_written(hours: Any) -> bool:
    """Whether it is a text that `written` and the forms could have made."""
    return isinstance(hours, str) and (hours in (DEFAULT, OFF) or WRITTEN.fullmatch(hours) is not None)


def own_hours(hours: str | None) -> dict[str, list[tuple[str, str]]]:
    """Two lines for weekdays and two for weekends, as the form shows them."""
    lines: dict[str, list[tuple[str, str]]] = {"weekday": [], "weekend": []}
    for part in (hours or "").split(";"):
        days, *spans = part.split() or [""]
        kind = {"mon-fri": "weekday", "sat-sun": "weekend"}.get(days)
        if kind:
            pairs = [span.replace("24:00", "00:00").split("-") for span in spans]
            lines[kind] += [(begin, end) for begin, end in pairs]
    return {kind: [*spans, ("", ""), ("", "")][:2] for kind, spans in lines.items()}


def in_words(hours: str | None) -> str:
    if hours is None:
        return "Not chosen from here yet"
    if hours == OFF:
        return "Charges at any hour"
    if hours == DEFAULT:
        return f"Off-peak: not from {AVOIDED}"
    days = {"mon-fri": "on weekdays", "sat-sun": "at weekends"}
    said = []
    for part in hours.split(";"):
        name, *spans = part.split()
        said.append(f"{' and '.join(span.replace('-', ' to ') for span in spans)} {days.get(name, name)}")
    return f"Your own: not from {', nor '.join(said)}"
