"""Tolerant readers for single fields of OCPP messages, which return None for a value that they cannot read. Pure.

Chargers send numbers as strings, times without a zone, and strings that are too long. The OCPP schemas would refuse the
whole message. Implausible values are rejected where they are used, not here.
"""

import math
from datetime import UTC, datetime
from typing import Any

from cloud_bridge.wire import EARLIEST_S, LATEST_S, MAX_COUNT

MAX_ITEMS = 200  # of a list; the largest known StopTransaction has fewer
MAX_DIGITS = 40


def text(value: Any, most: int = 50) -> str | None:
    """Return the printable characters of a string, at most `most`, or a number as text. Return None for anything else,
    and for an empty result."""
    if type(value) in (int, float):
        value = f"{value:.15g}" if type(value) is float else str(value) if abs(value) <= MAX_COUNT else ""
    if not isinstance(value, str):
        return None
    return "".join(one for one in value[: 4 * most] if one.isprintable()).strip()[:most] or None


def ascii_text(value: Any, most: int) -> str | None:
    """Return `text`, or None if it is not ASCII: other characters take six or twelve characters in JSON."""
    found = text(value, most)
    return found if found is not None and found.isascii() else None


def number(value: Any) -> float | None:
    """Return a number, also from a string. The decimal separator may be a comma."""
    if isinstance(value, str) and len(value) <= MAX_DIGITS:
        try:
            value = float(value.strip().replace(",", "."))
        except ValueError:
            return None
    if type(value) not in (int, float) or not abs(value) <= MAX_COUNT:  # NaN compares false
        return None
    return float(value)


def whole(value: Any) -> int | None:
    """Return an integer, also from a string or a float without a fraction."""
    found = number(value)
    return None if found is None or not math.isfinite(found) or found != int(found) else int(found)


def time_s(value: Any) -> int | None:
    """Return an ISO 8601 time in seconds since 1970. A time without a zone is UTC. Return None before 2020 and after
    2099, where the charger's clock cannot be right."""
    if not isinstance(value, str) or len(value) > MAX_DIGITS:
        return None
    try:
        at = datetime.fromisoformat(value.strip())
        at_s = int((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp())
    except (ValueError, OverflowError):
        return None
    return at_s if EARLIEST_S <= at_s <= LATEST_S else None


def items(value: Any) -> list[dict[str, Any]]:
    """Return the objects of a list, or a single object that was sent instead of a list."""
    several = value[:MAX_ITEMS] if isinstance(value, list) else [value]
    return [one for one in several if isinstance(one, dict)]


def first(value: Any) -> dict[str, Any]:
    """The first object of a list, or the one that stands where a list should; an empty one where there is none."""
    return next(iter(items(value)), {})
