"""Records on their way to the cloud, oldest first, while nobody acknowledges them. Bounded; what is lost is counted."""

SIZE = 64  # records; a night without network is a handful of events and one session


class Outbox:
    def __init__(self):
        self._records = []
        self.dropped = 0

    def put(self, topic, payload):
        """A full outbox drops its oldest event to make room, and a session only when it holds nothing else."""
        if len(self._records) >= SIZE:
            self.dropped += 1
            events = [number for number, (kind, _) in enumerate(self._records) if kind != "session"]
            self._records.pop(events[0] if events else 0)
        self._records.append((topic, payload))

    def oldest(self):
        """(topic, payload), or None; it stays until `acknowledged`."""
        return self._records[0] if self._records else None

    def acknowledged(self, record):
        if self._records and self._records[0] is record:
            self._records.pop(0)
