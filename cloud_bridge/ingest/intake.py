"""Where every way in meets: a unit's message becomes a contact, live state and a row."""

from cloud_bridge.contact import Ledger, later
from cloud_bridge.counters import Counters
from cloud_bridge.ingest.canary import CANARY_ID
from cloud_bridge.live import Live
from cloud_bridge.store.arrival import Arrival
from cloud_bridge.store.record import Listened
from cloud_bridge.store.recorder import Recorder, Written
from cloud_bridge.wire import BadPayload, Heartbeat, Message, decode, is_repeat


class Intake:
    """The caller has checked that the unit is who it says and that the topic is its own (contact.own_topic)."""

    def __init__(self, live: Live, ledger: Ledger, recorder: Recorder, counters: Counters) -> None:
        self._live = live
        self._ledger = ledger
        self._recorder = recorder
        self._counters = counters

    def take(
        self, unit_id: str, kind: str, payload: bytes, received_ms: int, redelivered: bool, written: Written
    ) -> None:
        """A live message of the unit. It counts as contact before anybody looks into it."""
        if unit_id == CANARY_ID:
            self._take_canary(received_ms, written)
            return
        unit = self._live.unit(unit_id)
        previous_ms = unit.last_contact_ms
        unit.last_contact_ms = later(previous_ms, received_ms)
        self._counters.contacts += 1
        message: Message | None = None
        bad = False
        try:
            message = decode(kind, payload)
        except BadPayload:
            self._counters.bad_payloads += 1
            bad = True
        if isinstance(message, Heartbeat):
            known = unit.heartbeat
            if known is not None and is_repeat(message, (known.boot, known.sequence), redelivered):
                self._counters.repeats += 1
                message = None
            else:
                unit.heartbeat = message
                unit.heartbeat_ms = received_ms
        self._recorder.put(Arrival(unit_id, kind, received_ms, payload, message, bad, previous_ms), written)

    def _take_canary(self, received_ms: int, written: Written) -> None:
        """Once it is in the store we have listened until then."""

        def listened() -> None:
            self._ledger.listened(received_ms)
            written()

        self._recorder.put(Listened(received_ms, self._ledger.open_gap(received_ms)), listened)
