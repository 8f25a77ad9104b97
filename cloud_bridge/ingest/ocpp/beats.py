"""Which of the other doors are gone: those whose beat stands still. Pure; times are seconds of this process's monotonic clock.

A door that is stopped takes itself out. One that was killed, or is frozen, or has lost the database for itself, does not, and
its chargers would be shown as connected for ever. While this process cannot look, the others may not have been able to count
either: so what it has seen is forgotten with a look that comes late.
"""

from collections.abc import Mapping

LOOK_EVERY_S = 2.0
GONE_AFTER_S = 10.0
LATE_AFTER_S = 5.0  # between two looks


class Beats:
    """As one door sees those of the others."""

    def __init__(self) -> None:
        self._looked_s: float | None = None
        self._seen: dict[str, tuple[int, float]] = {}  # the beat of each, and since when

    def gone(self, beats: Mapping[str, int], now_s: float) -> dict[str, int]:
        """The doors that are to be taken out, each with the beat at which it stands."""
        is_late = self._looked_s is None or now_s - self._looked_s > LATE_AFTER_S
        self._looked_s = now_s
        before = {} if is_late else self._seen
        self._seen = {
            name: before[name] if name in before and before[name][0] == beat else (beat, now_s)
            for name, beat in beats.items()
        }
        return {name: beat for name, (beat, since_s) in self._seen.items() if now_s - since_s > GONE_AFTER_S}
