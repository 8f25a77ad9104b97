"""The bridge's clock: UTC in whole milliseconds since 1970. Tests and the composition root hand one in.

The machine's wall clock may be stepped while we run, by NTP or after a virtual machine slept. Forward we follow at
once: the ledger sees canaries that far apart and takes the step for time in which we did not listen, so no unit is
blamed for it. Back we do not go, because contacts would happen before the last contact: we stay ahead and run a
tenth slower until the wall clock has caught up. After a step back of an hour that takes ten hours, in which times
are shown too late by what is left of it and 30 minutes of silence last 33.
"""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from threading import Lock
from typing import Protocol

STEP_MS = 2000  # less is the slewing of NTP and the jitter of reading two clocks
SLOWER = 0.1  # while ahead
MAX_AHEAD_MS = 24 * 3600 * 1000  # at the start: a store that is further ahead was written under a wrong clock


class Clock(Protocol):
    """Anything that can tell the time."""

    def now_ms(self) -> int:
        """UTC, milliseconds since 1970-01-01."""
        ...


def wall_ms() -> int:
    return time.time_ns() // 1_000_000


def monotonic_ms() -> int:
    return time.monotonic_ns() // 1_000_000


class SystemClock:
    """The wall clock, but never going back. Thread-safe.

    `floor_ms` is the latest time that a process before this one has written down.
    """

    def __init__(
        self,
        floor_ms: int = 0,
        wall: Callable[[], int] = wall_ms,
        monotonic: Callable[[], int] = monotonic_ms,
    ) -> None:
        self.steps = 0  # of the wall clock, either way, that we noticed
        self._wall, self._monotonic = wall, monotonic
        self._lock = Lock()
        self._seen_wall_ms, self._seen_monotonic_ms = wall(), monotonic()
        ahead_ms = max(0, floor_ms - self._seen_wall_ms)
        self.ahead_ms: float = ahead_ms if ahead_ms <= MAX_AHEAD_MS else 0  # of the wall clock
        self._told_ms = self._seen_wall_ms + int(self.ahead_ms)

    def now_ms(self) -> int:
        with self._lock:
            wall_ms, monotonic_ms = self._wall(), self._monotonic()
            passed_ms = monotonic_ms - self._seen_monotonic_ms
            step_ms = wall_ms - self._seen_wall_ms - passed_ms
            self._seen_wall_ms, self._seen_monotonic_ms = wall_ms, monotonic_ms
            if abs(step_ms) > STEP_MS:
                self.steps += 1
                self.ahead_ms = max(0, self.ahead_ms - step_ms)
            self.ahead_ms = max(0, self.ahead_ms - passed_ms * SLOWER)
            self._told_ms = max(self._told_ms, wall_ms + int(self.ahead_ms))
            return self._told_ms


def iso_utc(at_ms: int) -> str:
    """ISO 8601 in UTC with milliseconds and Z, as in the HTTP interface: 2026-01-31T09:30:00.000Z."""
    moment = datetime.fromtimestamp(at_ms // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{moment}.{at_ms % 1000:03d}Z"
