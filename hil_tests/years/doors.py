"""Runs the product's threads as greenlets. Each of their waits is a door to the one scheduler, the event loop.

A strand is such a greenlet. It runs blocking code: the firmware's two threads, or the bridge's recorder. It runs until
it waits. Then the loop continues, and resumes the strand when the time is over or somebody wakes it. So strands never
run concurrently, and always run in the same order.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from greenlet import GreenletExit, getcurrent, greenlet  # type: ignore[import-untyped]  # comes without types

from hil_tests.years.moving import NOTES, Now
from hil_tests.years.virtual_loop import VirtualLoop


class Ended(BaseException):
    """The strand's processor has stopped. It is a BaseException, so that the product's code does not catch it."""


class Strand(greenlet):  # type: ignore[misc]  # as above
    """The code in the strand calls `wait`. The loop calls all other methods."""

    def __init__(self, loop: VirtualLoop, work: Callable[[], object], failed: Callable[[BaseException], None]) -> None:
        super().__init__(self._work)
        self._do, self._failed = work, failed
        self._loop = loop
        self._timer: Any = None
        self._waiting = False
        self.ended = False
        self.door: Callable[[Strand, int], None] | None = None  # replaces the plain sleep of Time.sleep_ms

    def start(self) -> None:
        self._waiting = True
        self._timer = self._loop.call_soon(self._resume, True)

    def wait(self, until_s: float | None) -> bool:
        """Wait until this time, or without limit if None. Return True if woken before. Raise Ended when the strand ends."""
        if self.ended:
            raise Ended
        self._timer = None if until_s is None else self._loop.call_at(until_s, self._resume, False)
        self._waiting = True
        woken: bool = self.parent.switch()
        if self.ended:
            raise Ended
        return woken

    def wake(self) -> None:
        """End the current wait, if there is one. The strand resumes in the next turn of the loop."""
        if self._waiting and not self.ended:
            if self._timer is not None:
                self._timer.cancel()
            self._waiting = False
            self._timer = self._loop.call_soon(self._resume, True)

    def end(self) -> None:
        """End the strand for good. If the strand itself calls this, it ends at its next wait."""
        self.ended = True
        if self._timer is not None:
            self._timer.cancel()
        if self and getcurrent() is not self:
            self.parent = getcurrent()
            self.throw(Ended)

    def _resume(self, woken: bool) -> None:
        self._waiting = False
        self._timer = None
        NOTES.now_ms = round(self._loop.time() * 1000)
        self.parent = getcurrent()
        self.switch(woken)

    def _work(self, _woken: bool) -> None:
        try:
            self._do()
        except (Ended, GreenletExit):
            pass
        except BaseException as error:
            self._failed(error)


def current_strand() -> Strand:
    """Return the running strand. Raise RuntimeError outside of strands, where waiting is impossible."""
    strand = getcurrent()
    if not isinstance(strand, Strand):
        raise RuntimeError("only a strand may wait")
    return strand


class Time:
    """A stand-in for the module `time`: MicroPython's functions for the firmware, CPython's for all other code.

    `epoch_s` is the true time (UTC, seconds since 1970) when the loop's clock is 0.
    """

    def __init__(self, loop: VirtualLoop, epoch_s: int) -> None:
        self._loop = loop
        self.epoch_s = epoch_s

    def ms(self) -> int:
        """Milliseconds since the beginning of the story."""
        return round(self._loop.time() * 1000)

    def true_s(self) -> float:
        """Seconds since 1970, UTC."""
        return self.epoch_s + self._loop.time()

    def sleep_ms(self, ms: int) -> None:
        strand = current_strand()
        if strand.door is not None:
            strand.door(strand, ms)
        else:
            self.sleep(int(ms) / 1000)

    def sleep(self, seconds: float) -> None:
        current_strand().wait((self.ms() + round(seconds * 1000)) / 1000)

    def ticks_diff(self, later: int, earlier: int) -> int:
        return Now(later - earlier, self.ms()) if later != earlier else 0

    @contextmanager
    def in_force(self) -> Iterator[None]:
        """Replace the functions of the module `time` for all code of this process."""
        names: dict[str, Any] = {
            "time": self.true_s,
            "time_ns": lambda: self.epoch_s * 10**9 + self.ms() * 10**6,
            "monotonic": self._loop.time,
            "clock_gettime_ns": lambda _: self.ms() * 10**6,
            "sleep": self.sleep,
            "ticks_ms": self.ms,
            "ticks_diff": self.ticks_diff,
            "ticks_add": lambda ticks, delta: ticks + delta,
            "sleep_ms": self.sleep_ms,
        }
        missing = object()
        before = {name: getattr(time, name, missing) for name in names}
        for name, stand_in in names.items():
            setattr(time, name, stand_in)
        try:
            yield
        finally:
            for name, was in before.items():
                if was is missing:
                    delattr(time, name)
                else:
                    setattr(time, name, was)
