"""What time it is, as far as the unit knows: somebody else's clock carried on by our own. Unknown is a state.

Inside, everything runs on the monotonic clock, which no step of the time can touch. The time is only what we write on
messages and compare schedules and expiries with.
"""

if False:  # for mypy alone
    from firmware.clock import Clock

EARLIEST_S = 1767225600  # 2026-01-01: no time before this is true; a modem without network time says 2004
STEP_S = 5  # a smaller correction is drift and delay; a larger one is worth an event


class WallClock:
    def __init__(self, clock: "Clock") -> None:
        self._clock = clock
        self._epoch_at_zero_s: int | None = None

    def set(self, epoch_s: "int | None") -> "int | None":
        """Somebody says it is `epoch_s` (UTC) now. None says nothing, nor does a time that cannot be true.

        Returns the step in seconds if it is worth an event: 0 when the time became known; else None.
        """
        if epoch_s is None or epoch_s < EARLIEST_S:
            return None
        before_s = self.now()
        self._epoch_at_zero_s = epoch_s - self._clock.now_ms() // 1000
        if before_s is None:
            return 0
        return epoch_s - before_s if abs(epoch_s - before_s) >= STEP_S else None

    def at(self, at_ms: int) -> "int | None":
        """UTC epoch seconds at `at_ms` of the monotonic clock, also before the time was known; None while it is unknown."""
        return None if self._epoch_at_zero_s is None else self._epoch_at_zero_s + at_ms // 1000

    def now(self) -> "int | None":
        return self.at(self._clock.now_ms())

    def now_ms(self) -> int:
        """The monotonic clock that `at` speaks of."""
        return self._clock.now_ms()
