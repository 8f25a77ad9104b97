"""Looks at a rig all the time, from a thread, while a test session does something else."""

import threading
import time
from collections.abc import Callable

from hil_tests.rig.contract import Observation, Rig

LOOK_EVERY_S = 0.1


class Watch:
    """Holds a unit to a promise until `stop`; `broken` is the first look at which it was not kept."""

    def __init__(self, rig: Rig, promise: Callable[[Observation], bool]) -> None:
        self._rig, self._promise = rig, promise
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watch", daemon=True)
        self.started_s = time.monotonic()
        self.broken: Observation | None = None
        self._thread.start()

    def stop(self) -> None:
        """Looks no more."""
        self._stopping.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stopping.wait(LOOK_EVERY_S):
            seen = self._rig.observe()
            if not self._promise(seen):
                self.broken = seen
                return
