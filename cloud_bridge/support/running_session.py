"""The charging session that goes on, out of the heartbeats since the vehicle was plugged in. Pure."""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple


class PowerReading(NamedTuple):
    """What one heartbeat told."""

    at_ms: int
    plugged: bool  # whether a vehicle was connected
    watts: int
    total_wh: int | None  # of the meter


class RunningSession(NamedTuple):
    """As far as is known: its first heartbeats may not have been kept."""

    readings: list[PowerReading]  # oldest first, at least one
    is_whole: bool  # what came before them is known not to be of it
    energy_wh: int | None  # since the first of them; None: the meter did not tell, or was changed

    @property
    def from_ms(self) -> int:
        """It began no later than this."""
        return self.readings[0].at_ms

    @property
    def newest(self) -> PowerReading:
        return self.readings[-1]


def power_readings(rows: Iterable[dict[str, Any]]) -> list[PowerReading]:
    """Of the rows of store/history.py's `power_readings`, in their order."""
    return [PowerReading(row["received_ms"], row["plugged"], row["watts"], row["total_wh"]) for row in rows]


def running_session(readings: Sequence[PowerReading], ended_ms: int = 0) -> RunningSession | None:
    """Of readings that come oldest first. `ended_ms` is when the newest session ended whose record is there. None: no vehicle
    is connected, as far as is known.

    The meter as it was before the vehicle came counts as that of its beginning: nothing was drawn in between.
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
