"""When the faults of a charge point were set and cleared, as its events tell it. Pure.

A charge point that restarts forgets a fault without an event: then only its heartbeat says that the fault is over. So a fault
that no event has cleared is set if the heartbeat has it, and otherwise ended nobody knows when.
"""

from collections.abc import Collection, Iterable
from typing import NamedTuple

from cloud_bridge.support.unit_events import UnitEvent

RAISED, CLEARED = "fault_raised", "fault_cleared"
KINDS = (RAISED, CLEARED)  # of events


class FaultTime(NamedTuple):
    name: str
    from_ms: int
    to_ms: int | None  # None: it is set, or nobody has told that it was cleared


def fault_times(changes: Iterable[UnitEvent]) -> list[FaultTime]:
    """Oldest first. One that is raised again before it was cleared goes on, as after a restart with a latched fault."""
    found: list[FaultTime] = []
    is_open: dict[str, int] = {}  # -> its place in `found`
    for at_ms, kind, details in changes:
        name = details.get("fault")
        if not isinstance(name, str):
            continue
        if kind == RAISED and name not in is_open:
            is_open[name] = len(found)
            found.append(FaultTime(name, at_ms, None))
        elif kind == CLEARED and name in is_open:
            place = is_open.pop(name)
            found[place] = found[place]._replace(to_ms=at_ms)
    return found


def set_since(times: Iterable[FaultTime], faults: Collection[str]) -> dict[str, int]:
    """Since when those are set that are set now (`faults`), by name; without those that no event tells of."""
    return {time.name: time.from_ms for time in times if time.to_ms is None and time.name in faults}
