"""One field of a charge point of another maker, read as far as it can be understood: None for what cannot be. Pure.

Makers send numbers as texts, times without a zone, and texts that are too long; their own schemas would refuse the whole
message for it. A value that cannot be true is doubted where it is used, not here.
"""

import math
from datetime import UTC, datetime
from typing import Any

from cloud_bridge.wire import EARLIEST_S, LATEST_S, MAX_COUNT

MAX_ITEMS = 200  # of a list; the largest StopTransaction that was seen has fewer
MAX_DIGITS = 40


def text(value: Any, most: int = 50) -> str | None:
    """Its printable characters, `most` at most; a number as it is written."""
    if type(value) in (int, float):
        value = f"{value:.15g}" if type(value) is float else str(value) if abs(value) <= MAX_COUNT else ""
    if not isinstance(value, str):
        return None
    return "".join(one for one in value[: 4 * most] if one.isprintable()).strip()[:most] or None


def ascii_text(value: Any, most: int) -> str | None:
    """Likewise; None for one with other characters, of which each would be six or twelve in JSON."""
    found = text(value, most)
    return found if found is not None and found.isascii() else None


def number(value: Any) -> float | None:
    """Of a number, or a text that is one; a comma may divide its digits as well."""
    if isinstance(value, str) and len(value) <= MAX_DIGITS:
        try:
            value = float(value.strip().replace(",", "."))
        except ValueError:
            return None
    if type(value) not in (int, float) or not abs(value) <= MAX_COUNT:  # NaN compares false
        return None
    return float(value)


def whole(value: Any) -> int | None:
    found = number(value)
    return None if found is None or not math.isfinite(found) or found != int(found) else int(found)


def time_s(value: Any) -> int | None:
    """Seconds since 1970 of a time in ISO 8601, in UTC if it has no zone. None before 2020 and after 2099: the clock of the
    charge point is not set."""
    if not isinstance(value, str) or len(value) > MAX_DIGITS:
        return None
    try:
        at = datetime.fromisoformat(value.strip())
        at_s = int((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp())
    except (ValueError, OverflowError):
        return None
    return at_s if EARLIEST_S <= at_s <= LATEST_S else None


def items(value: Any) -> list[dict[str, Any]]:
    """The objects of a list, or the one that stands where a list should."""
    several = value[:MAX_ITEMS] if isinstance(value, list) else [value]
    return [one for one in several if isinstance(one, dict)]


def first(value: Any) -> dict[str, Any]:
    """The first object of a list, or the one that stands where a list should; an empty one where there is none."""
    return next(iter(items(value)), {})
