"""Keyset pagination by the id of rows."""

from collections.abc import Sequence
from typing import Any, Generic, NamedTuple, TypeVar

from sqlalchemy import Column, Connection, Select

from cloud_bridge.store.readable import Rows, readable

Row = TypeVar("Row")


class Part(NamedTuple, Generic[Row]):
    """A page. `next_after` is the id of its last row, or None for the last page."""

    rows: Rows[Row]
    next_after: int | None


def part_of(
    connection: Connection, query: Select[Any], columns: Sequence[Column[Any]], after: int, limit: int
) -> Part[Any]:
    """Return the page of rows after id `after`, of a query whose first column is the id. Invalid rows are left out and
    counted."""
    number = columns[0]
    rows = list(connection.execute(query.where(number > after).order_by(number).limit(limit + 1)))
    next_after = rows[limit - 1][0] if len(rows) > limit else None
    return Part(readable(columns, rows[:limit]), next_after)
