"""The ways into one process: a broker's, and a door for OCPP beside it. Pure.

Each has a canary of its own. We listen as long as units are heard on every way: a unit may be on any of them, and while one is
deaf nobody's silence is counted. So a process has listened up to the mark of the way whose mark is the oldest.
"""

MQTT, OCPP = "mqtt", "ocpp"


class WaysIn:
    """Used on one event loop."""

    def __init__(self, first: str = MQTT) -> None:
        self._marks_ms: dict[str, int | None] = {first: None}

    def expect(self, way: str) -> None:
        """It is open."""
        self._marks_ms.setdefault(way, None)

    def came(self, way: str, at_ms: int) -> int | None:
        """A canary has come through this way. Returns up to when units could be heard on all of them; None: on one they never
        could yet."""
        self._marks_ms[way] = at_ms  # also an earlier one: our clock may have been set
        known = [mark_ms for mark_ms in self._marks_ms.values() if mark_ms is not None]
        return min(known) if len(known) == len(self._marks_ms) else None
