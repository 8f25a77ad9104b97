"""The live state that a worker of a cluster keeps in memory: a bounded cache of the units that it heard most recently.

A message may go to any worker, so no worker knows a unit's last contact for certain; the store decides. The cache holds
what the next message is compared with, to detect a repeated heartbeat or a second charge point with the same identity.
For a unit that was evicted, the comparison begins anew with its next message.
"""

from collections import OrderedDict

from cloud_bridge.live import Live, LiveUnit

KEPT = 50_000  # units, 15 MB


class BoundedLive(Live):
    """The most recently heard units, at most `kept`. Written on one event loop, and read from other threads."""

    def __init__(self, start_ms: int = 0, kept: int = KEPT) -> None:
        super().__init__(start_ms)
        self._kept = kept
        self._units: OrderedDict[str, LiveUnit] = OrderedDict()

    def unit(self, unit_id: str) -> LiveUnit:
        """Return the unit's state, creating it if necessary. Evicts the least recently used unit if there are too
        many."""
        unit = super().unit(unit_id)
        self._units.move_to_end(unit_id)
        if len(self._units) > self._kept:
            self._units.popitem(last=False)
        return unit

    def contact(self, unit: LiveUnit, received_ms: int, listened_ms: int) -> int | None:
        """Record a message of the unit. Return its last contact before that, as far as this process remembers it."""
        before_ms = unit.last_contact_ms
        unit.last_contact_ms = received_ms if before_ms is None else max(before_ms, received_ms)
        return before_ms
