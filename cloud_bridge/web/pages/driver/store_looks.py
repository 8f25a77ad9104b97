"""Polls the store on behalf of all live streams of this process, for messages that other processes received and for access
rights that ended.

While any stream waits, the versions (store/page_versions.py) of everything that the streams show are read in one query, every
LOOK_S. While no stream waits, the store is not polled. A store that does not answer ends no stream: the poll is counted in
`missed_looks` and repeated. Only one poll runs at a time.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy.exc import SQLAlchemyError

from cloud_bridge.app_state import AppState
from cloud_bridge.store.page_versions import Version, Versions, unit_versions, viewer_versions

LOOK_S = 0.5


@dataclass(eq=False, slots=True)
class _Wait:
    """What one stream waits for."""

    unit_id: str
    session: str
    seen: Versions
    changed: "asyncio.Future[None]"


class StoreLooks:
    """The poller. Used on one event loop."""

    def __init__(self, app_state: AppState) -> None:
        self.is_away = False  # the store did not answer the last poll
        self._app_state = app_state
        self._waits: dict[_Wait, None] = {}
        self._looking: asyncio.Task[None] | None = None

    @contextmanager
    def watch(self, unit_id: str, session: str, seen: Versions) -> "Iterator[asyncio.Future[None]]":
        """Yield a future that is done when the store has other versions than `seen`, or when it answers again."""
        loop = asyncio.get_running_loop()
        wait = _Wait(unit_id, session, seen, loop.create_future())
        self._waits[wait] = None
        if self._looking is None or self._looking.done():
            self._looking = loop.create_task(self._look())
        try:
            yield wait.changed
        finally:
            del self._waits[wait]

    async def _look(self) -> None:
        """Poll until no stream waits. The task must not be cancelled: its thread would go on, and the next poll would run
        beside it."""
        await asyncio.sleep(LOOK_S)
        while waits := list(self._waits):
            unit_ids, sessions = {wait.unit_id for wait in waits}, {wait.session for wait in waits}
            try:
                units, viewers = await asyncio.to_thread(self._ask, unit_ids, sessions)
            except SQLAlchemyError:
                self._app_state.counters.missed_looks += 1
                self.is_away = True
            else:
                was_away, self.is_away = self.is_away, False
                for wait in waits:
                    now = Versions(units.get(wait.unit_id), viewers.get(wait.session))
                    if (was_away or now != wait.seen) and not wait.changed.done():
                        wait.changed.set_result(None)
            await asyncio.sleep(LOOK_S)

    def _ask(self, unit_ids: set[str], sessions: set[str]) -> tuple[dict[str, Version], dict[str, Version]]:
        now_ms = self._app_state.verified.now_ms()
        with self._app_state.database.reading() as connection:
            return unit_versions(connection, unit_ids), viewer_versions(connection, sessions, now_ms)
