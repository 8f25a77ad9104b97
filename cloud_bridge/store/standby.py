"""A standby: a PostgreSQL server that replays what the primary writes, and from which pages may read
(CHARGEKEEPER_DATABASE_READ).

It is used while it is no more than MAX_LAG_S behind. The lag is measured without the clock of another machine: each
look notes where the primary's log ends, and finds the newest of these notes that the standby has replayed. So a standby
whose connection is cut, and which therefore believes that it has replayed everything, is nevertheless found to be
behind. A standby that has been promoted replays nothing, and is not used.

Nothing is written there, and access rights are never read there: a login that was ended has ended at once.
"""

import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import NamedTuple

from sqlalchemy import Connection, text
from sqlalchemy.exc import SQLAlchemyError

from cloud_bridge.errors import StoreUnusable
from cloud_bridge.store.database import Database

LOOK_EVERY_S = 1.0
MAX_LAG_S = 3.0
LOOKS = int(MAX_LAG_S / LOOK_EVERY_S) + 2
OWN_WRITES_S = 10  # how long a browser that has written reads the primary: more than MAX_LAG_S, a look and its waits


class Note(NamedTuple):
    """Where the primary's log ended at a time."""

    at_s: float
    position: int


def lag_s(notes: "deque[Note]", replayed: int | None, now_s: float) -> float | None:
    """By how much, at most, a standby that has replayed up to `replayed` is behind. None: by more than can be told, or
    it replays nothing. The notes are oldest first. Pure."""
    if replayed is None:
        return None
    return next((now_s - note.at_s for note in reversed(notes) if note.position <= replayed), None)


class Standby:
    """The standby. Thread-safe."""

    def __init__(
        self,
        database: Database,
        primary: Database,
        on_fallback: Callable[[], object],
        monotonic_s: Callable[[], float] = time.monotonic,
    ) -> None:
        """`database` is the standby's (open_standby); it is closed by `close`. `on_fallback` is called for each page
        that is read from the primary because the standby is not available or too far behind."""
        self._on_fallback = on_fallback
        self._database = database
        self._primary = primary
        self._monotonic_s = monotonic_s
        self._notes: deque[Note] = deque(maxlen=LOOKS)
        self._current_until_s = -1.0

    @property
    def is_current(self) -> bool:
        return self._monotonic_s() < self._current_until_s

    def look(self) -> None:
        """Check the standby; to be called every LOOK_EVERY_S. Raises StoreUnusable for a standby that must not be used
        now, and SQLAlchemyError."""
        with self._primary.reading() as connection:
            position = connection.execute(_END_OF_LOG).scalar_one()
        self._notes.append(Note(self._monotonic_s(), int(position)))
        with self._database.reading() as connection:
            replayed = connection.execute(_REPLAYED).scalar_one()
        now_s = self._monotonic_s()
        behind_s = lag_s(self._notes, None if replayed is None else int(replayed), now_s)
        if behind_s is None or behind_s >= MAX_LAG_S:
            self._current_until_s = -1.0
            why = "is not a standby, or was promoted" if replayed is None else f"is {MAX_LAG_S:.0f} s behind or more"
            raise StoreUnusable(f"the database of CHARGEKEEPER_DATABASE_READ {why}: pages read the primary")
        self._current_until_s = now_s - behind_s + MAX_LAG_S

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """One consistent view of the standby; if that is not possible, of the primary, which is counted."""
        with ExitStack() as held:
            connection = self._connect(held)
            if connection is None:
                self._on_fallback()
                connection = held.enter_context(self._primary.reading())
            yield connection

    def _connect(self, held: ExitStack) -> Connection | None:
        if not self.is_current:
            return None
        try:
            return held.enter_context(self._database.reading())
        except SQLAlchemyError:
            self._current_until_s = -1.0  # until the next look
            return None

    def close(self) -> None:
        self._database.close()


_END_OF_LOG = text("SELECT pg_current_wal_flush_lsn() - '0/0'::pg_lsn")  # in bytes
_REPLAYED = text("SELECT CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() - '0/0'::pg_lsn END")
