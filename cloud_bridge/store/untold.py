"""Rows that people still have to be alerted to: each is taken once, however many processes write and read.

A cursor over the ids would miss some of them: PostgreSQL assigns an id when a row is written, but the row becomes
visible when its transaction commits, which may be after rows with larger ids. So each row has its own mark whether it
is untold. The process that takes it clears the mark in the transaction in which the alerts are queued. A row becomes
visible with its commit, whenever that is and whatever happens to other ids, and a transaction that is kept open delays
only its own rows.

Only one transaction at a time queues alerts (`queueing`), since whether an alert is held down depends on what is in the
queue.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Select, Table, func, select, update

AT_ONCE = 1000  # rows


def take(connection: Connection, table: Table, query: Select[Any]) -> Sequence[Any]:
    """Take the untold rows of `table` that `query` finds, by id, at most AT_ONCE; they are then marked as told. Each
    row of the result has the column `id` of the table. A row that another transaction is changing is left for the next
    time."""
    untold = query.where(table.c.untold).order_by(table.c.id).limit(AT_ONCE)
    rows = connection.execute(untold.with_for_update(skip_locked=True, of=table)).all()
    if rows:
        taken = table.c.id.in_([row.id for row in rows])
        connection.execute(update(table).where(taken).values(untold=False))
    return rows


def queueing(connection: Connection) -> None:
    """From now to its end, only this transaction queues alerts; waits for another one that does so. SQLite has one
    writer at a time anyway."""
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(func.hashtextextended("alerts", 0))))
