"""Ingest: turn a unit's message, whichever way it came, into a contact, live state and a stored row."""

import logging
import time
from collections.abc import Collection, Sequence
from functools import partial
from typing import NamedTuple

from cloud_bridge import paths
from cloud_bridge.contact import FUTURE_MS
from cloud_bridge.counters import Counters
from cloud_bridge.duplicate_identity import Connection, Evidence
from cloud_bridge.duties import Duties
from cloud_bridge.ingest.cluster.stamps import Stamp
from cloud_bridge.ingest.quotas import Quotas
from cloud_bridge.ingest.shard import ALL, AT_DOOR, Shard
from cloud_bridge.ingest.unit_security import UnitSecurity
from cloud_bridge.ingest.unknown_clients import UnknownClients
from cloud_bridge.ingest.update_pieces import UpdatePieces
from cloud_bridge.ingest.ways_in import MQTT, OCPP, WaysIn
from cloud_bridge.live import Live, LiveUnit
from cloud_bridge.security_log import SecurityLog
from cloud_bridge.store.inbound_message import ANYWHERE, CanaryMark, Doors, InboundMessage
from cloud_bridge.store.recorder import OnCommit, Recorder
from cloud_bridge.unit_reports import UnitReports
from cloud_bridge.verified_time import Clocks
from cloud_bridge.wire import Ask, BadPayload, BadTime, Heartbeat, Message, decode

# The OCPP doors of a cluster are one path.
_AT_DOORS = (paths.OCPP,)
_DOORS = ((ANYWHERE, paths.OCPP),)

_log = logging.getLogger(__name__)


class Reporting(NamedTuple):
    """The objects to which ingest reports, and passes requests of units."""

    counters: Counters
    security_log: SecurityLog
    units: UnitReports
    unknown_clients: UnknownClients
    pieces: UpdatePieces | None = None  # None if requests for updates are not answered here


class Heard(NamedTuple):
    """A timestamped contact whose message has not been decoded yet."""

    unit_id: str
    at_ms: int
    previous_ms: int | None  # the previous contact
    listened_ms: int


class Ingest:
    """Takes messages of authenticated units. The caller has checked that the topic is the unit's own
    (contact.own_topic).

    If a method returns False, the recorder is full: the caller must not acknowledge the message, so that the sender
    keeps it.
    """

    def __init__(
        self,
        live: Live,
        recorder: Recorder,
        reporting: Reporting,
        clocks: Clocks,
        shard: Shard = ALL,
    ) -> None:
        self.live = live
        self.counters = reporting.counters
        self.reports = reporting.units
        self.clock = clocks.clock
        self.shard = shard
        self._door = reporting.units.door if shard is AT_DOOR else ""
        self._doors: Doors = _DOORS if self._door else ()
        self.duties = Duties()  # of this process; listeners and subscriptions add theirs
        self.ways = WaysIn(OCPP if self._door else MQTT)
        self._pieces = reporting.pieces
        self._recorder = recorder
        self._verified = clocks.verified
        self._quotas = Quotas()
        self._unit_security = UnitSecurity(reporting.security_log)
        self._now_s = time.monotonic

    def admits(self, unit_id: str, received_ms: int) -> bool:
        """Return whether the unit may send one more packet (quotas.py). An excess is counted, and shown on the unit's
        page."""
        if self._quotas.take(unit_id, self._now_s()):
            return True
        self.counters.refused_over_quota += 1
        self.reports.over_quota(unit_id, received_ms)
        _log.warning("%s: message quota exceeded", unit_id)
        return False

    def take(
        self,
        unit_id: str,
        kind: str,
        payload: bytes,
        received_ms: int,
        redelivered: bool,
        committed: OnCommit,
        connection: Connection | None = None,
    ) -> bool:
        """Take a live message of the unit. It counts as contact before it is decoded. `connection` is None with an
        outside broker."""
        unit = self.live.unit(unit_id)
        listened_ms = self._recorder.ledger.listened_at_most_ms(received_ms)
        previous_ms = self.live.contact(unit, received_ms, listened_ms)
        self.counters.contacts += 1
        if self._recorder.is_full:
            self.counters.refused_waiting += 1
            return False
        message, bad = self._read(unit_id, kind, payload)
        message, committed = self._hand_on(unit_id, message, committed, redelivered)
        message, duplicate, committed = self._compare(
            unit_id, unit, message, received_ms, committed, redelivered, connection
        )
        committed = self._unit_security.recording(unit_id, message, committed)
        inbound = InboundMessage(
            unit_id,
            kind,
            received_ms,
            payload,
            message,
            bad,
            previous_ms,
            duplicate=duplicate,
            listened_ms=listened_ms,
            latest_ms=self._verified.latest_ms(),
            shard=self.shard.number,
        )
        return self._recorder.put(inbound, committed)

    def hear(self, unit_id: str, received_ms: int) -> Heard:
        """Record the contact of a frame in another wire format than ours. It counts before the frame is decoded."""
        listened_ms = self._recorder.ledger.listened_at_most_ms(received_ms)
        previous_ms = self.live.contact(self.live.unit(unit_id), received_ms, listened_ms)
        self.counters.contacts += 1
        return Heard(unit_id, received_ms, previous_ms, listened_ms)

    def take_translated(
        self, heard: Heard, records: Sequence[tuple[str, bytes]], bad: bool, committed: OnCommit
    ) -> bool:
        """Take a frame that was translated into our wire format: `records` are kinds and payloads. If there are none,
        only the contact is stored. `bad` is True if the frame could not be read."""
        if self._recorder.is_full:
            self.counters.refused_waiting += 1
            return False
        self.counters.bad_payloads += bad
        if not records:  # the most frequent case
            return self._recorder.put(self._translated(heard, "frame", b"", None, bad), committed)
        unit, at_ms = self.live.unit(heard.unit_id), heard.at_ms
        taken: list[tuple[InboundMessage, OnCommit]] = []
        for kind, payload in records:
            message, is_bad = self._read(heard.unit_id, kind, payload)
            stored: OnCommit = _nothing
            if isinstance(message, Heartbeat):
                unit.told(message, at_ms, False)
                stored = partial(_stored, unit, message, _nothing)
            inbound = self._translated(heard, kind, payload, message, is_bad)
            heard = heard._replace(previous_ms=at_ms)
            taken.append((inbound, stored))
        put = [self._recorder.put(inbound, stored) for inbound, stored in taken[:-1]]
        inbound, stored = taken[-1]
        return all(put) and self._recorder.put(inbound, partial(_both, stored, committed))

    def _translated(
        self, heard: Heard, kind: str, payload: bytes, message: Message | None, bad: bool
    ) -> InboundMessage:
        return InboundMessage(
            heard.unit_id,
            kind,
            heard.at_ms,
            payload,
            message,
            bad,
            heard.previous_ms,
            listened_ms=heard.listened_ms,
            latest_ms=self._verified.latest_ms(),
            shard=self.shard.number,
            doors=self._doors,
            stored_by_ms=heard.at_ms,
        )

    def take_stamped(
        self, unit_id: str, kind: str, payload: bytes, stamp: Stamp, doors: Doors, again: bool, committed: OnCommit
    ) -> bool:
        """Take a message of the unit that a cluster has timestamped and may have queued. `again` is True if it was
        delivered before, to this or another worker, with unknown outcome. It is then stored, but not compared as a live
        message."""
        unit = self.live.unit(unit_id)
        previous_ms = self.live.contact(unit, stamp.at_ms, 0)
        self.counters.contacts += 1
        if self._recorder.is_full:
            self.counters.refused_waiting += 1
            return False
        message, bad = self._read(unit_id, kind, payload)
        message, committed = self._hand_on(unit_id, message, committed, again)
        duplicate: Evidence | None = None
        if not again:
            message, duplicate, committed = self._compare(unit_id, unit, message, stamp.at_ms, committed)
        committed = self._unit_security.recording(unit_id, message, committed)
        latest_ms = stamp.at_ms + 2 * FUTURE_MS if stamp.is_estimated else self._verified.latest_ms()
        inbound = InboundMessage(
            unit_id,
            kind,
            stamp.at_ms,
            payload,
            message,
            bad,
            previous_ms,
            duplicate=duplicate,
            latest_ms=latest_ms,
            doors=doors,
            stored_by_ms=stamp.listened_at_ms,
            again=again,
        )
        return self._recorder.put(inbound, committed)

    def _hand_on(
        self, unit_id: str, message: Message | None, committed: OnCommit, again: bool
    ) -> tuple[Message | None, OnCommit]:
        """Arrange for a request for update pieces to be answered after its acknowledgement. It is not stored. A
        redelivered request is ignored, since it may have been answered already."""
        if not isinstance(message, Ask):
            return message, committed
        if again or self._pieces is None:
            return None, committed
        return None, partial(_committed_ask, self._pieces, unit_id, message, committed)

    def _compare(
        self,
        unit_id: str,
        unit: LiveUnit,
        message: Message | None,
        at_ms: int,
        committed: OnCommit,
        redelivered: bool = False,
        connection: Connection | None = None,
    ) -> tuple[Message | None, Evidence | None, OnCommit]:
        """Compare a message with the unit's previous ones. Return the message, or None for a repeat; the evidence of a
        second unit with this identity, or None; and the function to call when the message is committed."""
        if isinstance(message, Heartbeat):
            is_return = not redelivered and unit.compare(message, at_ms, connection)
            duplicate = unit.evidence(at_ms) if is_return else None
            self.counters.identity_returns += is_return
            if not unit.told(message, at_ms, redelivered, connection):
                self.counters.repeats += 1
                return None, duplicate, committed
            self._compare_time(unit_id, message.unit_time_s, at_ms)
            return message, duplicate, partial(_stored, unit, message, committed)
        if message is not None and not redelivered and unit.compare_record(message, at_ms, connection):
            self.counters.identity_returns += 1
            return message, unit.evidence(at_ms), committed
        return message, None, committed

    def take_late(self, unit_id: str, kind: str, payload: bytes, received_ms: int, committed: OnCommit) -> bool:
        """Take a message that an outside broker has queued while we were away. It is no contact, and a heartbeat in it
        is not the present state.

        A message of another shard's unit may be delivered to that shard too. If it has no numbers, a repeat cannot be
        detected, so it is left to that shard.
        """
        self.counters.late += 1
        message, bad = self._read(unit_id, kind, payload)
        if isinstance(message, Heartbeat | Ask):
            message = None
        if message is not None and None in (message.boot, message.sequence) and not self.shard.takes(unit_id):
            message = None
        committed = self._unit_security.recording(unit_id, message, committed)
        return self._recorder.put(
            InboundMessage(unit_id, kind, received_ms, payload, message, bad, late=True, doors=self._doors), committed
        )

    def take_canary(self, received_ms: int, committed: OnCommit, way: str = MQTT) -> bool:
        """Take a canary. Once it is committed, and one has come by every way, we have been listening until then."""

        def counted() -> None:
            self.counters.canaries += 1
            committed()

        until_ms = self.ways.came(way, received_ms)
        if until_ms is None:
            counted()
            return True
        latest_ms = self._verified.latest_ms()
        if self._door:
            return self._recorder.put(CanaryMark(until_ms, paths.OCPP, 0, latest_ms, _AT_DOORS, self._door), counted)
        listened_ms = self._recorder.ledger.listened_ms(until_ms)
        return self._recorder.put(CanaryMark(until_ms, self.shard.number, listened_ms, latest_ms), counted)

    def take_path_canary(self, path: int, paths: Collection[int], at_ms: int) -> bool:
        """Take a canary that came through a cluster node. All messages before it in the stream must be committed."""

        def counted() -> None:
            self.counters.canaries += 1

        return self._recorder.put(CanaryMark(at_ms, path, 0, self._verified.latest_ms(), paths), counted)

    def _compare_time(self, unit_id: str, unit_time_s: int | None, received_ms: int) -> None:
        if unit_time_s is None or self._verified.is_wrong_echo(unit_id, unit_time_s * 1000, received_ms):
            self.live.timeless.add(unit_id)
        elif self._verified.is_wrong(unit_time_s * 1000, received_ms):
            self.counters.wrong_unit_clocks += 1
            self.live.timeless.add(unit_id)
        else:
            self._verified.witness(unit_id, unit_time_s * 1000, received_ms)

    def _read(self, unit_id: str, kind: str, payload: bytes) -> tuple[Message | None, bool]:
        """Decode a payload. Return the message, or None, and whether the payload is bad."""
        try:
            return decode(kind, payload), False
        except BadPayload as error:
            if isinstance(error, BadTime):
                self.live.timeless.add(unit_id)  # a time command will correct its clock
            self.counters.bad_payloads += 1
            return None, True


def _committed_ask(pieces: UpdatePieces, unit_id: str, ask: Ask, committed: OnCommit) -> None:
    committed()
    pieces.take(unit_id, ask)


def _nothing() -> None:
    """Do nothing: no acknowledgement waits for this record."""


def _both(first: OnCommit, second: OnCommit) -> None:
    first()
    second()


def _stored(unit: LiveUnit, heartbeat: Heartbeat, committed: OnCommit) -> None:
    unit.stored(heartbeat)
    committed()
