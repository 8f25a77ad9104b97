"""A lock-free ring buffer from the control thread to the main thread: one writer, one reader.

Only the writer changes `_written` and `dropped`, only the reader `_read`, so no field is written by both threads.
(MicroPython's unix port has threads without a global interpreter lock.)
"""

if False:  # for mypy alone
    from typing import Any

SIZE = 32  # enough for all faults to be set and cleared at once


class Ring:
    """Holds SIZE events. `dropped` counts the events that did not fit."""

    def __init__(self) -> None:
        self._slots: list[object] = [None] * SIZE
        self._written = 0
        self._read = 0
        self.dropped = 0

    def put(self, event: object) -> None:
        """Add an event (writer). A full ring drops the new event, because the oldest ones usually caused the others."""
        if self._written - self._read >= SIZE:
            self.dropped += 1
            return
        self._slots[self._written % SIZE] = event
        self._written += 1

    def take(self) -> "Any":
        """Remove and return the oldest event, None if empty (reader)."""
        if self._read == self._written:
            return None
        event = self._slots[self._read % SIZE]
        self._read += 1
        return event
