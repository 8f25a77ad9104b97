"""Rows that people have still to be alerted to: each is taken once, however many processes write and look.

A cursor over the ids would lose some of them: PostgreSQL gives out an id when a row is written, and the row appears when
its transaction commits, which may be after rows with larger ids. So each row says itself whether it is untold. Whoever
takes it changes that in the transaction in which the alerts are queued. A row appears with its commit, whenever that is
and whatever became of other ids, and a transaction that is held open delays its own rows alone.

One transaction at a time queues alerts (`queueing`), since what is held down is judged by what is in the queue.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Select, Table, func, select, update

AT_ONCE = 1000  # rows


def take(connection: Connection, table: Table, query: Select[Any]) -> Sequence[Any]:
    """The untold rows of `table` that `query` finds, by id, AT_ONCE of them at most; they are told then. Each row of the
    result has the column `id` of the table. One that another transaction is changing is left for the next time."""
    untold = query.where(table.c.untold).order_by(table.c.id).limit(AT_ONCE)
    rows = connection.execute(untold.with_for_update(skip_locked=True, of=table)).all()
    if rows:
        taken = table.c.id.in_([row.id for row in rows])
        connection.execute(update(table).where(taken).values(untold=False))
    return rows


def queueing(connection: Connection) -> None:
    """From now to its end, this transaction alone queues alerts; waits for another one that does. SQLite has one writer
    at a time anyway."""
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(func.hashtextextended("alerts", 0))))
