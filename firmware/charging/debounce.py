"""Debounces inputs: a value changes only after three readings that differ from it. Pure.

IEC 61851-1 allows 100 ms to open the contactor after the vehicle has left state C or was unplugged. The third reading comes
40 ms after the first, and the first up to 20 ms after the change. The step and the contacts take another 15 to 35 ms.

The times that a cause must persist before it is a fault are in faults.py.
"""

AGREED_MS = 40  # the time of the third reading if inputs are read every 20 ms
HOT_MS = 1000  # the third reading of a thermometer that is read every 420 ms; a DS18B20 that restarts reads 85 C once

if False:  # for mypy alone
    from typing import Any


class Debounce:
    """A debounced input. `value`: the value that the readings agree on, None if they do not agree. `since_ms`: time of the
    first of the readings that differ from `value`; None if the last reading equals it.
    """

    def __init__(self, value: "Any" = None) -> None:
        self.value = value
        self._last = value
        self.since_ms: int | None = None

    def step(self, now_ms: int, read: "Any") -> bool:
        """Process a reading; return whether `value` has changed.

        After AGREED_MS of readings that differ from `value`, it becomes the last two readings' value, or None if they differ.
        """
        before, last, self._last = self.value, self._last, read
        if read == before:
            self.since_ms = None
        elif self.since_ms is None:
            self.since_ms = now_ms
        elif now_ms - self.since_ms >= AGREED_MS:
            self.since_ms = None
            self.value = read if read == last else None
        return self.value is not before
