"""A common order of rows: transactions that write rows of several units write them in the order of unit id, in every
table.

Otherwise two processes that write the same units in opposite orders would wait for each other, and PostgreSQL would
abort one of the transactions (https://www.postgresql.org/docs/current/explicit-locking.html#LOCKING-DEADLOCKS). The
order is by code points, as Python sorts, whatever the collation of the database. SQLite has one writer at a time.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Column, Connection, collate, select

LOCKED_AT_ONCE = 500  # rows in a statement


def lock_in_order(connection: Connection, column: Column[Any], unit_ids: Iterable[str]) -> None:
    """Lock the rows of these units until the transaction ends. To be used before a statement that changes several of
    them in an order that the database chooses. `column` contains the unit id, and a unit has one row."""
    if connection.dialect.name != "postgresql":
        return
    wanted = sorted(unit_ids)
    for at in range(0, len(wanted), LOCKED_AT_ONCE):
        some = column.in_(wanted[at : at + LOCKED_AT_ONCE])
        query = select(column).where(some).order_by(collate(column, "C")).with_for_update(key_share=True)
        connection.execute(query).all()


def in_parts(unit_ids: Sequence[str]) -> Iterable[Sequence[str]]:
    """Divide the ids into parts, for statements that list their units."""
    return (unit_ids[at : at + LOCKED_AT_ONCE] for at in range(0, len(unit_ids), LOCKED_AT_ONCE))
