"""The lock of a shard of the units, which one process holds as long as it runs.

Two processes with the same shard would log in to an outside broker under the same name, so that each would close the
other's connection again and again, and both would write the shard's row of `listening`.

The lock ends with its holder, even by kill -9 (exclusive_lock.py). On PostgreSQL it is an advisory lock of a session of
its own. If the connection to the server is lost the lock is lost too, so the holder checks it regularly (`look`) and
takes it again.
"""

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress

from sqlalchemy import Connection, func, select, text
from sqlalchemy.exc import SQLAlchemyError

from cloud_bridge.errors import BridgeError
from cloud_bridge.store.database import Database
from cloud_bridge.store.exclusive_lock import LockTimeout, exclusive_lock

WAIT_S = 5.0  # time for the previous process to end
LOOK_EVERY_S = 5.0
TRY_EVERY_S = 0.1
# How soon the server gives up a holder whose machine has disappeared without closing its connection, in seconds.
_KEEPALIVES = ("tcp_keepalives_idle = 5", "tcp_keepalives_interval = 5", "tcp_keepalives_count = 3")


class ShardTaken(BridgeError):
    """Another process has this shard."""

    def __init__(self, number: int) -> None:
        super().__init__(
            f"another process already receives part {number} of the units: end it, or give each process a part of its own, "
            "as CHARGEKEEPER_PART=1/2 and CHARGEKEEPER_PART=2/2"
        )


class ShardLock:
    """Held from `hold_shard` on."""

    def __init__(self, database: Database, number: int) -> None:
        self.lost: ShardTaken | None = None  # set if another process took it while the database was not available
        self._database = database
        self._number = number
        self._what = f"shard-{number}"
        self._held = ExitStack()
        self._session: Connection | None = None  # on PostgreSQL

    def take(self, wait_s: float) -> None:
        """Take the lock. Raises ShardTaken after `wait_s`, and SQLAlchemyError."""
        if self._database.file is None:
            self._take_session(wait_s)
            return
        try:
            self._held.enter_context(exclusive_lock(self._database, self._what, wait_s))
        except LockTimeout:
            raise ShardTaken(self._number) from None

    def look(self) -> None:
        """Check that the lock is still ours. Raises ShardTaken if another process has it, and SQLAlchemyError if that
        cannot be checked."""
        if self._session is not None:
            try:
                self._session.execute(text("SELECT 1"))
                self._session.commit()
                return
            except SQLAlchemyError:
                self.release()
        if self._database.file is None:
            try:
                self._take_session(WAIT_S)
            except ShardTaken as taken:
                self.lost = taken
                raise

    def release(self) -> None:
        self._session = None
        with suppress(SQLAlchemyError):  # the session has ended, and its lock with it
            self._held.close()

    def _take_session(self, wait_s: float) -> None:
        give_up_s = time.monotonic() + wait_s
        with ExitStack() as opened:
            own = self._database.separate(1)
            opened.callback(own.close)
            session = opened.enter_context(own.reading())
            for setting in _KEEPALIVES:
                session.execute(text(f"SET {setting}"))
            name = func.hashtextextended(self._what, 0)
            while not session.execute(select(func.pg_try_advisory_lock(name))).scalar_one():
                session.commit()
                if time.monotonic() > give_up_s:
                    raise ShardTaken(self._number)
                time.sleep(TRY_EVERY_S)
            session.commit()  # the lock belongs to the session, not to the transaction
            self._held, self._session = opened.pop_all(), session


class NoLock(ShardLock):
    """The lock of a process without a part of its own: one of a cluster, whose units are shared, or one that receives
    no messages."""

    def take(self, wait_s: float) -> None:
        """Do nothing."""

    def look(self) -> None:
        """Do nothing: no other process can take it."""


@contextmanager
def hold_shard(database: Database, number: int, wait_s: float = WAIT_S, is_shared: bool = False) -> Iterator[ShardLock]:
    """Hold the lock of a shard. Raises ShardTaken if another process has it for `wait_s`, and SQLAlchemyError."""
    lock = NoLock(database, number) if is_shared else ShardLock(database, number)
    lock.take(wait_s)
    try:
        yield lock
    finally:
        lock.release()
