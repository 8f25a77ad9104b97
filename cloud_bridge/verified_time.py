"""Between which two times it is now. What ends or deletes something goes by the earlier, never by the wall clock alone.

Neither follows a step of the wall clock: both go on by the monotonic clock while we run.

    time            begins, for a process                                             never
    -----------------------------------------------------------------------------------------------------------------
    verified        where the process before it stopped: the time in which none       later than it is
    (`now_ms`)      ran is left out
    `latest_ms`     where our clock is, and later by as much as that was behind       earlier than our clock may be
                    already, or has been set back since (latest_at_start)             right to say

Behind `latest_ms` our clock may be wrong: it once showed more, with the time that has passed since, than it shows now.
Ahead of verified time it may be right, since nobody knows for how long we did not run. So both are moved to the wall
clock by a second witness only:

    witnesses                                                       verified time           latest_ms
    -----------------------------------------------------------------------------------------------------------------
    the wall clock, and the clocks of WITNESSES units (of all       becomes the wall        becomes the wall
    units in a smaller fleet) which agree with it                   clock's                 clock's
    the wall clock alone, for DOUBT_MS without a step behind        becomes the wall        becomes the wall
    either of them                                                  clock's if later        clock's
    the wall clock alone, ahead                                     goes on as it is        goes on as it is

Where verified time is put back more is kept, and for longer; while it stays behind nothing ends early. The clock of a
unit that was told the time by us is an echo of our own, and no witness (telling_time.py). There may be a million of them,
so they are kept in a filter (id_filter.py): a witness that is taken for an echo is one of many, and is told the time once.
"""

from collections.abc import Callable, Iterable, Sequence
from threading import Lock
from typing import NamedTuple

from cloud_bridge.clock import Clock, Step, SteppedClock
from cloud_bridge.contact import FUTURE_MS, KEPT_STEPS, Listened
from cloud_bridge.durations import DAY_MS, MINUTE_MS
from cloud_bridge.id_filter import IdFilter

WITNESSES = 3
AGREES_MS = 5 * MINUTE_MS  # between the clocks of a unit and ours when both are right
OFF_MS = 2 * MINUTE_MS  # more than a message is ever on its way: a command's end would be another one to the unit
SAME_MS = 30_000  # between ours and verified time
DOUBT_MS = DAY_MS


class Bounds(NamedTuple):
    """Between which two times it is, as far as anybody can tell, when a process begins."""

    verified_ms: int
    latest_ms: int


def latest_at_start(start_ms: int, before: Listened | None) -> int:
    """How late it may be when a process begins at `start_ms` of our clock, and the one before has stored this."""
    if before is None:
        return start_ms
    was_behind_ms = max(0, before.latest_ms - before.until_ms)
    return max(start_ms, before.until_ms) + was_behind_ms


class VerifiedTime:
    """UTC in milliseconds since 1970, never later than it is as far as anybody can tell. Thread-safe.

    `before` is what is known of the process before this one; None: nothing, and the wall clock is all there is.
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
        self._elapsed_ms: Callable[[], int] = clock.now_ms  # of a clock that is set by hand time passes as it says
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
        """By how much the wall clock is ahead of what has verifiably passed; negative: it is behind."""
        return self._clock.now_ms() - self.now_ms()

    def steps(self) -> list[Step]:
        """The steps of our clock that can have been, oldest first, each at its time on the clock of now."""
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
        """A unit has told its time, in a message that reached us at `received_ms` of our clock."""
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
        """The unit was told the time by us."""
        with self._lock:
            self._echoes.add(unit_id)
            self._agreed.discard(unit_id)

    def is_wrong_echo(self, unit_id: str, unit_time_ms: int, received_ms: int) -> bool:
        """Whether the unit has a time from us that is not ours any more."""
        return abs(unit_time_ms - received_ms) > AGREES_MS and unit_id in self._echoes

    def is_wrong(self, unit_time_ms: int, received_ms: int) -> bool:
        """Whether a unit's clock is, as far as ours is beyond doubt."""
        return self._agrees(received_ms) and abs(unit_time_ms - received_ms) > OFF_MS

    def stepped(self, step: Step) -> None:
        """The wall clock is another now, and what was said of it before is void."""
        with self._lock:
            earlier = [Step(one.at_ms + step.by_ms, one.by_ms) for one in self._steps]
            self._steps = [*earlier, step][-KEPT_STEPS:]
            self._agreed.clear()
            self._doubted_since_ms = None

    def look(self) -> None:
        """To be called now and then: whether the wall clock has been behind for so long that it is right."""
        wall_ms, elapsed_ms = self._clock.now_ms(), self._elapsed_ms()
        with self._lock:
            if self.now_ms() - wall_ms <= SAME_MS and self.latest_ms() - wall_ms <= FUTURE_MS:
                self._doubted_since_ms = None
            elif self._doubted_since_ms is None:
                self._doubted_since_ms = elapsed_ms
            elif elapsed_ms - self._doubted_since_ms >= DOUBT_MS:
                self._set(min(self.now_ms(), wall_ms), wall_ms)

    def learn(self, verified_ms: int | None) -> None:
        """Of another process, or of none. It is never later than it is either, so the later one of the two counts."""
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
    """What time it is, by which everything is stamped, and the time that has verifiably passed."""

    clock: Clock
    verified: VerifiedTime


def clocks_of(clock: Clock) -> Clocks:
    """Where nothing is stored of the time that has passed: the clock is taken at its word."""
    return Clocks(clock, VerifiedTime(clock))
