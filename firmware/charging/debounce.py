"""Decides on several readings: no change of a value is made by one or two readings that differ from it. Pure.

IEC 61851-1 gives 100 ms to open the contactor after the vehicle has left state C, or was unplugged. Until the third reading
40 ms are over, and up to 20 ms more since the change itself; the step and the contacts take another 15 to 35 ms.

What must last before it is a fault is in faults.py.
"""

AGREED_MS = 40  # the third of readings that come every 20 ms
HOT_MS = 1000  # the third of a thermometer that is read every 420 ms; DS18B20: a sensor that restarts reads 85 C once

if False:  # for mypy alone
    from typing import Any


class Debounce:
    """`value`: what the readings agree on, None while they agree on nothing. `since_ms`: the first of the readings that
    differ from it, None if the last did not.
    """

    def __init__(self, value: "Any" = None) -> None:
        self.value = value
        self._last = value
        self.since_ms: int | None = None

    def step(self, now_ms: int, read: "Any") -> bool:
        """Process a reading; return whether `value` has changed.

        After AGREED_MS of readings other than `value` it becomes what the last two of them are, None if these differ.
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
