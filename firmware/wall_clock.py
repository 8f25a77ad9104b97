"""The time of day: the time from an external source, advanced by the monotonic clock. It may be unknown.

All internal timing uses the monotonic clock, which no step of the time of day affects. The time of day is only used for
timestamps in messages, and for schedules and expiries.

There are three sources: the mobile network, which is not authenticated, and whose time has been seen to be years ahead or
hours off; the cloud, over TLS; and a person at the console. Once the cloud or a person has set the time, the network's time is
ignored until the next start.
"""

from firmware.version import BUILT_S

if False:  # for mypy alone
    from firmware.clock import Clock

EARLIEST_S = 1767225600  # 2026-01-01: an earlier time is wrong; a modem without network time reports 2004
NETWORK_MAX_S = BUILT_S + 10 * 31557600  # ten years after the build; a later time from the network is rejected
STEP_S = 5  # a smaller correction is drift or delay; a larger one is recorded as an event

NETWORK, CLOUD, CONSOLE = "network", "cloud", "console"


class WallClock:
    def __init__(self, clock: "Clock") -> None:
        self._clock = clock
        self._epoch_at_zero_s: int | None = None
        self._source = NETWORK

    def set(self, epoch_s: "int | None", source: str) -> "int | None":
        """Set the time to `epoch_s` (UTC) from `source` (NETWORK, CLOUD, CONSOLE). Ignored if None, if out of range, or if
        another source has set the time and `source` is NETWORK.

        Return the step in seconds if it is to be recorded as an event, 0 if the time was unknown before; otherwise None.
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
        """Return the UTC epoch seconds at `at_ms` of the monotonic clock, even if that was before the time became known; None
        while the time is unknown.
        """
        return None if self._epoch_at_zero_s is None else self._epoch_at_zero_s + at_ms // 1000

    def now(self) -> "int | None":
        return self.at(self._clock.now_ms())

    def now_ms(self) -> int:
        """Return the monotonic time, as `at` takes it."""
        return self._clock.now_ms()
