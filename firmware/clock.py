"""The unit's monotonic clock, and the door through which the communication thread waits."""

import time

if False:  # for mypy alone
    from collections.abc import Callable
    from typing import Protocol

    class Platform(Protocol):
        def gmtime(self, seconds: int) -> tuple[int, ...]: ...
        def time(self) -> float: ...


EPOCH_2000_S = 946684800  # of 2000-01-01 since 1970
SLICE_MS = 20  # the longest nap: the console answers within it


class Clock:
    """`now_ms` only ever grows, unless it is set back, across the wrap of MicroPython's ticks (12.4 days on a 32-bit board).

    Each thread has its own Clock, all started from one reading, because a Clock must be asked at least once in six days.
    """

    def __init__(self, idle: "Callable[[], None] | None" = None) -> None:
        self.idle = idle  # called in every slice of a wait; None = nothing else to do meanwhile
        self._ticks = time.ticks_ms()
        self._now_ms = 0

    def now_ms(self) -> int:
        ticks = time.ticks_ms()
        self._now_ms += time.ticks_diff(ticks, self._ticks)
        self._ticks = ticks
        return self._now_ms

    def set_back(self, by_ms: int) -> None:
        """Set the clock back. The control thread does so by a day when it shows two, and with its clock all times that it
        remembers (Controller.set_back), because on a 32-bit MicroPython an integer of 2**30 and more is an
        object on the heap: after 12.4 days each reading would be one, and each sum with it. A difference is not affected. A
        time that is older than that becomes a day old, which is longer than any period that is waited for. Times that leave
        the control thread, and those of claims, are uptime, as the main thread's clock shows it.
        """
        self._now_ms -= by_ms

    def sleep_ms(self, ms: int) -> None:
        """Wait at least `ms`. A signal (garbage collection in another thread) may end a nap early, so look at the clock."""
        until_ms = self.now_ms() + ms
        left_ms = ms
        while left_ms > 0:
            time.sleep_ms(min(left_ms, SLICE_MS))
            if self.idle:
                self.idle()
            left_ms = until_ms - self.now_ms()


def epoch_s(platform: "Platform") -> int:
    """Seconds from 1970 to where the platform's clock counts from, 2000 on an ESP32. `platform` is the module `time`."""
    return EPOCH_2000_S if platform.gmtime(0)[0] == 2000 else 0


def at_least(platform: "Platform", built_s: int, set_time: "Callable[[int], None]") -> None:
    """A platform's clock that is behind the day of the build is put to it: no certificate would be valid yet."""
    if platform.time() + epoch_s(platform) < built_s:
        set_time(built_s)
