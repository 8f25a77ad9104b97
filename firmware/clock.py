"""The unit's monotonic clock, and the function by which the main thread waits."""

import time

if False:  # for mypy alone
    from collections.abc import Callable
    from typing import Protocol

    class Platform(Protocol):
        def gmtime(self, seconds: int) -> tuple[int, ...]: ...
        def time(self) -> float: ...


EPOCH_2000_S = 946684800  # seconds from 1970-01-01 to 2000-01-01
SLICE_MS = 20  # the longest uninterrupted sleep; the console answers within this time


class Clock:
    """A clock whose `now_ms` never decreases unless `set_back` is called, even when MicroPython's ticks wrap (after 12.4 days
    on a 32-bit board).

    `now_ms` must be called at least once in six days, so each thread has its own Clock.
    """

    def __init__(self, idle: "Callable[[], None] | None" = None) -> None:
        self.idle = idle  # called in every slice of a wait; None for nothing
        self._ticks = time.ticks_ms()
        self._now_ms = 0

    def now_ms(self) -> int:
        ticks = time.ticks_ms()
        self._now_ms += time.ticks_diff(ticks, self._ticks)
        self._ticks = ticks
        return self._now_ms

    def set_back(self, by_ms: int) -> None:
        """Set the clock back by `by_ms`. The control thread does this by one day when its clock reaches two days, and sets
        back all stored times too (Controller.set_back). Otherwise, on a 32-bit MicroPython, each reading after 12.4 days would
        be an object on the heap, as is every integer from 2**30 on, and so would each sum with it.

        Differences are not affected. An older time becomes a day old, which is longer than any period of the charging
        control. Times that leave the control thread, and those of claims, are uptime by the main thread's clock.
        """
        self._now_ms -= by_ms

    def sleep_ms(self, ms: int) -> None:
        """Wait at least `ms`, and call `idle` in each slice. Garbage collection in another thread may end a sleep early, so
        the clock decides when to return.
        """
        until_ms = self.now_ms() + ms
        left_ms = ms
        while left_ms > 0:
            time.sleep_ms(min(left_ms, SLICE_MS))
            if self.idle:
                self.idle()
            left_ms = until_ms - self.now_ms()


def epoch_s(platform: "Platform") -> int:
    """Return the seconds from 1970 to the epoch of the platform's clock (2000 on an ESP32). `platform`: the module `time`."""
    return EPOCH_2000_S if platform.gmtime(0)[0] == 2000 else 0


def at_least(platform: "Platform", built_s: int, set_time: "Callable[[int], None]") -> None:
    """Set the platform's clock to the build time if it is behind it. Otherwise no certificate would be valid yet."""
    if platform.time() + epoch_s(platform) < built_s:
        set_time(built_s)
