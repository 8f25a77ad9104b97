"""Which of the processes on one database does the upkeep: one at a time, and another as soon as it has gone.

It is whoever has the lock, which ends with its holder:

    the database is     the lock is                        ends when its holder is killed     stands still, or is cut off
    -----------------------------------------------------------------------------------------------------------------------
    a SQLite file       flock of `upkeep.lock` beside it   at once                            when it is killed
    a PostgreSQL        an advisory lock of a session,     at once: its connection ends       after DEAD_LINE_S: PostgreSQL
                        which nothing else uses            with it                            ends a session that asks nothing

Everybody tries every LOOK_EVERY_S. The holder of a session asks it each time, and leads for LEADS_S from when it asked the
last question that was answered. That is less than DEAD_LINE_S, so a holder that is cut off stops before another begins.

Two may still meet for a moment: PostgreSQL was restarted, or has ended the session, which the holder notices when it asks
the next time; a process stood still; or what was begun takes longer than that. So every duty bears another process that
does the same: what is marked is a compare-and-set (transitions.py, vehicles.repository.claim_poll), alerts are taken once
(untold.py) and claimed (alerts.claim_alert), and what is rolled up or forgotten twice is the same.

A pooler between us and PostgreSQL has to keep a session (PgBouncer: `pool_mode = session`).
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
DEAD_LINE_S = 6  # for which the session asks nothing; before PostgreSQL 14: for which the line is dead
PROBE_S = 2  # pass before the first probe of the line, and between two
IDLE_SESSIONS_SINCE = 14  # idle_session_timeout: a version of PostgreSQL
ANSWER_MS = 5000  # the longest statement of the session
NAME = "upkeep"


class Lock(Protocol):
    """Held by one process at a time."""

    lasts_s: float  # for how long it is certainly held after the question

    def hold(self) -> bool:
        """Get it, or ask whether it is held still. Raises SQLAlchemyError and OSError, and does not hold it then."""
        ...

    def close(self) -> None: ...


class FileLock:
    """The kernel keeps it for as long as this process has the file open."""

    lasts_s = math.inf

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: IO[bytes] | None = None

    def hold(self) -> bool:
        if self._file is None:
            file = open(self._path, "ab", opener=private_opener)  # noqa: SIM115  it stays open
            try:
                if os.geteuid() == 0:  # started by the administrator once, it must not shut the bridge's own user out
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
    """An advisory lock of a connection to PostgreSQL."""

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
                self._session.invalidate()  # the session ends, and with it the lock
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
    return monotonic_ms() / 1000  # with the time in which the machine was suspended


class Leadership:
    """Of this process. `look` on one thread at a time; the rest on any."""

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
        """When it began to lead; None while it does not."""
        return self._since_ms if self.is_leader else None

    def look(self) -> None:
        """To be called every LOOK_EVERY_S. Raises SQLAlchemyError and OSError: then it does not lead."""
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
        """It leads no more, and another process may at once."""
        self._until_s = -math.inf
        self._lock.close()


def lock_of(database: Database) -> Lock:
    """The one for all processes that use this database."""
    return SessionLock(database) if database.file is None else FileLock(database.file.with_name(f"{NAME}.lock"))
