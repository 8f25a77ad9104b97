"""A person who opens pages all the time while something else is measured."""

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import cycle
from typing import NamedTuple

from hil_tests.bench.cloud.browser import PAUSE_S, Browser
from hil_tests.bench.scale.processor import Scheduled

END_WITHIN_S = 120.0


class Look(NamedTuple):
    """One page view, in milliseconds."""

    wall: float
    waiting: float  # part of it: ready to run, while other programs had the processors


class Onlooker:
    """A person who opens pages. `pids` are the processes that make the pages; this process fetches them."""

    def __init__(self, browser: Browser, paths: list[str], pids: list[int]) -> None:
        self._browser = browser
        self._paths = paths
        self._pids = [os.getpid(), *pids]

    @contextmanager
    def at_work(self) -> Iterator[list[Look]]:
        """Yield the page views of the block; the list is complete at its end. Raises what the last view raised."""
        looks: list[Look] = []
        stop = threading.Event()
        failed: list[Exception] = []

        def look_on() -> None:
            try:
                for path in cycle(self._paths):
                    if stop.wait(PAUSE_S):
                        return
                    looks.append(self._look(path))
            except Exception as error:
                failed.append(error)

        thread = threading.Thread(target=look_on)
        thread.start()
        try:
            yield looks
        finally:
            stop.set()
            thread.join(END_WITHIN_S)
        if failed:
            raise failed[0]

    def _look(self, path: str) -> Look:
        before, began_s = Scheduled.of(self._pids), time.perf_counter()
        self._browser.get(path)
        wall_ms = (time.perf_counter() - began_s) * 1000
        spent = Scheduled.of(self._pids).since(before)
        return Look(wall_ms, max(0.0, min(spent.waiting_ms, wall_ms - spent.running_ms)))
