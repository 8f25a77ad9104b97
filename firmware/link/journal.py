"""Writes events, results and sessions as records to the outbox. (boot, sequence) identifies each record permanently.

A record is the encoded message. If the unit did not know the time of the event, the time is added when the message is sent,
provided that the unit has not restarted since: a restart resets its uptime.
"""

import random
import struct

from firmware.link import messages

if False:  # for mypy alone
    from firmware.charging.events import Ring
    from firmware.charging.exchange import Event
    from firmware.charging.limits import InForce
    from firmware.storage.event_log import EventLog
    from firmware.storage.outbox import Outbox, Record
    from firmware.wall_clock import WallClock

_HEAD = ">I"  # uptime of the event in seconds; or TIMED
_HEAD_BYTES = 4
TIMED = 0xFFFFFFFF  # the message includes its time


class Journal:
    """Stores the events of the control loop and of other parts, and provides the messages for the uplink."""

    def __init__(
        self, ring: "Ring", outbox: "Outbox", boot: "int | None", wall_clock: "WallClock", log: "EventLog | None" = None
    ) -> None:
        """`boot`: number of this boot, None if the flash could not store it; `log`: also receives all events."""
        # Without a boot number, sequence numbers start at random, so that they hardly repeat those of earlier boots.
        self._sequence = -1 if boot is not None else random.getrandbits(30)
        self.boot = boot or 0
        self._ring = ring
        self.outbox = outbox
        self._wall_clock = wall_clock
        self.log = log
        self._dropped = 0  # dropped records that were reported

    def next_sequence(self) -> int:
        self._sequence += 1
        return self._sequence

    def collect(self) -> None:
        """Store the events of the control loop. Called in every pause of the main thread, so the ring does not fill up."""
        happened = self._ring.take()
        while happened:
            if happened.kind == "session":
                self._session(happened)
            else:
                kind, details = DETAILS[happened.kind](happened.what)
                self.note(kind, details, happened.at_ms)
            happened = self._ring.take()

    def note(self, kind: str, details: "dict[str, object]", at_ms: "int | None" = None) -> None:
        """Store an event. `at_ms`: its uptime, None = now."""
        at_ms = self._wall_clock.now_ms() if at_ms is None else at_ms
        sequence, time_s = self.next_sequence(), self._wall_clock.at(at_ms)
        self._put("event", sequence, at_ms, time_s, messages.event(sequence, self.boot, time_s, kind, details))
        if self.log:
            self.log.put(at_ms, time_s, kind, details)

    def answer(self, command_id: "str | None", ok: bool, why: "str | None", in_force: "InForce | None" = None) -> None:
        """Store the result of a command from the cloud. `why`: reason of a refusal, or None; `in_force`: as in messages.py."""
        at_ms = self._wall_clock.now_ms()
        sequence, time_s = self.next_sequence(), self._wall_clock.at(at_ms)
        said = messages.result(sequence, self.boot, time_s, command_id, ok, why, in_force)
        self._put("result", sequence, at_ms, time_s, said)

    def dropped(self) -> int:
        """Return the number of records dropped since the start, because the outbox or the ring was full."""
        return self.outbox.dropped + self._ring.dropped

    def oldest(self) -> "Record | None":
        """Return the Record of the outbox to send next, or None. It stays until `acknowledged` is called."""
        return self.outbox.oldest()

    def acknowledged(self, record: "Record") -> None:
        self.outbox.remove(record)
        if self.dropped() != self._dropped:  # reported only now: in a full outbox, the report would displace a record
            self._dropped = self.dropped()
            self.note("dropped", {"records": self._dropped})

    def message(self, record: "Record") -> "tuple[str, bytes]":
        """Return (kind of topic, payload) of a record."""
        (at_s,) = struct.unpack(_HEAD, record.body[:_HEAD_BYTES])
        payload = record.body[_HEAD_BYTES:]
        if at_s != TIMED and record.boot == self.boot:
            time_s = self._wall_clock.at(at_s * 1000)
            if time_s is not None:
                payload = messages.timed(record.kind, payload, time_s)
        return record.kind, payload

    def _session(self, happened: "Event") -> None:
        session, at = happened.what, self._wall_clock.at
        sequence, time_s = self.next_sequence(), at(happened.at_ms)
        said = messages.session(sequence, self.boot, time_s, at(session.start_ms), at(session.end_ms), session)
        self._put("session", sequence, happened.at_ms, time_s, said)

    def _put(self, kind: str, sequence: int, at_ms: int, time_s: "int | None", payload: bytes) -> None:
        head = struct.pack(_HEAD, at_ms // 1000 if time_s is None else TIMED)
        self.outbox.put(kind, self.boot, sequence, head + payload)


# kind of a charging.exchange.Event: function of its `what` that returns (kind on the wire, details)
DETAILS = {
    "fault": lambda what: ("fault_raised" if what[1] else "fault_cleared", {"fault": what[0]}),
    "mode": lambda mode: ("mode", {"to": mode}),
    "resumed": lambda number: ("resumed", {"session": number}),  # the session continues after a power cut
    "tamper": lambda is_open: ("tamper", {"open": is_open}),
    "contactor_rest": lambda rest_s: ("contactor_rest", {"s": rest_s}),  # the contactor was closed too often
    "draws_more": lambda amps: ("draws_more", {"a": amps}),  # the vehicle draws more than it is offered
    "meter_changed": lambda wh: ("meter_changed", {"from_wh": wh[0], "to_wh": wh[1]}),  # the difference is not energy
    "wake_up": lambda phase: ("wake_up", {"by": phase}),  # the vehicle did not react to the offer
}
