"""What happened and has not been acknowledged yet, oldest first, each record under the number that names it for ever.

Bounded; what is lost is counted.
"""

from firmware.charging.controller import Event
from firmware.link import messages

SIZE = 64  # records; a night without network is a handful of events and one session


class Journal:
    """Takes the control loop's events; gives (topic, payload) to the uplink. `boot` and a sequence name each message."""

    def __init__(self, ring, boot, reset_cause):
        self.boot = boot
        self.dropped = 0
        self._ring = ring
        self._sequence = 0
        self._records = []
        self._put(Event(0, "boot", reset_cause))

    def next_sequence(self):
        self._sequence += 1
        return self._sequence

    def collect(self):
        """Take what the control loop has to tell. Called in every pause of the link, so the ring stays empty."""
        event = self._ring.take()
        while event:
            self._put(event)
            event = self._ring.take()

    def oldest(self):
        """(sequence, event), or None; it stays until `acknowledged`."""
        return self._records[0] if self._records else None

    def acknowledged(self, record):
        if self._records and self._records[0] is record:
            self._records.pop(0)

    def message(self, record, wall_clock):
        """(kind of topic, payload) of a record; its time is known as soon as the unit's is, even if it happened before."""
        sequence, event = record
        time_s = wall_clock.at(event.at_ms)
        if event.kind == "session":
            start_s, end_s = wall_clock.at(event.what.start_ms), wall_clock.at(event.what.end_ms)
            return "session", messages.session(sequence, self.boot, time_s, start_s, end_s, event.what)
        kind, details = DETAILS[event.kind](event.what)
        return "event", messages.event(sequence, self.boot, time_s, kind, details)

    def _put(self, event):
        """A full journal drops its oldest event to make room, and a session only when it holds nothing else."""
        if len(self._records) >= SIZE:
            self.dropped += 1
            events = [number for number, (_, old) in enumerate(self._records) if old.kind != "session"]
            self._records.pop(events[0] if events else 0)
        self._records.append((self.next_sequence(), event))


# kind of charging.controller.Event: what it carries -> (kind on the wire, details)
DETAILS = {
    "boot": lambda cause: ("boot", {"cause": cause}),
    "fault": lambda what: ("fault_raised" if what[1] else "fault_cleared", {"fault": what[0]}),
    "mode": lambda mode: ("mode", {"to": mode}),
    "tamper": lambda is_open: ("tamper", {"open": is_open}),
    "resumed": lambda number: ("resumed", {"session": number}),
}
