"""A lock among all processes on the same database. It is released when its holder dies.

The kernel releases a file lock, and PostgreSQL a transaction's lock, as soon as the holder has died. While the holder
lives, no other process gets the lock, however slow the holder is. The lock does not depend on a clock, so a clock step
cannot give it to two processes. If PostgreSQL restarts, its locks are lost, and work under a lock must tolerate that.
"""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from sqlalchemy import func, select, text
from sqlalchemy.exc import OperationalError

from cloud_bridge.store.database import Database
from cloud_bridge.store.private_files import private_opener

LOOK_EVERY_S = 0.02
NOT_AVAILABLE = "55P03"  # PostgreSQL's lock_not_available


class LockTimeout(Exception):
    """Another process has held the lock for as long as we waited."""


@contextmanager
def exclusive_lock(database: Database, what: str, wait_s: float) -> Iterator[None]:
    """Hold the lock `what` for the block. With SQLite it is a file of this name beside the database. Raises LockTimeout
    after `wait_s`."""
    if database.file is None:
        with _postgresql_lock(database, what, wait_s):
            yield
    else:
        with _file_lock(database.file.with_name(f"{what}.lock"), wait_s):
            yield


@contextmanager
def _postgresql_lock(database: Database, what: str, wait_s: float) -> Iterator[None]:
    with database.reading() as connection:
        connection.execute(text("SET LOCAL statement_timeout = 0"))  # lock_timeout below applies instead
        connection.execute(text(f"SET LOCAL lock_timeout = {int(wait_s * 1000) or 1}"))
        try:
            connection.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(what, 0))))
        except OperationalError as error:
            if getattr(error.orig, "sqlstate", None) == NOT_AVAILABLE:
                raise LockTimeout from error
            raise
        yield


@contextmanager
def _file_lock(path: Path, wait_s: float) -> Iterator[None]:
    until_s = time.monotonic() + wait_s
    while (file := _locked(path)) is None:
        if time.monotonic() > until_s:
            raise LockTimeout
        time.sleep(LOOK_EVERY_S)
    with file:
        try:
            yield
        finally:
            path.unlink()


def _locked(path: Path) -> IO[bytes] | None:
    """Return the locked file, or None if another process holds the lock or the previous holder has deleted the file
    that we locked."""
    file = open(path, "ab", opener=private_opener)  # noqa: SIM115  it is returned open
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.path.samestat(os.fstat(file.fileno()), path.stat()):
            return file
    except (BlockingIOError, FileNotFoundError):
        pass
    file.close()
    return None
