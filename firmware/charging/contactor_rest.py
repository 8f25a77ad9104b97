"""Limits how often the contactor closes, so that no vehicle, load manager or owner wears it out. Pure.

Two counts of closings limit it. In the first, a few closings are free; after each further one the contactor rests before it
closes again: 10 s, doubled each time, to at most 10 minutes. Every 10 minutes, one closing is forgiven (no longer counted). In
the second, one closing is forgiven every hour; while it exceeds DAY_CLOSINGS, a rest lasts an hour. The contactor therefore
closes at most 8 times in the first 10 minutes, 14 times in the first hour, 55 times in the first day, and 24 times in each
further day: 88,000 times in ten years. Opening is never delayed.
"""

# Contactors of 40 A are rated for 100,000 to 150,000 closings under load (AC-7a, AC-1). [M: typical data sheets, unverified]
# The unit reports a worn contactor at 80 % of the lower number.
WORN_CLOSINGS = 80000
FREE = 3  # allows for a person who tries again, and for a vehicle that restarts its charge once or twice
FIRST_MS = 10000
LONGEST_MS = FORGIVEN_MS = 600000
DAY_CLOSINGS = 30
HOUR_MS = 3600000


class ContactorRest:
    """`resting`: the contactor must not close. It stays True until `step` finds that the rest is over."""

    def __init__(self, now_ms: int, owed: int = 0) -> None:
        """`owed`: closings that were not forgiven before a restart."""
        # The times at which all closings are forgiven, by the first and by the second count; in the future while some are not.
        self._forgiven_since_ms = now_ms + owed * FORGIVEN_MS
        self._day_forgiven_since_ms = now_ms + owed * HOUR_MS
        self.opened(now_ms)

    def closed(self, now_ms: int) -> int:
        """Record a closing. Return the second count: how many closings are not forgiven."""
        self._forgiven_since_ms = max(self._forgiven_since_ms, now_ms) + FORGIVEN_MS
        self._day_forgiven_since_ms = max(self._day_forgiven_since_ms, now_ms) + HOUR_MS
        return (self._day_forgiven_since_ms - now_ms - 1) // HOUR_MS + 1

    def opened(self, now_ms: int) -> int:
        """Record an opening. Return how long the contactor rests from now, in ms; 0 for no rest."""
        rest_ms = 0
        more = (self._forgiven_since_ms - now_ms - 1) // FORGIVEN_MS + 1 - FREE
        if self._day_forgiven_since_ms - now_ms > DAY_CLOSINGS * HOUR_MS:
            rest_ms = HOUR_MS
        elif more >= 0:
            rest_ms = min(FIRST_MS << min(more, 6), LONGEST_MS)
        self._over_since_ms = now_ms + rest_ms  # in the future while it lasts
        self.resting = rest_ms > 0
        return rest_ms

    def step(self, now_ms: int) -> bool:
        """Return whether the rest ends with this step. Call it while `resting`."""
        if now_ms < self._over_since_ms:
            return False
        self.resting = False
        return True

    def forgive(self) -> None:
        """Forgive all closings and end the rest, at the request of a person."""
        self._forgiven_since_ms = self._day_forgiven_since_ms = self._over_since_ms = 0
