"""Parses commands from Home Assistant: the last level of a topic and a payload become an order of the HTTP interface. Pure.

A limit and a pause expire by themselves, so that a Home Assistant that fails does not hold back a vehicle for ever. An
automation may publish their duration: `{"amps": 16, "minutes": 90}` or `{"minutes": 30}`. Otherwise it is HELD_MINUTES.
"""

import json
from typing import Any

from pydantic import TypeAdapter, ValidationError

from cloud_bridge.web.api.command_schema import LONGEST_MS, Order

HELD_MINUTES = 24 * 60
LASTING = frozenset({"limit", "pause"})
NAMES = LASTING | {"charge_now", "clear"}  # the last levels of topics (topics.py)

_order: TypeAdapter[Order] = TypeAdapter(Order)


class NoOrder(ValueError):
    """The message is not a valid command; the text says why."""


def read_order(name: str, payload: bytes) -> Order:
    """Parse a command. Raises NoOrder."""
    if name not in NAMES:
        raise NoOrder("there is no such order")
    said = _object(name, payload)
    if name in LASTING and "until" not in said:
        said.setdefault("minutes", HELD_MINUTES)
    try:
        return _order.validate_python({**said, "do": name})
    except ValidationError as error:
        raise NoOrder("; ".join(one["msg"] for one in error.errors())) from error


def holds_ms(order: Order, now_ms: int) -> int | None:
    """Return the duration of the command, or None if it does not expire. Raises NoOrder if the end is in the past, or too far
    ahead."""
    held_ms = order.holds_ms(now_ms)
    if held_ms is not None and not 0 < held_ms <= LONGEST_MS:
        raise NoOrder("its end must be in the future, by at most seven days")
    return held_ms


def _object(name: str, payload: bytes) -> dict[str, Any]:
    """Parse a payload: PRESS from a button, a value from a number, an object from an automation."""
    try:
        said = json.loads(payload)
    except (ValueError, RecursionError):
        if payload == b"PRESS" and name != "limit":
            return {}
        raise NoOrder("neither PRESS, nor a number, nor an object") from None
    if isinstance(said, dict):
        return said
    if name == "limit" and isinstance(said, int | float):
        return {"amps": said}
    raise NoOrder("neither PRESS, nor a number, nor an object")
