"""A database that fails where and how a test wants, below SQLAlchemy: the driver's own errors at any point of a transaction.

The errors are those of SQLite and PostgreSQL in trouble; the data are stored in a real database.
"""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg import errors
from sqlalchemy import Connection, event
from sqlalchemy.exc import (
    DisconnectionError,
    InvalidRequestError,
    PendingRollbackError,
    ResourceClosedError,
    TimeoutError,
)

from cloud_bridge.store.database import Database
from tests.cloud_bridge.engines import engines_apart

MakeError = Callable[[], BaseException]


def _of(module: Any, name: str) -> MakeError:
    return lambda: getattr(module, name)(f"injected {name}")


PEP_249 = (
    "Error",
    "InterfaceError",
    "DatabaseError",
    "DataError",
    "OperationalError",
    "IntegrityError",
    "InternalError",
    "ProgrammingError",
    "NotSupportedError",
)
POSTGRESQL = (  # errors of a server in trouble, by class
    "ReadOnlySqlTransaction",  # it has become a standby
    "DiskFull",
    "OutOfMemory",
    "QueryCanceled",  # statement_timeout
    "LockNotAvailable",
    "DeadlockDetected",
    "SerializationFailure",
    "AdminShutdown",
    "CrashShutdown",
    "CannotConnectNow",  # it is starting up or recovering
    "TooManyConnections",
    "IdleInTransactionSessionTimeout",
    "InsufficientPrivilege",
    "UndefinedTable",
    "DataCorrupted",
    "ProgramLimitExceeded",
)
SQLITE = (
    "database is locked",
    "database or disk is full",
    "disk I/O error",
    "attempt to write a readonly database",
    "unable to open database file",
    "database disk image is malformed",
)
OURS: dict[str, MakeError] = {  # errors of SQLAlchemy and of this process
    "pool empty": lambda: TimeoutError("QueuePool limit of size 1 overflow 0 reached, connection timed out"),
    "InvalidRequestError": lambda: InvalidRequestError("injected"),
    "PendingRollbackError": lambda: PendingRollbackError("injected"),
    "ResourceClosedError": lambda: ResourceClosedError("injected"),
    "DisconnectionError": lambda: DisconnectionError("injected"),
    "MemoryError": lambda: MemoryError("injected"),
    "OSError": lambda: OSError(24, "too many open files"),
    "RuntimeError": lambda: RuntimeError("injected"),
}
CUT = "connection cut"  # closes the driver's connection


def errors_of(dialect: str) -> dict[str, MakeError]:
    """Return every error to inject, by a name for the transcript."""
    module = psycopg if dialect == "postgresql" else sqlite3
    found = {name: _of(module, name) for name in PEP_249} | OURS
    if dialect == "postgresql":
        return found | {name: _of(errors, name) for name in POSTGRESQL} | {CUT: _of(psycopg, "OperationalError")}
    return found | {text: (lambda text=text: sqlite3.OperationalError(text)) for text in SQLITE}


class UnkindDatabase(Database):
    """The same database as another, through its own connection. `fail` arms it.

    The points that are counted from there: getting a connection, BEGIN, every statement, before COMMIT, and after COMMIT,
    where the commit succeeds but its answer is lost.
    """

    def __init__(self, kind: Database) -> None:
        with engines_apart():
            super().__init__(kind._make_engine, 1)
        self.fired = 0
        self._error: tuple[str, MakeError] | None = None
        self._wait = self._left = 0
        engine = self._engine
        for name in ("do_execute", "do_executemany", "do_execute_no_params"):
            event.listen(engine, name, lambda cursor, *_: self._point(cursor.connection))
        commit = engine.dialect.do_commit

        def unkind_commit(connection: Any) -> None:
            self._point(connection)
            commit(connection)
            self._point(connection)

        engine.dialect.do_commit = unkind_commit  # type: ignore[method-assign, assignment]

    def fail(self, name: str, make: MakeError, after: int, times: int) -> None:
        """Let the next `after` points pass, then fail `times` points."""
        self._error, self._wait, self._left = (name, make), after, times

    def heal(self) -> None:
        self._error = None

    @contextmanager
    def writing(self, first: bool = False) -> Iterator[Connection]:
        self._point(None)
        with super().writing(first) as connection:
            yield connection

    def _point(self, connection: Any) -> None:
        if self._error is None:
            return
        if self._wait > 0:
            self._wait -= 1
            return
        if self._left == 0:
            return
        self._left -= 1
        self.fired += 1
        name, make = self._error
        if name == CUT and connection is not None:
            connection.close()
        raise make()
