"""Detect other OCPP doors that have died, by their beat counters. Pure; times are seconds of this process's monotonic
clock.

A door that stops normally removes itself from the store. A door that was killed, is frozen or has lost the database
does not, and its chargers would be shown as connected for ever. While this process cannot read the beats, the other
doors may not have been able to write them either, so after a late look the comparison begins anew.
"""

from collections.abc import Mapping

LOOK_EVERY_S = 2.0
GONE_AFTER_S = 10.0
LATE_AFTER_S = 5.0  # between two looks


class Beats:
    """The beats of the other doors, as seen by this one."""

    def __init__(self) -> None:
        self._looked_s: float | None = None
        self._seen: dict[str, tuple[int, float]] = {}  # the last beat of each door, and when it was first seen

    def gone(self, beats: Mapping[str, int], now_s: float) -> dict[str, int]:
        """Return the doors to remove, with their last beats: those whose beat has not changed for GONE_AFTER_S."""
        is_late = self._looked_s is None or now_s - self._looked_s > LATE_AFTER_S
        self._looked_s = now_s
        before = {} if is_late else self._seen
        self._seen = {
            name: before[name] if name in before and before[name][0] == beat else (beat, now_s)
            for name, beat in beats.items()
        }
        return {name: beat for name, (beat, since_s) in self._seen.items() if now_s - since_s > GONE_AFTER_S}
