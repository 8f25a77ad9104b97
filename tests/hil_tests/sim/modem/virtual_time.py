"""An event loop on which waiting takes no time: when nothing is ready, the clock jumps to the next timer."""

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class _LeapingSelector(selectors.DefaultSelector):
    """Never waits; `leapt_s` is the sum of the skipped waits."""

    leapt_s = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Return what is ready now. If nothing is, advance the clock by the whole timeout."""
        ready: list[tuple[selectors.SelectorKey, int]] = super().select(0)
        if not ready and timeout is None:
            raise RuntimeError("nothing is ready and no timer is set: this would wait for ever")
        if not ready and timeout:
            self.leapt_s += timeout
        return ready


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """A selector loop with its own clock, which starts at 0 s."""

    def __init__(self) -> None:
        self._leaping = _LeapingSelector()
        super().__init__(self._leaping)

    def time(self) -> float:
        """Return the seconds since the loop was created."""
        return self._leaping.leapt_s


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine on a new loop, without waiting."""
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(work)
