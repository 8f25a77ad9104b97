"""Events on their way from the control loop to the journal: a ring for one writer and one reader without a lock.

The writer alone moves `_written` and `dropped`, the reader alone `_read`, so the two threads never write the same field
(MicroPython's unix port has threads without a global lock).
"""

SIZE = 32  # a burst of every fault at once and its clearing


class Ring:
    def __init__(self):
        self._slots = [None] * SIZE
        self._written = 0
        self._read = 0
        self.dropped = 0  # events that found the ring full

    def put(self, event):
        """Called by the writer. A full ring keeps what it holds, the oldest being the cause of the rest."""
        if self._written - self._read >= SIZE:
            self.dropped += 1
            return
        self._slots[self._written % SIZE] = event
        self._written += 1

    def take(self):
        """Called by the reader: the oldest event, or None."""
        if self._read == self._written:
            return None
        event = self._slots[self._read % SIZE]
        self._read += 1
        return event
