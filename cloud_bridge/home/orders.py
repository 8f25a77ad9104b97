"""What Home Assistant orders: the last level of a topic and a payload, as an order of the HTTP interface. Pure.

A limit and a pause end by themselves, so that a Home Assistant that is gone holds back no vehicle for ever. How long they hold
may be said, as an automation publishes it: `{"amps": 16, "minutes": 90}` or `{"minutes": 30}`; otherwise HELD_MINUTES.
"""

import json
from typing import Any

from pydantic import TypeAdapter, ValidationError

from cloud_bridge.web.api.command_schema import LONGEST_MS, Order

HELD_MINUTES = 24 * 60
LASTING = frozenset({"limit", "pause"})
NAMES = LASTING | {"charge_now", "clear"}  # the last levels of topics.py

_order: TypeAdapter[Order] = TypeAdapter(Order)


class NoOrder(ValueError):
    """It is none; the text says why."""


def read_order(name: str, payload: bytes) -> Order:
    """Raises NoOrder."""
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
    """None: it has no end. Raises NoOrder where the end is past, or too far ahead."""
    held_ms = order.holds_ms(now_ms)
    if held_ms is not None and not 0 < held_ms <= LONGEST_MS:
        raise NoOrder("its end has to lie ahead, by at most seven days")
    return held_ms


def _object(name: str, payload: bytes) -> dict[str, Any]:
    """A button sends PRESS, a number its value, an automation an object."""
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
