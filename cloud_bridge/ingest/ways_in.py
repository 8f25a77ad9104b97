"""The ways into one process: that of the broker, and an OCPP door beside it. Pure.

Each way has its own canary. A unit may be on any way, so the process counts as listening only while canaries come by
all ways: during an outage of one, no silence is counted. The process has been listening until the oldest of the ways'
last canaries.
"""

MQTT, OCPP = "mqtt", "ocpp"


class WaysIn:
    """The last canary of each way. Used on one event loop."""

    def __init__(self, first: str = MQTT) -> None:
        self._marks_ms: dict[str, int | None] = {first: None}

    def expect(self, way: str) -> None:
        """Add a way: it is open, and its canaries are required from now on."""
        self._marks_ms.setdefault(way, None)

    def came(self, way: str, at_ms: int) -> int | None:
        """Record a canary by this way. Return the time until which all ways were listening, or None if no canary has
        come yet by one of them."""
        self._marks_ms[way] = at_ms  # also an earlier one: our clock may have been set
        known = [mark_ms for mark_ms in self._marks_ms.values() if mark_ms is not None]
        return min(known) if len(known) == len(self._marks_ms) else None
