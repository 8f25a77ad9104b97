"""What the bridge knows this moment, in memory: pages and the interface read it through to the store.

Last contact is kept here for every unit that this process has heard; of the others the store tells it, and there may be
a million of them. A heartbeat is kept until it is in the store, which is at most a commit behind, and of it afterwards
only what the next one is compared with: 100,000 units take less than 30 MB.
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

TIMELESS = 10_000  # units that wait to be told the time


class LiveUnit:
    """One unit, kept small: there may be a hundred thousand."""

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
        self.last_contact_ms: int | None = None  # of those that this process has heard; None: none yet
        self.offset_ms: int | None = None  # that less how long we had listened in all by then
        self.connected = False  # has a connection to us open; says nothing about contact
        self.heartbeat: Heartbeat | None = None  # the newest, until it is stored
        self.heartbeat_ms: int | None = None  # when it came; None: none since the start
        self.boot: int | None = None  # its numbers
        self.sequence: int | None = None
        self.unnumbered = 0  # heartbeats without a sequence number
        self.connection: Connection | None = None  # that it came over, to the embedded broker
        self.record: Record | None = None  # the newest of its journal, where it may be another unit's
        self.counts: Counts | None = None  # None while the heartbeats are one count, as they should be
        self.unit_ahead_ms: int | None = None  # the clock of the unit, of ours, by its newest heartbeat

    def contact(self, received_ms: int, offset_ms: int) -> int | None:
        """A message of it came, when we had listened for `received_ms` less `offset_ms` in all.

        Returns the last contact before; None for the first that this process hears, and for an impossible stamp.
        """
        before_ms = self.last_contact_ms
        if before_ms is not None and not is_believable(before_ms, received_ms):
            before_ms = None
        self.last_contact_ms = later(before_ms, received_ms)
        self.offset_ms = offset_ms
        return before_ms

    def stepped(self, by_ms: int, offsets_ms: dict[int, int]) -> None:
        """Our clock was set. What this process has heard stays as long ago as it is by the monotonic clock.

        `offsets_ms` keeps the new offset of every old one, so that units go on sharing them.
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
        """Whether a live heartbeat continues another count than the one before it. To be asked before it is `told`.

        Heartbeats without a sequence number are numbered here, as they arrive: their boot counts are compared.
        """
        boot, sequence, before = heartbeat.boot, heartbeat.sequence, self._newest()
        if boot is None or before is None or (sequence is None) != (self.sequence is None):
            return False
        if sequence is None:
            sequence = self.unnumbered + 1
        if self.counts is None and boot == before.boot and 0 < sequence - before.sequence <= NEAR_SEQUENCE:
            return False  # nearly all
        counts, is_return = duplicate_identity.compare(
            self.counts or Counts((before,)),
            Numbered(boot, sequence, heartbeat.unit_time_s, received_ms, connection),
        )
        self.counts = counts if len(counts.newest) > 1 or counts.returns else None
        return is_return

    def compare_record(self, message: Message, received_ms: int, connection: Connection | None) -> bool:
        """Whether a live journal record has the number of the one before it, and is another one. Over a connection that
        took over none, none is compared."""
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
        """That two charge points have this identity; None while there is none."""
        return None if self.counts is None else duplicate_identity.evidence(self.counts, now_ms)

    def _newest(self) -> Numbered | None:
        """The newest heartbeat, as far as it is compared."""
        if self.boot is None or self.heartbeat_ms is None:
            return None
        sequence = self.unnumbered if self.sequence is None else self.sequence
        unit_time_s = None if self.unit_ahead_ms is None else (self.heartbeat_ms + self.unit_ahead_ms) // 1000
        return Numbered(self.boot, sequence, unit_time_s, self.heartbeat_ms, self.connection)

    def told(
        self, heartbeat: Heartbeat, received_ms: int, redelivered: bool, connection: Connection | None = None
    ) -> bool:
        """The newest state. False: it is one that we know."""
        if is_repeat(heartbeat, (self.boot, self.sequence), redelivered) and not self._is_another(heartbeat):
            return False
        self.boot, self.sequence, self.connection = heartbeat.boot, heartbeat.sequence, connection
        self.unnumbered += heartbeat.sequence is None
        self.heartbeat, self.heartbeat_ms = heartbeat, received_ms
        self.unit_ahead_ms = None if heartbeat.unit_time_s is None else heartbeat.unit_time_s * 1000 - received_ms
        return True

    def _is_another(self, heartbeat: Heartbeat) -> bool:
        """Whether a heartbeat with the numbers of the newest one is of another charge point with this identity."""
        newest, unit_time_s = self._newest(), heartbeat.unit_time_s
        if newest is None or newest.unit_time_s is None or unit_time_s is None:
            return False
        return heartbeat.sequence == newest.sequence and unit_time_s > newest.unit_time_s

    def stored(self, heartbeat: Heartbeat) -> None:
        """The store can tell it from now on."""
        if self.heartbeat is heartbeat:
            self.heartbeat = None


class Timeless(set[str]):
    """Those whose heartbeat has no time, or a wrong one; whoever tells them the time takes them out. No more than TIMELESS:
    one that finds no room says so again with its next heartbeat."""

    def add(self, unit_id: str) -> None:
        if len(self) < TIMELESS:
            super().add(unit_id)


class Live:
    """All units that were heard or are connected, by id. `start_ms` is when this process began."""

    def __init__(self, start_ms: int = 0) -> None:
        self._units: dict[str, LiveUnit] = {}
        self.start_ms = start_ms
        self._set_forward_ms = 0  # when our clock was, last: the machine may have stood still as a whole before
        self._offset_ms = 0  # the newest; the same number for all units, while we listen
        self.timeless = Timeless()

    def unit(self, unit_id: str) -> LiveUnit:
        """The unit's live state, made at first sight; only for ids that have shown their secret."""
        unit = self._units.get(unit_id)
        if unit is None:
            unit = self._units[unit_id] = LiveUnit()
        return unit

    def contact(self, unit: LiveUnit, received_ms: int, listened_ms: int) -> int | None:
        """A message of the unit came, when we had listened for so long in all. Returns as LiveUnit.contact."""
        if received_ms - listened_ms != self._offset_ms:
            self._offset_ms = received_ms - listened_ms
        return unit.contact(received_ms, self._offset_ms)

    def last_contact(
        self, unit_id: str, stored: StoredContact | None, ledger: UptimeLedger, now_ms: int
    ) -> LastContact | None:
        """The later of memory and store: memory may be a commit ahead, the store may hear more processes than this one.

        None: never. What memory has heard itself was measured; the rest is what the store says of it.
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
        """The units that this process has heard."""
        return [unit_id for unit_id, unit in list(self._units.items()) if unit.offset_ms is not None]

    def stepped(self, at_ms: int, by_ms: int) -> None:
        """Our clock was set to `at_ms`, on whatever thread noticed."""
        self.start_ms += by_ms
        self._set_forward_ms = at_ms if by_ms > FUTURE_MS else self._set_forward_ms + by_ms
        offsets_ms: dict[int, int] = {}
        for unit in list(self._units.values()):
            unit.stepped(by_ms, offsets_ms)

    def find(self, unit_id: str) -> LiveUnit | None:
        return self._units.get(unit_id)
