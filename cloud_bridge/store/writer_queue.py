"""A queue for the writers of one process, for a database that allows one writer at a time (SQLite).

SQLite has no queue: a writer that finds the file locked tries again, up to 100 ms later, until its busy_timeout ends. A
writer that commits continually keeps it out: beside a busy recorder one transaction of upkeep waited 1.2 s on a loaded
machine (measured), and at the end of the timeout it gets the error "database is locked". Here the writers of one
process wait in a queue, so each waits only for those before it; SQLite's own lock is needed only between processes.
"""

import sqlite3
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import OperationalError


class WriterQueue:
    """The queue. Thread-safe. A writer that asks for a second turn during its first waits until it gets an error."""

    def __init__(self, within_s: float) -> None:
        self._within_s = within_s
        self._changed = threading.Condition()
        self._waiting: deque[object] = deque()
        self._is_taken = False
        self._was_first = False  # whether the last turn was of a writer with `first`

    @contextmanager
    def turn(self, first: bool) -> Iterator[None]:
        """Have the database alone until the end of the block. A writer with `first` goes before all that wait, but not
        twice in succession: then one of the others goes in between. Raises OperationalError if the turn does not come
        within `within_s`."""
        ticket = object()
        with self._changed:
            ahead = int(self._was_first) if first else len(self._waiting)
            self._waiting.insert(ahead, ticket)
            has_come = self._changed.wait_for(
                lambda: not self._is_taken and self._waiting[0] is ticket, timeout=self._within_s
            )
            self._waiting.remove(ticket)
            if not has_come:
                self._changed.notify_all()  # it may have been at the head of the queue
                reason = f"another writer of this process has had the database for {self._within_s:.0f} s"
                raise OperationalError(None, None, sqlite3.OperationalError(reason))
            self._is_taken, self._was_first = True, first
        try:
            yield
        finally:
            with self._changed:
                self._is_taken = False
                self._changed.notify_all()
