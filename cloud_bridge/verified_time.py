"""How much time has verifiably passed. What ends or deletes something goes by this, never by the wall clock alone.

Verified time is kept in the store and goes on by the monotonic clock while we run, whatever the wall clock does. So it
may be behind, by the time in which we did not run, and it never jumps because somebody has set a clock. To make up for
that time takes a second witness:

    witnesses                                                       verified time
    -----------------------------------------------------------------------------------------------------------------
    the wall clock, and the clocks of WITNESSES units (of all       becomes the wall clock's
    units in a smaller fleet) which agree with it
    the wall clock alone, behind verified time for DOUBT_MS         becomes the wall clock's: then more is kept, and
    without a step                                                  for longer
    the wall clock alone, ahead                                     goes on as it is: nothing ends early

The clock of a unit that was told the time by us is an echo of our own, and no witness (telling_time.py).
"""

from collections.abc import Callable, Collection, Sequence
from threading import Lock
from typing import NamedTuple

from cloud_bridge.clock import Clock, Step, SteppedClock
from cloud_bridge.contact import FUTURE_MS, KEPT_STEPS
from cloud_bridge.durations import DAY_MS, MINUTE_MS

WITNESSES = 3
AGREES_MS = 5 * MINUTE_MS  # between the clocks of a unit and ours when both are right
SAME_MS = 30_000  # between ours and verified time
DOUBT_MS = DAY_MS


class Verified(NamedTuple):
    """As it is stored, for the next process."""

    at_ms: int
    wall_ms: int  # our clock at that moment
    since_ms: int  # by our clock too: when what runs on this clock began

    @property
    def behind_ms(self) -> int:
        """Our clock was behind by so much; 0 if it was not, as far as anybody could tell."""
        behind_ms = self.at_ms - self.wall_ms
        return behind_ms if behind_ms > FUTURE_MS else 0

    def stepped(self, at_ms: int, by_ms: int) -> "Verified":
        """Our clock was set to `at_ms`. Once it was no longer behind, it is not so by another step."""
        return self._replace(at_ms=self.at_ms + by_ms) if self._is_over(at_ms - by_ms) else self

    def _is_over(self, now_ms: int) -> bool:
        return now_ms >= self.at_ms - FUTURE_MS

    def was_behind(self, stamp_ms: int, now_ms: int) -> bool:
        """Whether this is a stamp of a process whose clock was behind, and the clock of now is not."""
        ours = self.since_ms - FUTURE_MS <= stamp_ms <= self.wall_ms + FUTURE_MS
        return ours and self._is_over(now_ms)


class VerifiedTime:
    """UTC in milliseconds since 1970, never later than it is as far as anybody can tell. Thread-safe.

    `kept` is what the process before this one has stored; None: none has, and the wall clock is all there is.
    """

    def __init__(
        self,
        clock: Clock,
        kept: Verified | None = None,
        units: int = 0,
        echoes: Collection[str] = (),
        steps: Sequence[Step] = (),
    ) -> None:
        self._earlier_steps, self._steps = list(steps), list[Step]()
        self._clock = clock
        self._elapsed_ms: Callable[[], int] = clock.now_ms  # of a clock that is set by hand time passes as it says
        if isinstance(clock, SteppedClock):
            self._elapsed_ms = clock.monotonic_ms
        self._needed = max(1, min(WITNESSES, units))
        self._lock = Lock()
        self._echoes = set(echoes)
        self._agreed: set[str] = set()
        self._start_ms = clock.now_ms()
        self._base_ms = self._start_ms if kept is None else kept.at_ms
        if kept is not None and kept.behind_ms and self._start_ms < kept.at_ms - FUTURE_MS:
            self._start_ms = min(self._start_ms, kept.since_ms)  # still on that clock
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
        return self._base_ms + max(0, self._elapsed_ms() - self._since_ms)

    def witness(self, unit_id: str, unit_time_ms: int, received_ms: int) -> None:
        """A unit has told its time, in a message that reached us at `received_ms` of our clock."""
        if abs(self.now_ms() - received_ms) <= SAME_MS or unit_id in self._echoes:
            return
        with self._lock:
            if abs(unit_time_ms - received_ms) > AGREES_MS:
                self._agreed.discard(unit_id)
                return
            self._agreed.add(unit_id)
            if len(self._agreed) >= self._needed:
                self._set(received_ms)

    def told(self, unit_id: str) -> None:
        """The unit was told the time by us."""
        with self._lock:
            self._echoes.add(unit_id)
            self._agreed.discard(unit_id)

    def is_wrong_echo(self, unit_id: str, unit_time_ms: int, received_ms: int) -> bool:
        """Whether the unit has a time from us that is not ours any more."""
        return unit_id in self._echoes and abs(unit_time_ms - received_ms) > AGREES_MS

    def kept(self) -> Verified:
        """To be stored."""
        return Verified(self.now_ms(), self._clock.now_ms(), self._start_ms)

    def stepped(self, step: Step) -> None:
        """The wall clock is another now, and what was said of it before is void."""
        with self._lock:
            self._start_ms += step.by_ms
            earlier = [Step(one.at_ms + step.by_ms, one.by_ms) for one in self._steps]
            self._steps = [*earlier, step][-KEPT_STEPS:]
            self._agreed.clear()
            self._doubted_since_ms = None

    def look(self) -> None:
        """To be called now and then: whether the wall clock has been behind for so long that it is right."""
        wall_ms, elapsed_ms = self._clock.now_ms(), self._elapsed_ms()
        with self._lock:
            if self.now_ms() - wall_ms <= SAME_MS:
                self._doubted_since_ms = None
            elif self._doubted_since_ms is None:
                self._doubted_since_ms = elapsed_ms
            elif elapsed_ms - self._doubted_since_ms >= DOUBT_MS:
                self._set(wall_ms)

    def _set(self, at_ms: int) -> None:
        self._base_ms, self._since_ms = at_ms, self._elapsed_ms()
        self._agreed.clear()
        self._doubted_since_ms = None


class Clocks(NamedTuple):
    """What time it is, by which everything is stamped, and the time that has verifiably passed."""

    clock: Clock
    verified: VerifiedTime


def clocks_of(clock: Clock) -> Clocks:
    """Where nothing is stored of the time that has passed: the clock is taken at its word."""
    return Clocks(clock, VerifiedTime(clock))
