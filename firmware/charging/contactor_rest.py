"""Limits how often the contactor closes, so that no vehicle, load manager or owner wears it out. Pure.

A few closings are free. After each further one, the contactor rests before it closes again: 10 s, doubled each time, to at
most 10 minutes. Each 10 minutes forgive one closing. So it closes at most 8 times in the first 10 minutes, and once in 10
minutes for ever: 53,000 times a year. Opening is never delayed.
"""

# Contactors for charge points (AC-7a) are rated for 100,000 to 150,000 closings under load: three years of the worst vehicle.
FREE = 3  # a person who tries again, and a vehicle that starts over once or twice
FIRST_MS = 10000
LONGEST_MS = FORGIVEN_MS = 600000


class ContactorRest:
    """`resting`: whether it must not close; kept until `step` finds the rest over."""

    def __init__(self, now_ms: int) -> None:
        self.resting = False
        self._closings = 0  # that are not forgiven
        self._forgiven_since_ms = now_ms
        self._opened_since_ms = now_ms
        self._rest_ms = 0

    def closed(self, now_ms: int) -> None:
        """Record a closing."""
        forgiven = (now_ms - self._forgiven_since_ms) // FORGIVEN_MS
        if forgiven >= self._closings:
            self._closings, self._forgiven_since_ms = 0, now_ms
        else:
            self._closings -= forgiven
            self._forgiven_since_ms += forgiven * FORGIVEN_MS
        self._closings += 1

    def opened(self, now_ms: int) -> int:
        """Record an opening. Return for how long the contactor rests from now, 0 = it does not."""
        self._opened_since_ms, self._rest_ms = now_ms, 0
        if self._closings >= FREE:
            self._rest_ms = min(FIRST_MS << min(self._closings - FREE, 6), LONGEST_MS)
        self.resting = self._rest_ms > 0
        return self._rest_ms

    def step(self, now_ms: int) -> bool:
        """Return whether a rest is over with this step."""
        if not self.resting or now_ms - self._opened_since_ms < self._rest_ms:
            return False
        self.resting = False
        return True

    def forgive(self) -> None:
        """A person wants it to close now."""
        self._closings = self._rest_ms = 0
