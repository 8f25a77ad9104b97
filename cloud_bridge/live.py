"""The live state of units, in memory. Pages and the HTTP interface combine it with the store.

The last contact of every unit that this process has heard is kept here. That of all other units, of which there may be
a million, comes from the store. A heartbeat is kept until it is committed; afterwards only the fields that the next
heartbeat is compared with remain. 100,000 units take less than 30 MB.
"""

from cloud_bridge import duplicate_identity
from cloud_bridge.contact import (
    FUTURE_MS,
    LastContact,
    StoredContact,
    UptimeLedger,
    is_believable,
    later,
    on_clock_of_now,
)
from cloud_bridge.duplicate_identity import NEAR_SEQUENCE, Connection, Counts, Evidence, Numbered, Record
from cloud_bridge.wire import Heartbeat, Message, content_checksum, is_repeat

TIMELESS = 10_000  # units that wait for a time command


class LiveUnit:
    """The live state of one unit. It has slots because there may be 100,000 of them."""

    __slots__ = (
        "boot",
        "connected",
        "connection",
        "counts",
        "heartbeat",
        "heartbeat_ms",
        "last_contact_ms",
        "offset_ms",
        "record",
        "sequence",
        "unit_ahead_ms",
        "unnumbered",
    )

    def __init__(self) -> None:
        self.last_contact_ms: int | None = None  # the last contact of this process; None if there was none
        self.offset_ms: int | None = None  # last_contact_ms minus our total listening time by then
        self.connected = False  # has an open connection to us, which is no contact
        self.heartbeat: Heartbeat | None = None  # the newest, until it is stored
        self.heartbeat_ms: int | None = None  # when the newest was received; None if there was none since the start
        self.boot: int | None = None  # boot count and sequence number of the newest heartbeat
        self.sequence: int | None = None
        self.unnumbered = 0  # heartbeats without a sequence number
        self.connection: Connection | None = None  # the connection of the newest heartbeat to the embedded broker
        self.record: Record | None = None  # the newest journal record that was compared
        self.counts: Counts | None = None  # None while all heartbeats form one count, which is the normal case
        self.unit_ahead_ms: int | None = None  # by which the unit's clock is ahead of ours, from its newest heartbeat

    def contact(self, received_ms: int, offset_ms: int) -> int | None:
        """Record a message of the unit. Our total listening time at that moment was `received_ms` - `offset_ms`.

        Return the last contact before it, or None if it is the first of this process or the earlier one is not
        believable.
        """
        before_ms = self.last_contact_ms
        if before_ms is not None and not is_believable(before_ms, received_ms):
            before_ms = None
        self.last_contact_ms = later(before_ms, received_ms)
        self.offset_ms = offset_ms
        return before_ms

    def stepped(self, by_ms: int, offsets_ms: dict[int, int]) -> None:
        """Follow a step of our clock: move all timestamps by it, so that their age does not change.

        `offsets_ms` maps old offsets to new ones, so that units continue to share one integer object.
        """
        if self.offset_ms is not None and self.last_contact_ms is not None:
            self.last_contact_ms += by_ms
            self.offset_ms = offsets_ms.setdefault(self.offset_ms, self.offset_ms + by_ms)
        if self.heartbeat_ms is not None:
            self.heartbeat_ms += by_ms
        if self.unit_ahead_ms is not None:
            self.unit_ahead_ms -= by_ms
        if self.counts is not None:
            self.counts = self.counts.stepped(by_ms)

    def compare(self, heartbeat: Heartbeat, received_ms: int, connection: Connection | None) -> bool:
        """Return whether a live heartbeat is a return (duplicate_identity.py). Call this before `told`.

        Heartbeats without a sequence number are numbered as they arrive, so that only their boot counts matter.
        """
        boot, sequence, before = heartbeat.boot, heartbeat.sequence, self._newest()
        if boot is None or before is None or (sequence is None) != (self.sequence is None):
            return False
        if sequence is None:
            sequence = self.unnumbered + 1
        if self.counts is None and boot == before.boot and 0 < sequence - before.sequence <= NEAR_SEQUENCE:
            return False  # the normal case
        counts, is_return = duplicate_identity.compare(
            self.counts or Counts((before,)),
            Numbered(boot, sequence, heartbeat.unit_time_s, received_ms, connection),
        )
        self.counts = counts if len(counts.newest) > 1 or counts.returns else None
        return is_return

    def compare_record(self, message: Message, received_ms: int, connection: Connection | None) -> bool:
        """Return whether a live journal record has the number of the previous record but different content. Records
        over a connection that did not take over another one are not compared."""
        boot, sequence, before = message.boot, message.sequence, self._newest()
        if boot is None or sequence is None or before is None or (connection is not None and not connection.took_over):
            return False
        record = Record(boot, sequence, content_checksum(message), message.unit_time_s, connection)
        newest, self.record = self.record, record
        if newest is None:
            return False
        counts = self.counts or Counts((before,))
        compared = duplicate_identity.compare_record(counts, newest, record, received_ms)
        if compared.is_return:
            self.counts = compared.counts
        return compared.is_return

    def evidence(self, now_ms: int) -> Evidence | None:
        """Return the evidence that two charge points have this identity, or None."""
        return None if self.counts is None else duplicate_identity.evidence(self.counts, now_ms)

    def _newest(self) -> Numbered | None:
        """Return the compared fields of the newest heartbeat, or None if there is none with a boot count."""
        if self.boot is None or self.heartbeat_ms is None:
            return None
        sequence = self.unnumbered if self.sequence is None else self.sequence
        unit_time_s = None if self.unit_ahead_ms is None else (self.heartbeat_ms + self.unit_ahead_ms) // 1000
        return Numbered(self.boot, sequence, unit_time_s, self.heartbeat_ms, self.connection)

    def told(
        self, heartbeat: Heartbeat, received_ms: int, redelivered: bool, connection: Connection | None = None
    ) -> bool:
        """Take a heartbeat as the newest state. Return False if it is a repeat."""
        if is_repeat(heartbeat, (self.boot, self.sequence), redelivered) and not self._is_another(heartbeat):
            return False
        self.boot, self.sequence, self.connection = heartbeat.boot, heartbeat.sequence, connection
        self.unnumbered += heartbeat.sequence is None
        self.heartbeat, self.heartbeat_ms = heartbeat, received_ms
        self.unit_ahead_ms = None if heartbeat.unit_time_s is None else heartbeat.unit_time_s * 1000 - received_ms
        return True

    def _is_another(self, heartbeat: Heartbeat) -> bool:
        """Return whether a heartbeat with the numbers of the newest one comes from another charge point: its time is
        later."""
        newest, unit_time_s = self._newest(), heartbeat.unit_time_s
        if newest is None or newest.unit_time_s is None or unit_time_s is None:
            return False
        return heartbeat.sequence == newest.sequence and unit_time_s > newest.unit_time_s

    def stored(self, heartbeat: Heartbeat) -> None:
        """Drop a heartbeat from memory: it has been committed."""
        if self.heartbeat is heartbeat:
            self.heartbeat = None


class Timeless(set[str]):
    """The ids of units whose heartbeat has no time or a wrong one, at most TIMELESS. TimeTeller removes them. A unit
    that finds no room is added with its next heartbeat."""

    def add(self, unit_id: str) -> None:
        if len(self) < TIMELESS:
            super().add(unit_id)


class Live:
    """The live state of all units that this process has heard or that are connected. `start_ms` is when it began."""

    def __init__(self, start_ms: int = 0) -> None:
        self._units: dict[str, LiveUnit] = {}
        self.start_ms = start_ms
        self._set_forward_ms = 0  # the last step forward: the whole machine may have been suspended before it
        self._offset_ms = 0  # the newest offset; one integer object shared by all units while we listen
        self.timeless = Timeless()

    def unit(self, unit_id: str) -> LiveUnit:
        """Return the unit's live state, creating it if necessary. Call this only for authenticated ids."""
        unit = self._units.get(unit_id)
        if unit is None:
            unit = self._units[unit_id] = LiveUnit()
        return unit

    def contact(self, unit: LiveUnit, received_ms: int, listened_ms: int) -> int | None:
        """Record a message of the unit. `listened_ms` is our total listening time at that moment. Returns what
        LiveUnit.contact returns."""
        if received_ms - listened_ms != self._offset_ms:
            self._offset_ms = received_ms - listened_ms
        return unit.contact(received_ms, self._offset_ms)

    def last_contact(
        self, unit_id: str, stored: StoredContact | None, ledger: UptimeLedger, now_ms: int
    ) -> LastContact | None:
        """Return the later last contact of memory and store, or None if there was none.

        Memory may be a commit ahead of the store; the store also has the contacts of other processes. Only contacts of
        this process have an age that the monotonic clock has measured.
        """
        known = []
        unit = self._units.get(unit_id)
        if unit is not None and unit.offset_ms is not None and unit.last_contact_ms is not None:
            at_ms = unit.last_contact_ms
            silence_ms = max(0, ledger.listened_ms(now_ms) + unit.offset_ms - at_ms)
            is_estimated = at_ms < self._set_forward_ms or not is_believable(at_ms, now_ms)
            known.append(LastContact(min(at_ms, now_ms), is_estimated, silence_ms))
        if stored is not None:
            known.append(on_clock_of_now(stored, ledger.shard_listened_ms(stored.shard, now_ms), now_ms))
        return min(known, key=lambda one: one.silence_ms, default=None)

    def heard(self) -> list[str]:
        """Return the ids of the units that this process has heard."""
        return [unit_id for unit_id, unit in list(self._units.items()) if unit.offset_ms is not None]

    def stepped(self, at_ms: int, by_ms: int) -> None:
        """Follow a step of our clock to `at_ms`. Called on the thread that detected the step."""
        self.start_ms += by_ms
        self._set_forward_ms = at_ms if by_ms > FUTURE_MS else self._set_forward_ms + by_ms
        offsets_ms: dict[int, int] = {}
        for unit in list(self._units.values()):
            unit.stepped(by_ms, offsets_ms)

    def find(self, unit_id: str) -> LiveUnit | None:
        """Return the unit's live state, or None if this process has not heard it and it is not connected."""
        return self._units.get(unit_id)
