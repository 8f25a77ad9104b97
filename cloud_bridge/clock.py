"""The bridge's clock: UTC in whole milliseconds since 1970. Tests and the composition root pass one in.

The machine's wall clock may be wrong, and may be corrected while the bridge runs, by NTP or by a person. Steps are
detected by comparison with the monotonic clock, which nobody sets:

    step of the wall clock              our time
    ----------------------------------------------------------------------------------------------------------
    up to STEP_MS                       is the wall clock: NTP slews it, and reading two clocks has jitter
    back, up to SLEWED_MS               does not go back; it runs a tenth slower until the wall clock has caught up
    any other                           follows at once, and the callbacks of on_step correct timestamps in memory

A step shows that one of two readings was wrong, but not which. So nothing is deleted and nothing expires by this clock
alone: see verified_time.py.
"""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache
from threading import Lock
from typing import NamedTuple, Protocol, runtime_checkable

STEP_MS = 2000  # smaller differences are NTP slewing and the jitter of reading two clocks
SLOWER = 0.1  # the fraction by which our time runs slower while it is ahead of the wall clock
SECONDS_KEPT = 1000  # formatted seconds in the cache: a response with 500 units repeats many of them
SLEWED_MS = 60_000  # the largest step back to slew; less than contact.FUTURE_MS, so no timestamp becomes impossible


class Clock(Protocol):
    """A source of the current time."""

    def now_ms(self) -> int:
        """UTC, milliseconds since 1970-01-01."""
        ...


class Step(NamedTuple):
    """A step of our time."""

    at_ms: int  # our time after the step
    by_ms: int  # positive if forward


# Called on the thread that detected the step, before that thread gets the new time. Must not call the clock.
OnStep = Callable[[Step], object]


@runtime_checkable
class SteppedClock(Clock, Protocol):
    """A clock that reports its steps, with a monotonic clock beside it."""

    def monotonic_ms(self) -> int:
        """Milliseconds since an arbitrary moment."""
        ...

    def on_step(self, told: OnStep) -> None:
        """Register a callback for every step."""
        ...


def wall_ms() -> int:
    return time.time_ns() // 1_000_000


def monotonic_ms() -> int:
    """Milliseconds of the monotonic clock. Includes the time for which the machine was suspended, if the system counts
    it: no unit was heard during that time."""
    clock = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)  # CLOCK_BOOTTIME exists on Linux only
    return time.clock_gettime_ns(clock) // 1_000_000


class SystemClock:
    """The wall clock with step detection. Thread-safe.

    `floor_ms` is the latest time that an earlier process has stored. If it is ahead of the wall clock by SLEWED_MS at
    most, our time starts there.
    """

    def __init__(
        self,
        floor_ms: int = 0,
        wall: Callable[[], int] = wall_ms,
        monotonic: Callable[[], int] = monotonic_ms,
    ) -> None:
        self.steps = 0  # the number of steps that our time has followed
        self._wall, self._monotonic = wall, monotonic
        self._lock = Lock()
        self._told: list[OnStep] = []
        self._seen_wall_ms, self._seen_monotonic_ms = wall(), monotonic()
        ahead_ms = max(0, floor_ms - self._seen_wall_ms)
        self.ahead_ms: float = ahead_ms if ahead_ms <= SLEWED_MS else 0  # by which our time is ahead of the wall clock
        self._last_ms = self._seen_wall_ms + int(self.ahead_ms)

    def now_ms(self) -> int:
        with self._lock:
            wall_ms, monotonic_ms = self._wall(), self._monotonic()
            passed_ms = max(0, monotonic_ms - self._seen_monotonic_ms)  # negative after a restore of a virtual machine
            step_ms = wall_ms - self._seen_wall_ms - passed_ms
            self._seen_wall_ms, self._seen_monotonic_ms = wall_ms, monotonic_ms
            expected_ms = self._last_ms + passed_ms
            if abs(step_ms) > STEP_MS:
                ahead_ms = max(0, self.ahead_ms - step_ms)
                self.ahead_ms = ahead_ms if ahead_ms <= SLEWED_MS else 0
                if step_ms > 0 or ahead_ms > SLEWED_MS:
                    self._step(wall_ms + int(self.ahead_ms), expected_ms)
            self.ahead_ms = max(0, self.ahead_ms - passed_ms * SLOWER)
            self._last_ms = max(self._last_ms, wall_ms + int(self.ahead_ms))
            return self._last_ms

    def monotonic_ms(self) -> int:
        return self._monotonic()

    def on_step(self, told: OnStep) -> None:
        self._told.append(told)

    def _step(self, at_ms: int, expected_ms: int) -> None:
        by_ms = at_ms - expected_ms
        if abs(by_ms) <= STEP_MS:  # the wall clock stepped forward to where our time already was
            return
        self._last_ms = at_ms
        self.steps += 1
        for told in self._told:
            told(Step(at_ms, by_ms))


def iso_utc(at_ms: int) -> str:
    """Format a time as the HTTP interface does, ISO 8601 in UTC with milliseconds: 2026-01-31T09:30:00.000Z."""
    return f"{_to_the_second(at_ms // 1000)}.{at_ms % 1000:03d}Z"


@lru_cache(SECONDS_KEPT)
def _to_the_second(at_s: int) -> str:
    return datetime.fromtimestamp(at_s, UTC).strftime("%Y-%m-%dT%H:%M:%S")
