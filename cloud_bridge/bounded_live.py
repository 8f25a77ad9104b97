"""What a process remembers of the units of a cluster: of those it has heard last, and nothing that it cannot do without.

Any worker may be handed any message, so no worker knows a unit's last contact, and the verdict is the store's alone. What is
kept here is what the next message is compared with: a repeated heartbeat, a second charge point with the same identity. A
unit that is forgotten is compared from its next message on.
"""

from collections import OrderedDict

from cloud_bridge.live import Live, LiveUnit

KEPT = 50_000  # units, 15 MB


class BoundedLive(Live):
    """The units that were heard last. Used on one event loop, and looked into from others."""

    def __init__(self, start_ms: int = 0, kept: int = KEPT) -> None:
        super().__init__(start_ms)
        self._kept = kept
        self._units: OrderedDict[str, LiveUnit] = OrderedDict()

    def unit(self, unit_id: str) -> LiveUnit:
        """The unit's state, made at first sight; the one that was longest without a message makes room."""
        unit = super().unit(unit_id)
        self._units.move_to_end(unit_id)
        if len(self._units) > self._kept:
            self._units.popitem(last=False)
        return unit

    def contact(self, unit: LiveUnit, received_ms: int, listened_ms: int) -> int | None:
        """A message of it came. Returns its last contact before, as far as this process remembers."""
        before_ms = unit.last_contact_ms
        unit.last_contact_ms = received_ms if before_ms is None else max(before_ms, received_ms)
        return before_ms
