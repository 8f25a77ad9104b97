"""The bridge's clock: UTC in whole milliseconds since 1970. Tests and the composition root hand one in.

The machine's wall clock may be wrong and put right while we run, by NTP or by a person. It is measured against the
monotonic clock, which no one sets:

    step of the wall clock              our time
    ----------------------------------------------------------------------------------------------------------
    up to STEP_MS                       is the wall clock's: slewing of NTP, and the jitter of reading two clocks
    back, up to SLEWED_MS               does not go back; it runs a tenth slower until the wall clock has caught up
    any other                           follows at once, and whoever keeps stamps of this process is told (on_step)

A step says that one of two readings was wrong, not which. So nothing is deleted or ended by this clock alone:
verified_time.py.
"""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache
from threading import Lock
from typing import NamedTuple, Protocol, runtime_checkable

STEP_MS = 2000  # less is the slewing of NTP and the jitter of reading two clocks
SLOWER = 0.1  # while ahead
SECONDS_KEPT = 1000  # in words: an answer with 500 units says many of them more than once
SLEWED_MS = 60_000  # of a step back; less than contact.FUTURE_MS, so no stamp becomes impossible by it


class Clock(Protocol):
    """Anything that can tell the time."""

    def now_ms(self) -> int:
        """UTC, milliseconds since 1970-01-01."""
        ...


class Step(NamedTuple):
    """Our time was set."""

    at_ms: int  # the time after it
    by_ms: int  # forward if positive


OnStep = Callable[[Step], object]  # on the thread that noticed, before it is given the new time; must not ask the clock


@runtime_checkable
class SteppedClock(Clock, Protocol):
    """A clock that may be set, with one beside it that may not."""

    def monotonic_ms(self) -> int:
        """Milliseconds that have passed since some moment."""
        ...

    def on_step(self, told: OnStep) -> None:
        """Have every step told to this function."""
        ...


def wall_ms() -> int:
    return time.time_ns() // 1_000_000


def monotonic_ms() -> int:
    """With the time in which the machine was suspended, where the system counts it: asleep, nobody was heard."""
    clock = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)  # Linux alone has the first
    return time.clock_gettime_ns(clock) // 1_000_000


class SystemClock:
    """The wall clock, its steps measured. Thread-safe.

    `floor_ms` is the latest time that a process before this one has written down; a little later than the wall clock, it
    is where we start.
    """

    def __init__(
        self,
        floor_ms: int = 0,
        wall: Callable[[], int] = wall_ms,
        monotonic: Callable[[], int] = monotonic_ms,
    ) -> None:
        self.steps = 0  # that our time has followed
        self._wall, self._monotonic = wall, monotonic
        self._lock = Lock()
        self._told: list[OnStep] = []
        self._seen_wall_ms, self._seen_monotonic_ms = wall(), monotonic()
        ahead_ms = max(0, floor_ms - self._seen_wall_ms)
        self.ahead_ms: float = ahead_ms if ahead_ms <= SLEWED_MS else 0  # of the wall clock
        self._last_ms = self._seen_wall_ms + int(self.ahead_ms)

    def now_ms(self) -> int:
        with self._lock:
            wall_ms, monotonic_ms = self._wall(), self._monotonic()
            passed_ms = max(0, monotonic_ms - self._seen_monotonic_ms)  # less on a virtual machine that was restored
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
        if abs(by_ms) <= STEP_MS:  # a step forward to where we were
            return
        self._last_ms = at_ms
        self.steps += 1
        for told in self._told:
            told(Step(at_ms, by_ms))


def iso_utc(at_ms: int) -> str:
    """ISO 8601 in UTC with milliseconds and Z, as in the HTTP interface: 2026-01-31T09:30:00.000Z."""
    return f"{_to_the_second(at_ms // 1000)}.{at_ms % 1000:03d}Z"


@lru_cache(SECONDS_KEPT)
def _to_the_second(at_s: int) -> str:
    return datetime.fromtimestamp(at_s, UTC).strftime("%Y-%m-%dT%H:%M:%S")
