"""When the faults of a charge point were set and cleared, according to its events. Pure.

A charge point that restarts drops a fault without an event; then only its heartbeat shows that the fault is gone. A fault that
no event has cleared is therefore set if the heartbeat has it; otherwise the time of its end is unknown.
"""

from collections.abc import Collection, Iterable
from typing import NamedTuple

from cloud_bridge.support.unit_events import UnitEvent

RAISED, CLEARED = "fault_raised", "fault_cleared"
KINDS = (RAISED, CLEARED)  # kinds of events


class FaultTime(NamedTuple):
    name: str
    from_ms: int
    to_ms: int | None  # None if it is set, or if its end was not reported


def fault_times(changes: Iterable[UnitEvent]) -> list[FaultTime]:
    """Return the faults, oldest first. A fault that is raised again before it was cleared continues, as after a restart with a
    latched fault."""
    found: list[FaultTime] = []
    is_open: dict[str, int] = {}  # name -> index in `found`
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
    """Return since when the present faults have been set, by name. Faults without an event are left out."""
    return {time.name: time.from_ms for time in times if time.to_ms is None and time.name in faults}
