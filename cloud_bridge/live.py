"""What the bridge knows this moment, in memory: pages and the interface read it through to the store.

Last contact is kept here for every unit that was ever heard. A heartbeat is kept until it is in the store, which is at
most a commit behind, and of it afterwards only what the next one is compared with: 100,000 units take less than 30 MB.
"""

from collections.abc import Iterable

from cloud_bridge.wire import Heartbeat, is_plugged, is_repeat


class LiveUnit:
    """One unit, kept small: there may be a hundred thousand."""

    __slots__ = ("boot", "connected", "heartbeat", "heartbeat_ms", "idle_ms", "idle_wh", "last_contact_ms", "sequence")

    def __init__(self, last_contact_ms: int | None = None) -> None:
        self.last_contact_ms = last_contact_ms
        self.connected = False  # has a connection to us open; says nothing about contact
        self.heartbeat: Heartbeat | None = None  # the newest, until it is stored
        self.heartbeat_ms: int | None = None  # when it came; None: none since the start
        self.boot: int | None = None  # its numbers
        self.sequence: int | None = None
        self.idle_wh: int | None = None  # the meter when no vehicle was plugged in last, if we heard that
        self.idle_ms: int | None = None  # when that came

    def told(self, heartbeat: Heartbeat, received_ms: int, redelivered: bool) -> bool:
        """The newest state. False: it is one that we know."""
        if is_repeat(heartbeat, (self.boot, self.sequence), redelivered):
            return False
        if not is_plugged(heartbeat):
            self.idle_wh = heartbeat.total_wh if heartbeat.state else None
            self.idle_ms = received_ms
        self.boot, self.sequence = heartbeat.boot, heartbeat.sequence
        self.heartbeat, self.heartbeat_ms = heartbeat, received_ms
        return True

    def stored(self, heartbeat: Heartbeat) -> None:
        """The store can tell it from now on."""
        if self.heartbeat is heartbeat:
            self.heartbeat = None


class Live:
    """All units that were heard or are connected, by id."""

    def __init__(self, last_contacts: Iterable[tuple[str, int]] = ()) -> None:
        self._units = {unit_id: LiveUnit(at_ms) for unit_id, at_ms in last_contacts}
        self.accesses = 0  # goes up when somebody has logged out, changed their password or left: streams look again
        self.timeless: set[str] = set()  # those whose heartbeat told no time; whoever tells it to them takes them out

    def unit(self, unit_id: str) -> LiveUnit:
        """The unit's live state, made at first sight; only for ids that have shown their secret."""
        unit = self._units.get(unit_id)
        if unit is None:
            unit = self._units[unit_id] = LiveUnit()
        return unit

    def access_changed(self) -> None:
        """Somebody who was let in may be so no more."""
        self.accesses += 1

    def find(self, unit_id: str) -> LiveUnit | None:
        return self._units.get(unit_id)
