"""Up to which id the rows of a table are complete, so that a cursor over the ids passes no row by.

PostgreSQL gives out ids when a row is written, but rows appear when their transactions commit: the row with the smaller
id may be the later one. A transaction locks the table (ROW EXCLUSIVE) before it is given an id, so once all
transactions have ended that held this lock when `newest` was read, no row with a smaller id can appear any more.
Nobody is made to wait for us: https://www.postgresql.org/docs/current/view-pg-locks.html. SQLite has one writer at a
time, and ids in the order of the commits.
"""

import logging
import time

from sqlalchemy import Connection, Table, func, select, text

from cloud_bridge.store.database import Database

LARGEST_ID = 2**63 - 1
WAIT_S = 0.5  # a batch of the recorder takes milliseconds
LOOK_EVERY_S = 0.02

_log = logging.getLogger(__name__)

_WRITERS = text(
    "SELECT virtualtransaction FROM pg_locks JOIN pg_database ON pg_database.oid = pg_locks.database "
    "WHERE datname = current_database() AND locktype = 'relation' AND relation = CAST(:name AS regclass) "
    "AND mode = 'RowExclusiveLock' AND granted"
)


def settled_id(database: Database, table: Table) -> int:
    """Blocks for up to half a second; 0 while somebody has been writing for longer. Raises SQLAlchemyError."""
    if database.file is not None:
        return LARGEST_ID
    with database.reading() as connection:
        newest: int = connection.execute(select(func.coalesce(func.max(table.c.id), 0))).scalar_one()
        writing = _writers(connection, table)
    give_up_s = time.monotonic() + WAIT_S
    while writing:
        if time.monotonic() > give_up_s:
            _log.warning("alerts wait for a transaction that has been writing to %s for a while", table.name)
            return 0
        time.sleep(LOOK_EVERY_S)
        with database.reading() as connection:
            writing &= _writers(connection, table)
    return newest


def _writers(connection: Connection, table: Table) -> set[str]:
    return set(connection.execute(_WRITERS, {"name": table.name}).scalars())
