"""One process at a time, of all that use the same database: a lock that ends with its holder.

The kernel lets go of a file's lock, and PostgreSQL of a transaction's, as soon as the process that holds it has died;
as long as it lives, nobody else comes in, however slow it is. No clock has a part in it, so none that jumps can let in
two. Where PostgreSQL itself is lost and found again, its locks are gone: what is done under one must bear that.
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
    """Somebody else is at it, and was for as long as we waited."""


@contextmanager
def exclusive_lock(database: Database, what: str, wait_s: float) -> Iterator[None]:
    """Raises LockTimeout. `what` is the name of a file, where the database is one."""
    if database.file is None:
        with _postgresql_lock(database, what, wait_s):
            yield
    else:
        with _file_lock(database.file.with_name(f"{what}.lock"), wait_s):
            yield


@contextmanager
def _postgresql_lock(database: Database, what: str, wait_s: float) -> Iterator[None]:
    with database.reading() as connection:
        connection.execute(text("SET LOCAL statement_timeout = 0"))  # in favour of the one below
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
    """None while somebody has it, or when the file that we locked has gone with its last holder."""
    file = open(path, "ab", opener=private_opener)  # noqa: SIM115  it is returned open
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.path.samestat(os.fstat(file.fileno()), path.stat()):
            return file
    except (BlockingIOError, FileNotFoundError):
        pass
    file.close()
    return None
