"""Where every way in meets: a unit's message becomes a contact, live state and a row."""

from functools import partial

from cloud_bridge.contact import Ledger, later
from cloud_bridge.counters import Counters
from cloud_bridge.ingest.parts import ALL, Part
from cloud_bridge.live import Live, LiveUnit
from cloud_bridge.store.arrival import Arrival
from cloud_bridge.store.record import Listened
from cloud_bridge.store.recorder import Recorder, Written
from cloud_bridge.wire import BadPayload, Heartbeat, Message, decode


class Intake:
    """The caller has checked that the unit is who it says and that the topic is its own (contact.own_topic)."""

    def __init__(self, live: Live, ledger: Ledger, recorder: Recorder, counters: Counters, part: Part = ALL) -> None:
        self._live = live
        self._ledger = ledger
        self._recorder = recorder
        self._counters = counters
        self._part = part

    def take(
        self, unit_id: str, kind: str, payload: bytes, received_ms: int, redelivered: bool, written: Written
    ) -> None:
        """A live message of the unit. It counts as contact before anybody looks into it."""
        unit = self._live.unit(unit_id)
        previous_ms = unit.last_contact_ms
        unit.last_contact_ms = later(previous_ms, received_ms)
        self._counters.contacts += 1
        message, bad = self._read(kind, payload)
        if isinstance(message, Heartbeat):
            if unit.told(message, received_ms, redelivered):
                written = partial(_stored, unit, message, written)
                if message.unit_time_s is None:
                    self._live.timeless.add(unit_id)
            else:
                self._counters.repeats += 1
                message = None
        self._recorder.put(Arrival(unit_id, kind, received_ms, payload, message, bad, previous_ms), written)

    def take_late(self, unit_id: str, kind: str, payload: bytes, received_ms: int, written: Written) -> None:
        """A message that was kept for us while we were away. It is no contact, and a state of then is none of now."""
        self._counters.late += 1
        message, bad = self._read(kind, payload)
        if isinstance(message, Heartbeat):
            message = None
        self._recorder.put(Arrival(unit_id, kind, received_ms, payload, message, bad, late=True), written)

    def take_canary(self, received_ms: int, written: Written) -> None:
        """A mark of our own. Once it is in the store we have listened until then."""

        def listened() -> None:
            self._ledger.listened(received_ms)
            self._counters.canaries += 1
            written()

        self._recorder.put(Listened(received_ms, self._ledger.open_gap(received_ms), self._part.number), listened)

    def _read(self, kind: str, payload: bytes) -> tuple[Message | None, bool]:
        """The message, and whether it is bad."""
        try:
            return decode(kind, payload), False
        except BadPayload:
            self._counters.bad_payloads += 1
            return None, True


def _stored(unit: LiveUnit, heartbeat: Heartbeat, written: Written) -> None:
    unit.stored(heartbeat)
    written()
