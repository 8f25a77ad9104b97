"""The events of a charge point, decoded from their rows."""

from collections.abc import Iterable
from typing import Any, NamedTuple

from cloud_bridge.store.readable import Rows
from cloud_bridge.wire import BadPayload, Event, decode


class UnitEvent(NamedTuple):
    at_ms: int  # by the unit's clock, or when it was received
    kind: str
    details: dict[str, Any]


def unit_events(rows: Iterable[dict[str, Any]], kinds: tuple[str, ...]) -> Rows[UnitEvent]:
    """Decode the events of these kinds in the rows of store/history.py's `unit_events`, in their order. An event without
    details is left out."""
    found: Rows[UnitEvent] = Rows()
    for row in rows:
        if row["kind"] not in kinds:
            continue
        try:
            message = decode("event", row["payload"].encode())
        except BadPayload:  # stored by an earlier version of the bridge, which did not validate it
            found.unreadable += 1
            continue
        if isinstance(message, Event) and message.details is not None:
            at_ms = row["received_ms"] if row["unit_time_s"] is None else row["unit_time_s"] * 1000
            found.append(UnitEvent(at_ms, row["kind"], message.details))
    return found
