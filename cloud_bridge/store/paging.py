"""A part of a long list, by the number of its rows, and where the next part begins."""

from collections.abc import Sequence
from typing import Any, Generic, NamedTuple, TypeVar

from sqlalchemy import Column, Connection, Select

from cloud_bridge.store.readable import Rows, readable

Row = TypeVar("Row")


class Part(NamedTuple, Generic[Row]):
    """`next_after` is the number of the last row of this part, and None for the last part."""

    rows: Rows[Row]
    next_after: int | None


def part_of(
    connection: Connection, query: Select[Any], columns: Sequence[Column[Any]], after: int, limit: int
) -> Part[Any]:
    """The rows behind number `after`, of a query whose first column is the number of a row. Those that are not valid are
    left out and counted."""
    number = columns[0]
    rows = list(connection.execute(query.where(number > after).order_by(number).limit(limit + 1)))
    next_after = rows[limit - 1][0] if len(rows) > limit else None
    return Part(readable(columns, rows[:limit]), next_after)
