"""Leader election: one of the processes on a database does the upkeep, and another one takes over when it has gone.

The leader is the process that holds the lock, which is released with its holder:

    database       lock                               released if the holder is killed   if it hangs or is cut off
    --------------------------------------------------------------------------------------------------------------------
    SQLite         flock of `upkeep.lock` beside it   at once                            when it is killed
    PostgreSQL     advisory lock of a separate        at once, with its connection       after DEAD_LINE_S: PostgreSQL
                   session                                                               ends an idle session

Every process tries to get the lock every LOOK_EVERY_S. The holder of a session executes a query each time, and leads
for LEADS_S from the start of the last query that was answered. That is less than DEAD_LINE_S, so a holder that loses
the network stops before another process begins.

Two processes may still lead at the same time for a moment: if PostgreSQL has restarted or ended the session, which the
holder detects with its next query; if a process was suspended; or if work that has begun takes longer than that. So
every duty tolerates another process that does the same: marks are compare-and-set (transitions.py,
vehicles.repository.claim_poll), alerts are taken once (untold.py) and claimed (alerts.claim_alert), and aggregation and
deletion have the same result if done twice.

A connection pooler in front of PostgreSQL must use session pooling (PgBouncer: `pool_mode = session`).
"""

import fcntl
import math
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import IO, Protocol

from sqlalchemy import Connection, func, select, text
from sqlalchemy.exc import SQLAlchemyError

from cloud_bridge.clock import Clock, monotonic_ms
from cloud_bridge.store.database import Database
from cloud_bridge.store.private_files import private_opener

LOOK_EVERY_S = 1.0
LEADS_S = 5.0
DEAD_LINE_S = 6  # PostgreSQL ends a session that is idle, or before version 14 dead, for this time
PROBE_S = 2  # before the first TCP keepalive, and between two
IDLE_SESSIONS_SINCE = 14  # the PostgreSQL version that introduced idle_session_timeout
ANSWER_MS = 5000  # the longest statement of the session
NAME = "upkeep"


class Lock(Protocol):
    """A lock that one process holds at a time."""

    lasts_s: float  # how long it is certainly held after the start of `hold`

    def hold(self) -> bool:
        """Get the lock, or check that it is still held. Raises SQLAlchemyError or OSError; it is not held then."""
        ...

    def close(self) -> None: ...


class FileLock:
    """A file lock, which the kernel keeps while this process has the file open."""

    lasts_s = math.inf

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: IO[bytes] | None = None

    def hold(self) -> bool:
        if self._file is None:
            file = open(self._path, "ab", opener=private_opener)  # noqa: SIM115  it stays open
            try:
                if os.geteuid() == 0:  # so that the bridge's user can open a lock file that root has created
                    owner = self._path.parent.stat()
                    os.fchown(file.fileno(), owner.st_uid, owner.st_gid)
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                file.close()
                return False
            self._file = file
        return True

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None


class SessionLock:
    """An advisory lock of a PostgreSQL session."""

    lasts_s = LEADS_S

    def __init__(self, database: Database) -> None:
        self._database = database.separate(1)
        self._session: Connection | None = None
        self._is_held = False

    def hold(self) -> bool:
        try:
            if self._session is None:
                self._session = self._database.session()
                for name, value in _limits(self._session).items():
                    self._session.execute(text(f"SET {name} = {value}"))
            if self._is_held:
                self._session.execute(select(1))
            else:
                locking = select(func.pg_try_advisory_lock(func.hashtextextended(NAME, 0)))
                self._is_held = self._session.execute(locking).scalar_one()
        except SQLAlchemyError:
            self._leave()
            raise
        return self._is_held

    def close(self) -> None:
        self._leave()
        self._database.close()

    def _leave(self) -> None:
        self._is_held = False
        if self._session is not None:
            with suppress(SQLAlchemyError):
                self._session.invalidate()  # closes the session, which releases the lock
                self._session.close()
            self._session = None


def _limits(session: Connection) -> dict[str, int]:
    limits = {
        "statement_timeout": ANSWER_MS,
        "tcp_keepalives_idle": PROBE_S,
        "tcp_keepalives_interval": PROBE_S,
        "tcp_keepalives_count": DEAD_LINE_S // PROBE_S - 1,
        "tcp_user_timeout": DEAD_LINE_S * 1000,
    }
    version = session.execute(text("SHOW server_version_num")).scalar_one()
    if int(version) >= IDLE_SESSIONS_SINCE * 10_000:
        limits["idle_session_timeout"] = DEAD_LINE_S * 1000
    return limits


def _monotonic_s() -> float:
    return monotonic_ms() / 1000  # includes the time for which the machine was suspended


class Leadership:
    """Whether this process leads. Call `look` on one thread at a time; the rest may be used on any thread."""

    def __init__(self, lock: Lock, clock: Clock, monotonic_s: Callable[[], float] = _monotonic_s) -> None:
        self._lock = lock
        self._clock = clock
        self._monotonic_s = monotonic_s
        self._until_s = -math.inf
        self._since_ms = 0

    @property
    def is_leader(self) -> bool:
        return self._monotonic_s() < self._until_s

    @property
    def since_ms(self) -> int | None:
        """When this process began to lead; None if it does not lead."""
        return self._since_ms if self.is_leader else None

    def look(self) -> None:
        """Try to get or keep the lock. Call this every LOOK_EVERY_S. Raises SQLAlchemyError or OSError; this process
        then does not lead."""
        asked_s, was_leader = self._monotonic_s(), self.is_leader
        try:
            is_held = self._lock.hold()
        except BaseException:
            self._until_s = -math.inf
            raise
        if is_held and not was_leader:
            self._since_ms = self._clock.now_ms()
        self._until_s = asked_s + self._lock.lasts_s if is_held else -math.inf

    def close(self) -> None:
        """Stop leading, and release the lock at once."""
        self._until_s = -math.inf
        self._lock.close()


def lock_of(database: Database) -> Lock:
    """Return the lock that all processes on this database share."""
    return SessionLock(database) if database.file is None else FileLock(database.file.with_name(f"{NAME}.lock"))
