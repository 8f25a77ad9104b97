"""What the bridge knows this moment, in memory: pages and the interface read it through to the store.

The store is at most a commit behind; last contact is kept here for every unit that was ever heard, the newest
heartbeat only for those heard since the start.
"""

from collections.abc import Iterable

from cloud_bridge.wire import Heartbeat


class LiveUnit:
    """One unit, kept small: there may be a hundred thousand."""

    __slots__ = ("connected", "heartbeat", "heartbeat_ms", "last_contact_ms", "session_from_wh")

    def __init__(self, last_contact_ms: int | None = None) -> None:
        self.last_contact_ms = last_contact_ms
        self.heartbeat: Heartbeat | None = None
        self.heartbeat_ms: int | None = None
        self.session_from_wh: int | None = None  # the meter when the vehicle was plugged in, if we heard that
        self.connected = False  # has a connection to us open; says nothing about contact

    def told(self, heartbeat: Heartbeat, received_ms: int) -> None:
        """The newest state."""
        if heartbeat.state is None or heartbeat.state.startswith("A"):
            self.session_from_wh = None
        elif self.heartbeat is not None and (self.heartbeat.state or "").startswith("A"):
            self.session_from_wh = self.heartbeat.total_wh
        self.heartbeat, self.heartbeat_ms = heartbeat, received_ms


class Live:
    """All units that were heard or are connected, by id."""

    def __init__(self, last_contacts: Iterable[tuple[str, int]] = ()) -> None:
        self._units = {unit_id: LiveUnit(at_ms) for unit_id, at_ms in last_contacts}

    def unit(self, unit_id: str) -> LiveUnit:
        """The unit's live state, made at first sight; only for ids that have shown their secret."""
        unit = self._units.get(unit_id)
        if unit is None:
            unit = self._units[unit_id] = LiveUnit()
        return unit

    def find(self, unit_id: str) -> LiveUnit | None:
        return self._units.get(unit_id)
