"""Watches the charge points of all live streams, and limits the streams of each account.

While any stream waits, each charge point that is shown is checked once per LOOK_S, however many streams show it. The check
reads the state in memory, so it detects contacts and heartbeats, and also silence, which no message announces. What is not in
the memory of this process is polled from the store (store_looks.py). A stream is woken when its content may have changed.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import TypeVar, TypeVarTuple

from cloud_bridge.app_state import AppState
from cloud_bridge.store.page_versions import Versions
from cloud_bridge.store.units import Unit
from cloud_bridge.web.pages.driver.store_looks import StoreLooks
from cloud_bridge.web.presentation.view import charge_point, is_outdated, mark

Arguments = TypeVarTuple("Arguments")
Content = TypeVar("Content")

LOOK_S = 0.5
# Streams that render or read in threads at a time; otherwise 100 pages of one charge point would delay all requests.
AT_ONCE = 1
FRESH_S = 1.0  # for this time, content made for one page of a browser is reused for its other pages
MOST_OF_ACCOUNT = 10  # streams; a browser has one for all its pages


class Turn:
    """One stream, until it is closed."""

    def __init__(self, looks: "Looks") -> None:
        self._looks = looks
        self._closed: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def close(self) -> None:
        if not self._closed.done():
            self._closed.set_result(None)

    @property
    def is_closed(self) -> bool:
        return self._closed.done()

    @property
    def is_store_away(self) -> bool:
        """True if the store did not answer the last poll. Streams do not read it then, because each read may block for
        seconds."""
        return self._looks.store.is_away

    async def in_turn(self, work: Callable[[*Arguments], Content], *arguments: *Arguments) -> Content:
        """Run `work` in a thread, when it is this stream's turn."""
        async with self._looks.working:
            return await asyncio.to_thread(work, *arguments)

    async def made(self, viewer: str, mark: str, make: Callable[[*Arguments], str], *arguments: *Arguments) -> str:
        """Return the content for a mark (view.mark). It is made once for all streams of the viewer that reach this mark."""
        return await self._looks.made((viewer, mark), self.in_turn(make, *arguments))

    async def changed(self, unit: Unit, seen: str, viewer: str, versions: Versions, within_s: float) -> bool:
        """Wait until the charge point may differ from `seen` (view.mark without vehicles), until the store has other versions
        for this session, until the turn is closed, or for `within_s`. Return True if the store has other versions."""
        looks = self._looks
        with looks.watch(unit, seen) as change, looks.store.watch(unit.id, viewer, versions) as is_newer:
            await asyncio.wait({change, is_newer, self._closed}, timeout=within_s, return_when=asyncio.FIRST_COMPLETED)
            return is_newer.done()


class _Watch:
    """The streams that show the same row of a charge point, and the future that they wait for."""

    def __init__(self, seen: str) -> None:
        self.seen = seen
        self.streams = 0
        self.changed: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def wake(self) -> None:
        self.changed.set_result(None)
        self.changed = asyncio.get_running_loop().create_future()


class Looks:
    """The watcher of all streams. Used on one event loop."""

    def __init__(self, app_state: AppState) -> None:
        self._app_state = app_state
        self.store = StoreLooks(app_state)
        self.working = asyncio.Semaphore(AT_ONCE)
        self._made: dict[tuple[str, str], asyncio.Task[str]] = {}
        self._watches: dict[Unit, _Watch] = {}
        self._looking: asyncio.Task[None] | None = None
        self._turns: dict[int, OrderedDict[Turn, None]] = {}

    @contextmanager
    def turn(self, person_id: int) -> Iterator[Turn]:
        """Register a stream of the account. If there are too many, the oldest is closed."""
        turn, turns = Turn(self), self._turns.setdefault(person_id, OrderedDict())
        turns[turn] = None
        if len(turns) > MOST_OF_ACCOUNT:
            self._app_state.counters.closed_streams += 1
            turns.popitem(last=False)[0].close()
        try:
            yield turn
        finally:
            turns.pop(turn, None)
            if not turns and self._turns.get(person_id) is turns:
                del self._turns[person_id]

    async def made(self, key: tuple[str, str], making: Coroutine[None, None, str]) -> str:
        """Return recently made content for the key, or make it."""
        task = self._made.get(key)
        if task is None:
            task = self._made[key] = asyncio.get_running_loop().create_task(making)
            task.add_done_callback(lambda _: task.get_loop().call_later(FRESH_S, self._made.pop, key, None))
        else:
            making.close()
        return await asyncio.shield(task)

    @contextmanager
    def watch(self, unit: Unit, seen: str) -> Iterator[asyncio.Future[None]]:
        """Yield a future that is done when the charge point may differ from `seen`."""
        watch = self._watches.setdefault(unit, _Watch(seen))
        watch.streams += 1
        if self._looking is None or self._looking.done():
            self._looking = asyncio.get_running_loop().create_task(self._look())
        try:
            yield watch.changed
        finally:
            watch.streams -= 1
            if not watch.streams:
                del self._watches[unit]
            if not self._watches:
                self._looking.cancel()

    async def _look(self) -> None:
        while True:
            await asyncio.sleep(LOOK_S)
            for unit, watch in list(self._watches.items()):
                now = mark(charge_point(self._app_state, unit), "")
                if now != watch.seen or is_outdated(self._app_state, unit):
                    watch.seen = now
                    watch.wake()
