"""What time it is, as far as the unit knows: somebody else's clock carried on by our own. Unknown is a state.

Inside, everything runs on the monotonic clock, which no step of the time can touch. The time is only what we write on
messages and compare schedules and expiries with.

Three may say what time it is: the mobile network, which nobody has authenticated and which people have seen years ahead
and hours off; the cloud, over TLS; a person at the console. Once the cloud or a person has, the network is not asked any more
until the next start: it would say the same again.
"""

from firmware.version import BUILT_S

if False:  # for mypy alone
    from firmware.clock import Clock

EARLIEST_S = 1767225600  # 2026-01-01: no time before this is true; a modem without network time says 2004
NETWORK_MAX_S = BUILT_S + 10 * 31557600  # ten years after this firmware was built, a network that says so is wrong
STEP_S = 5  # a smaller correction is drift and delay; a larger one is worth an event

NETWORK, CLOUD, CONSOLE = "network", "cloud", "console"


class WallClock:
    def __init__(self, clock: "Clock") -> None:
        self._clock = clock
        self._epoch_at_zero_s: int | None = None
        self._source = NETWORK

    def set(self, epoch_s: "int | None", source: str) -> "int | None":
        """`source` (NETWORK, CLOUD, CONSOLE) says it is `epoch_s` (UTC) now. None says nothing, nor does a time that cannot be
        true, nor the network after somebody who knows better.

        Returns the step in seconds if it is worth an event: 0 when the time became known; else None.
        """
        if epoch_s is None or epoch_s < EARLIEST_S:
            return None
        if source == NETWORK and (self._source != NETWORK or epoch_s > NETWORK_MAX_S):
            return None
        self._source = source
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
