"""Calls to car makers, on threads of their own: a few at a time, one call for a vehicle, and bounded waiting.

A maker may take its whole deadline for every answer. So each maker has a few threads, which are all that it can occupy: a
slow maker delays neither pages, nor charge points, nor another maker. The poller has further threads, so that drivers and
poller do not wait for each other. A call that a page no longer waits for continues, and its result is stored.
"""

import asyncio
import logging
from collections.abc import Callable, Hashable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from functools import partial
from threading import RLock
from typing import Any, TypeVar

from cloud_bridge.errors import BridgeError

AT_ONCE = 4  # threads of one maker for drivers, and as many again for the poller
MAX_WAITING = 40  # drivers' calls to one maker; at ten seconds each, the last would wait a minute and a half

Result = TypeVar("Result")

_log = logging.getLogger(__name__)


class MakerBusy(BridgeError):
    """Too many drivers wait for this maker already."""


class MakerSlow(BridgeError):
    """There is no answer yet. The call continues."""


class MakerCalls:
    """Thread-safe. `maker` is the provider's name, `about` what the call is about: a vehicle, a grant."""

    def __init__(self) -> None:
        self.refused = 0  # calls that found too many waiting
        self._lock = RLock()  # reentrant: a future that is done calls back at once, in this thread
        self._threads: dict[tuple[str, bool], ThreadPoolExecutor] = {}
        self._waiting: dict[str, int] = {}  # drivers' calls by maker, with those that are running
        self._drivers: dict[Hashable, Future[Any]] = {}  # under way, by what they are about
        self._polls: dict[Hashable, Future[Any]] = {}

    async def for_driver(
        self, maker: str, work: Callable[[], Result], within_s: float, about: Hashable | None = None
    ) -> Result:
        """The result of `work`. Drivers' calls about the same thing share one call; it runs after the poller's.

        Raises MakerBusy, MakerSlow after `within_s`, and whatever `work` raises.
        """
        waiting = asyncio.wrap_future(self._driver_call(maker, work, about))
        done, _ = await asyncio.wait({waiting}, timeout=within_s)  # does not cancel what is not done
        if not done:
            waiting.add_done_callback(_forget)
            raise MakerSlow("the car maker has not answered yet")
        return await waiting

    def for_poller(self, maker: str, work: Callable[[], Any], about: Hashable) -> Future[Any] | None:
        """Begin `work`. None while a call about the same thing is running, a driver's or the poller's."""
        with self._lock:
            if about in self._drivers or about in self._polls:
                return None
            future = self._pool(maker, is_driver=False).submit(work)
            self._polls[about] = future
            future.add_done_callback(partial(self._poll_ended, about))
            return future

    def is_asking(self, about: Hashable) -> bool:
        """Whether a driver's call about it is running."""
        return about in self._drivers

    def close(self) -> None:
        """Begin no further calls. Does not wait for those that are running."""
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
            before = self._polls.get(about)
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

    def _poll_ended(self, about: Hashable, ended: Future[Any]) -> None:
        with self._lock:
            self._polls.pop(about, None)
        if not ended.cancelled() and (error := ended.exception()) is not None:
            _log.error("the poll of %s ended in an unexpected error", about, exc_info=error)


def _after(before: "Future[Any]", work: Callable[[], Result]) -> Result:
    wait({before})
    return work()


def _forget(ended: "asyncio.Future[Any]") -> None:
    """The end of a call that nobody waits for any more."""
    if not ended.cancelled() and (error := ended.exception()) is not None:
        _log.warning("a car maker's late answer was an error: %s", type(error).__name__)
