"""Bounds of the true time. Expiry and deletion go by the lower bound, never by the wall clock alone.

Neither bound follows a step of the wall clock: both go on by the monotonic clock while the process runs.

    time            begins, for a process                                             never
    -----------------------------------------------------------------------------------------------------------------
    verified        at the verified time at which the previous process stopped;       later than the true time
    (`now_ms`)      downtime is not counted
    `latest_ms`     at our clock, plus the amount by which it was already behind      earlier than the true time, if a
                    or has been set back since (latest_at_start)                      right clock has been seen

If our clock is behind `latest_ms` it may be wrong, because it once showed a later time. If it is ahead of verified time
it may be right, because the length of the downtime is not known. So both bounds are moved to the wall clock only if a
witness confirms it:

    witnesses                                                       verified time           latest_ms
    -----------------------------------------------------------------------------------------------------------------
    the wall clock, and the clocks of WITNESSES units (of all       is set to the wall      is set to the wall
    units in a smaller fleet) which agree with it                   clock                   clock
    the wall clock alone, which without a step has been behind      is set to the wall      is set to the wall
    either bound for DOUBT_MS                                       clock if that is        clock
                                                                    earlier
    the wall clock alone, ahead                                     goes on                 goes on

If verified time is set back, rows are kept for longer. While it is behind, nothing expires early. A unit that received
the time from us echoes our own clock and is no witness (telling_time.py). There may be a million of these units, so
their ids are in a Bloom filter (id_filter.py): a false positive loses one of many witnesses, which may be sent the time
once.
"""

from collections.abc import Callable, Iterable, Sequence
from threading import Lock
from typing import NamedTuple

from cloud_bridge.clock import Clock, Step, SteppedClock
from cloud_bridge.contact import FUTURE_MS, KEPT_STEPS, Listened
from cloud_bridge.durations import DAY_MS, MINUTE_MS
from cloud_bridge.id_filter import IdFilter

WITNESSES = 3
AGREES_MS = 5 * MINUTE_MS  # the largest difference between a unit's clock and ours if both are right
OFF_MS = 2 * MINUTE_MS  # a unit's clock with a larger difference is wrong: no message takes that long
SAME_MS = 30_000  # the largest difference at which our clock and verified time count as equal
DOUBT_MS = DAY_MS


class Bounds(NamedTuple):
    """The bounds of the true time when a process begins."""

    verified_ms: int
    latest_ms: int


def latest_at_start(start_ms: int, before: Listened | None) -> int:
    """Return `latest_ms` for a process that begins at `start_ms` of our clock. `before` is the stored row of the
    previous process, or None."""
    if before is None:
        return start_ms
    was_behind_ms = max(0, before.latest_ms - before.until_ms)
    return max(start_ms, before.until_ms) + was_behind_ms


class VerifiedTime:
    """The bounds of the true time, in UTC milliseconds since 1970. Thread-safe.

    `before` are the bounds from the previous process. If it is None, both start at the wall clock.
    """

    def __init__(
        self,
        clock: Clock,
        before: Bounds | None = None,
        units: int = 0,
        echoes: Iterable[str] = (),
        steps: Sequence[Step] = (),
    ) -> None:
        self._earlier_steps, self._steps = list(steps), list[Step]()
        self._clock = clock
        self._elapsed_ms: Callable[[], int] = clock.now_ms  # without a monotonic clock, the clock itself measures time
        if isinstance(clock, SteppedClock):
            self._elapsed_ms = clock.monotonic_ms
        self._needed = max(1, min(WITNESSES, units))
        self._lock = Lock()
        self._echoes = IdFilter()
        for unit_id in echoes:
            self._echoes.add(unit_id)
        self._agreed: set[str] = set()
        now_ms = clock.now_ms()
        self._base_ms, latest_ms = before or (now_ms, now_ms)
        self._latest_base_ms = max(now_ms, self._base_ms, latest_ms)
        self._since_ms = self._elapsed_ms()
        self._doubted_since_ms: int | None = None  # by `_elapsed_ms`

    @property
    def unverified_ms(self) -> int:
        """By how much the wall clock is ahead of verified time, in ms; negative if it is behind."""
        return self._clock.now_ms() - self.now_ms()

    def steps(self) -> list[Step]:
        """Return the steps of our clock that are not in its future, oldest first, on the present clock."""
        latest_ms = self._clock.now_ms() + AGREES_MS
        return [step for step in (*self._earlier_steps, *self._steps) if step.at_ms <= latest_ms]

    def now_ms(self) -> int:
        return self._base_ms + self._passed_ms()

    def latest_ms(self) -> int:
        return self._latest_base_ms + self._passed_ms()

    def _passed_ms(self) -> int:
        return max(0, self._elapsed_ms() - self._since_ms)

    def _agrees(self, wall_ms: int) -> bool:
        return abs(self.now_ms() - wall_ms) <= SAME_MS and self.latest_ms() - wall_ms <= FUTURE_MS

    def witness(self, unit_id: str, unit_time_ms: int, received_ms: int) -> None:
        """Take a unit's time as a witness. `received_ms` is when its message reached us, by our clock."""
        if self._agrees(received_ms) or unit_id in self._echoes:
            return
        with self._lock:
            if abs(unit_time_ms - received_ms) > AGREES_MS:
                self._agreed.discard(unit_id)
                return
            self._agreed.add(unit_id)
            if len(self._agreed) >= self._needed:
                self._set(received_ms, received_ms)

    def told(self, unit_id: str) -> None:
        """Note that the unit receives the time from us, so that it is no witness any more."""
        with self._lock:
            self._echoes.add(unit_id)
            self._agreed.discard(unit_id)

    def is_wrong_echo(self, unit_id: str, unit_time_ms: int, received_ms: int) -> bool:
        """Return whether the unit's clock differs from ours and the unit received its time from us: ours was set
        since."""
        return abs(unit_time_ms - received_ms) > AGREES_MS and unit_id in self._echoes

    def is_wrong(self, unit_time_ms: int, received_ms: int) -> bool:
        """Return whether the unit's clock is wrong. False while our own clock is in doubt."""
        return self._agrees(received_ms) and abs(unit_time_ms - received_ms) > OFF_MS

    def stepped(self, step: Step) -> None:
        """Record a step of our clock. Witnesses and doubts about the previous clock are dropped."""
        with self._lock:
            earlier = [Step(one.at_ms + step.by_ms, one.by_ms) for one in self._steps]
            self._steps = [*earlier, step][-KEPT_STEPS:]
            self._agreed.clear()
            self._doubted_since_ms = None

    def look(self) -> None:
        """Accept a wall clock that has been behind for DOUBT_MS without a step. Call this periodically."""
        wall_ms, elapsed_ms = self._clock.now_ms(), self._elapsed_ms()
        with self._lock:
            if self.now_ms() - wall_ms <= SAME_MS and self.latest_ms() - wall_ms <= FUTURE_MS:
                self._doubted_since_ms = None
            elif self._doubted_since_ms is None:
                self._doubted_since_ms = elapsed_ms
            elif elapsed_ms - self._doubted_since_ms >= DOUBT_MS:
                self._set(min(self.now_ms(), wall_ms), wall_ms)

    def learn(self, verified_ms: int | None) -> None:
        """Take the verified time of another process, or None. Both are lower bounds of the true time, so the later
        counts."""
        with self._lock:
            ahead_ms = 0 if verified_ms is None else verified_ms - self.now_ms()
            if ahead_ms > 0:
                self._base_ms += ahead_ms
                self._latest_base_ms = max(self._latest_base_ms, self._base_ms)

    def _set(self, at_ms: int, latest_ms: int) -> None:
        self._base_ms, self._latest_base_ms, self._since_ms = at_ms, latest_ms, self._elapsed_ms()
        self._agreed.clear()
        self._doubted_since_ms = None


class Clocks(NamedTuple):
    """The clock that timestamps are made with, and verified time."""

    clock: Clock
    verified: VerifiedTime


def clocks_of(clock: Clock) -> Clocks:
    """Return Clocks whose verified time starts at the clock, for use without a store."""
    return Clocks(clock, VerifiedTime(clock))
