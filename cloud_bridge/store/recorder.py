"""Writes arrivals from the event loop into the database on a thread of its own, in groups.

While one group is being committed the next one gathers, so a busy moment makes larger transactions rather than a
longer queue. Whoever handed an arrival in is told when it is safe on disk: the embedded broker acknowledges to the
unit only then, so what was acknowledged cannot be lost by killing this process.

A database that cannot be written (a full disk) stops nothing: the group is kept and tried again every second,
`trouble` says why, and units are not acknowledged meanwhile, so they keep their records.
"""

import asyncio
import logging
import threading
import time
from collections.abc import Callable

from sqlalchemy import Connection
from sqlalchemy.exc import OperationalError, SQLAlchemyError

from cloud_bridge.store.arrival import Arrival
from cloud_bridge.store.database import Database
from cloud_bridge.store.record import Listened, record, record_listening

GATHER_S = 0.005  # groups start at most this often: a commit costs about as much as fifty more rows in it
RETRY_S = 1.0
LAST_TRIES = 3  # when closing; what then still cannot be written was never acknowledged

Written = Callable[[], object]  # called on the event loop after the commit; must not raise
Waiting = list[tuple[Arrival | Listened, Written]]

_log = logging.getLogger(__name__)


class Recorder:
    """Created on the event loop, which it calls back; `put` returns at once."""

    def __init__(self, database: Database, loop: asyncio.AbstractEventLoop) -> None:
        self.trouble: str | None = None  # why the last commit failed; None while all is well
        self.refused = 0  # messages that no retry could have helped
        self._database = database
        self._loop = loop
        self._changed = threading.Condition()
        self._waiting: Waiting = []
        self._closing = False
        self._thread = threading.Thread(target=self._run, name="recorder")
        self._thread.start()

    def put(self, item: Arrival | Listened, written: Written) -> None:
        """Write it soon, then call `written`."""
        with self._changed:
            self._waiting.append((item, written))
            if len(self._waiting) == 1:
                self._changed.notify()

    @property
    def waiting(self) -> int:
        """How many items are in no group yet."""
        return len(self._waiting)

    def close(self) -> None:
        """Write what waits, then end. Blocks until done; at most LAST_TRIES tries if the database refuses."""
        with self._changed:
            self._closing = True
            self._changed.notify()
        self._thread.join()

    def _run(self) -> None:
        tries_left = LAST_TRIES
        group: Waiting = []
        while True:
            with self._changed:
                while not self._waiting and not group and not self._closing:
                    self._changed.wait()
                group += self._waiting
                self._waiting = []
            if not group:
                return
            if self._write(group):
                self._loop.call_soon_threadsafe(_tell, group)
                group = []
                pause_s = GATHER_S
            elif self._closing and (tries_left := tries_left - 1) == 0:
                _log.error("gave up %d messages that the database did not take", len(group))
                return
            else:
                pause_s = RETRY_S
            time.sleep(pause_s)

    def _write(self, group: Waiting) -> bool:
        """False: the database cannot be written now."""
        try:
            with self._database.writing() as connection:
                _write_items(connection, [item for item, _ in group])
        except OperationalError as error:
            if self.trouble is None:
                _log.error("the database cannot be written: %s", error.orig)
            self.trouble = str(error.orig)
            return False
        except (SQLAlchemyError, ValueError, OverflowError) as error:
            if len(group) > 1:  # one of them is at fault; the others must not suffer
                return all(self._write([one]) for one in group)
            self.refused += 1
            _log.error("the database refused a message, dropped: %s", error)
        if self.trouble is not None:
            _log.warning("the database can be written again")
            self.trouble = None
        return True


def _write_items(connection: Connection, items: list[Arrival | Listened]) -> None:
    arrivals = [item for item in items if isinstance(item, Arrival)]
    if arrivals:
        record(connection, arrivals)
    for item in items:
        if isinstance(item, Listened):
            record_listening(connection, item)


def _tell(group: Waiting) -> None:
    for _, written in group:
        written()
