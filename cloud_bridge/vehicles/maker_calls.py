"""Calls to car makers, off the threads of the pages: few at a time, one look a vehicle, and nobody waits for long.

A maker may take its whole deadline for every answer. So each maker has a few threads of its own, which are all that it
can keep busy: one that is slow stalls neither pages, nor units, nor another maker. The watch has threads beside those,
so that drivers and watch do not wait for each other. What a page no longer waits for goes on, and is stored.
"""

import asyncio
import logging
from collections.abc import Callable, Hashable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from functools import partial
from threading import RLock
from typing import Any, TypeVar

from cloud_bridge.errors import BridgeError

AT_ONCE = 4  # for drivers, of one maker; as many again for the watch
MAX_WAITING = 40  # of drivers, for one maker; with ten seconds each, the last would wait a minute and a half

Result = TypeVar("Result")

_log = logging.getLogger(__name__)


class MakerBusy(BridgeError):
    """Too many drivers wait for this maker already."""


class MakerSlow(BridgeError):
    """There is no answer yet. What was begun goes on."""


class MakerCalls:
    """Thread-safe. `maker` is the provider's name, `about` what the call is about: a vehicle, a grant."""

    def __init__(self) -> None:
        self.refused = 0  # that found too many waiting
        self._lock = RLock()  # a call that has ended already reports so at once, in the thread that began it
        self._threads: dict[tuple[str, bool], ThreadPoolExecutor] = {}
        self._waiting: dict[str, int] = {}  # drivers' calls of each maker, with those that are under way
        self._drivers: dict[Hashable, Future[Any]] = {}  # under way, by what they are about
        self._watch: dict[Hashable, Future[Any]] = {}

    async def for_driver(
        self, maker: str, work: Callable[[], Result], within_s: float, about: Hashable | None = None
    ) -> Result:
        """The result of `work`. Drivers' calls about the same are one while it is under way; it comes after the watch's.

        Raises MakerBusy, MakerSlow after `within_s`, and whatever `work` does.
        """
        waiting = asyncio.wrap_future(self._driver_call(maker, work, about))
        done, _ = await asyncio.wait({waiting}, timeout=within_s)  # does not cancel what is not done
        if not done:
            waiting.add_done_callback(_forget)
            raise MakerSlow("the car maker has not answered yet")
        return await waiting

    def for_watch(self, maker: str, work: Callable[[], Any], about: Hashable) -> Future[Any] | None:
        """Begin it. None while a call about the same is under way, the driver's or the watch's."""
        with self._lock:
            if about in self._drivers or about in self._watch:
                return None
            future = self._pool(maker, is_driver=False).submit(work)
            self._watch[about] = future
            future.add_done_callback(partial(self._watch_ended, about))
            return future

    def is_asking(self, about: Hashable) -> bool:
        """Whether a driver's call is under way."""
        return about in self._drivers

    def close(self) -> None:
        """Nothing more begins. Does not wait for what is under way."""
        with self._lock:
            for threads in self._threads.values():
                threads.shutdown(wait=False, cancel_futures=True)

    def _driver_call(self, maker: str, work: Callable[[], Result], about: Hashable | None) -> "Future[Result]":
        with self._lock:
            if about is not None and (same := self._drivers.get(about)) is not None:
                return same
            if self._waiting.get(maker, 0) >= AT_ONCE + MAX_WAITING:
                self.refused += 1
                raise MakerBusy("the car maker is slow, and many are waiting for it")
            before = self._watch.get(about)
            call = work if before is None else partial(_after, before, work)
            future = self._pool(maker, is_driver=True).submit(call)
            self._waiting[maker] = self._waiting.get(maker, 0) + 1
            if about is not None:
                self._drivers[about] = future
            future.add_done_callback(lambda _: self._driver_ended(maker, about))
            return future

    def _pool(self, maker: str, is_driver: bool) -> ThreadPoolExecutor:
        threads = self._threads.get((maker, is_driver))
        if threads is None:
            threads = self._threads[maker, is_driver] = ThreadPoolExecutor(AT_ONCE, f"maker-{maker}")
        return threads

    def _driver_ended(self, maker: str, about: Hashable | None) -> None:
        with self._lock:
            self._waiting[maker] -= 1
            self._drivers.pop(about, None)

    def _watch_ended(self, about: Hashable, ended: Future[Any]) -> None:
        with self._lock:
            self._watch.pop(about, None)
        if not ended.cancelled() and (error := ended.exception()) is not None:
            _log.error("a look at %s ended in an unexpected error", about, exc_info=error)


def _after(before: "Future[Any]", work: Callable[[], Result]) -> Result:
    wait({before})
    return work()


def _forget(ended: "asyncio.Future[Any]") -> None:
    """Nobody waits for this one any more."""
    if not ended.cancelled() and (error := ended.exception()) is not None:
        _log.warning("a car maker's late answer was an error: %s", type(error).__name__)
