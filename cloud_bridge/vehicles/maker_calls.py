"""Calls to car makers, on separate threads: a few at a time, one call for each vehicle, and with bounded waiting.

A maker may use the whole deadline for every response. Each maker therefore has a few threads, and can occupy no others: a slow
maker delays neither pages nor charge points nor other makers. The poller has threads of its own, so drivers and poller do not
wait for each other. A call that a page no longer waits for goes on, and its result is stored.
"""

import asyncio
import logging
from collections.abc import Callable, Hashable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from functools import partial
from threading import RLock
from typing import Any, TypeVar

from cloud_bridge.errors import BridgeError

AT_ONCE = 4  # threads for drivers' calls to one maker; the poller has as many again
MAX_WAITING = 40  # drivers' calls to one maker; at ten seconds each, the last would wait a minute and a half

Result = TypeVar("Result")

_log = logging.getLogger(__name__)


class MakerBusy(BridgeError):
    """Too many drivers are already waiting for this maker."""


class MakerSlow(BridgeError):
    """There is no response yet. The call goes on."""


class MakerCalls:
    """The threads and calls of all makers. Thread-safe. `maker` is the provider's name; `about` is the subject of the call,
    such as a vehicle or a grant."""

    def __init__(self) -> None:
        self.refused = 0  # calls that found too many waiting
        self._lock = RLock()  # reentrant: a future that is already done calls back at once, in this thread
        self._threads: dict[tuple[str, bool], ThreadPoolExecutor] = {}
        self._waiting: dict[str, int] = {}  # drivers' calls by maker, including those in progress
        self._drivers: dict[Hashable, Future[Any]] = {}  # in progress, by subject
        self._polls: dict[Hashable, Future[Any]] = {}

    async def for_driver(
        self, maker: str, work: Callable[[], Result], within_s: float, about: Hashable | None = None
    ) -> Result:
        """Return the result of `work`. Drivers' calls about the same subject share one call, which starts after a poll in
        progress.

        Raises MakerBusy, MakerSlow after `within_s`, and whatever `work` raises.
        """
        waiting = asyncio.wrap_future(self._driver_call(maker, work, about))
        done, _ = await asyncio.wait({waiting}, timeout=within_s)  # wait() does not cancel pending calls
        if not done:
            waiting.add_done_callback(_forget)
            raise MakerSlow("the car maker has not answered yet")
        return await waiting

    def for_poller(self, maker: str, work: Callable[[], Any], about: Hashable) -> Future[Any] | None:
        """Start `work`. Return None while a driver's or the poller's call about the same subject is in progress."""
        with self._lock:
            if about in self._drivers or about in self._polls:
                return None
            future = self._pool(maker, is_driver=False).submit(work)
            self._polls[about] = future
            future.add_done_callback(partial(self._poll_ended, about))
            return future

    def is_asking(self, about: Hashable) -> bool:
        """Return True if a driver's call about the subject is in progress."""
        return about in self._drivers

    def close(self) -> None:
        """Start no further calls. Does not wait for those in progress."""
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
    """Log the error of a call that nobody waits for."""
    if not ended.cancelled() and (error := ended.exception()) is not None:
        _log.warning("a car maker's late answer was an error: %s", type(error).__name__)
