"""The charging session in progress, derived from the heartbeats since the vehicle was plugged in. Pure."""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple


class PowerReading(NamedTuple):
    """The values of one heartbeat."""

    at_ms: int
    plugged: bool  # a vehicle was connected
    watts: int
    total_wh: int | None  # of the meter


class RunningSession(NamedTuple):
    """The session as far as it is known: its first heartbeats may no longer be stored."""

    readings: list[PowerReading]  # oldest first, at least one
    is_whole: bool  # the heartbeat before them is known, and is not part of the session
    energy_wh: int | None  # since the first reading; None if the meter did not report it, or was replaced

    @property
    def from_ms(self) -> int:
        """The session began at this time or earlier."""
        return self.readings[0].at_ms

    @property
    def newest(self) -> PowerReading:
        return self.readings[-1]


def power_readings(rows: Iterable[dict[str, Any]]) -> list[PowerReading]:
    """Convert the rows of store/history.py's `power_readings`, in their order."""
    return [PowerReading(row["received_ms"], row["plugged"], row["watts"], row["total_wh"]) for row in rows]


def running_session(readings: Sequence[PowerReading], ended_ms: int = 0) -> RunningSession | None:
    """Return the session in progress, from readings that are ordered oldest first. `ended_ms` is when the newest recorded
    session ended. Return None if no vehicle is connected, as far as is known.

    The meter reading before the vehicle was plugged in counts as that of the session's start, because nothing was drawn in
    between.
    """
    begin = len(readings)
    while begin and readings[begin - 1].plugged and readings[begin - 1].at_ms > ended_ms:
        begin -= 1
    inside = list(readings[begin:])
    if not inside:
        return None
    meter = [one.total_wh for one in readings[max(0, begin - 1) :] if one.total_wh is not None]
    is_counting = bool(meter) and all(one <= other for one, other in zip(meter, meter[1:], strict=False))
    return RunningSession(inside, begin > 0, meter[-1] - meter[0] if is_counting else None)
