"""Check that stored rows are valid. Pure.

Rows may be older than the checks of wire.py, and SQLite does not enforce column types. A reader of rows that come from
charge points or people returns the valid ones and counts the others, since one bad row must not break a page.
"""

from collections.abc import Callable, Iterable, Sequence
from functools import cache
from typing import Any, Generic, TypeVar

from sqlalchemy import BigInteger, Boolean, Column, Integer, String

from cloud_bridge.wire import LATEST_S, MAX_COUNT

LATEST_MS = LATEST_S * 1000 + 999
BOUNDS = {  # by name, for columns that are neither times nor plain counts
    "csq": (0, 31),
    "lowest": (0, 31),
    "highest": (0, 31),
    "samples": (1, MAX_COUNT),
    "duration_s": (0, MAX_COUNT),
}

Row = TypeVar("Row")


class Rows(list[Row], Generic[Row]):
    """Valid rows; `unreadable` is the number of invalid ones."""

    def __init__(self, rows: Iterable[Row] = (), unreadable: int = 0) -> None:
        super().__init__(rows)
        self.unreadable = unreadable


def readable(columns: Sequence[Column[Any]], rows: Iterable[Any]) -> Rows[Any]:
    """Return the rows in which every value is valid for its column."""
    checks = [_check(column) for column in columns]
    found: Rows[Any] = Rows()
    for row in rows:
        if all(check(value) for check, value in zip(checks, row, strict=True)):
            found.append(row)
        else:
            found.unreadable += 1
    return found


@cache
def _check(column: Column[Any]) -> Callable[[Any], bool]:
    nullable = bool(column.nullable)
    if isinstance(column.type, Boolean | String):
        kind = bool if isinstance(column.type, Boolean) else str
        return lambda value: type(value) is kind or (value is None and nullable)
    if not isinstance(column.type, Integer | BigInteger):
        raise TypeError(f"no check for {column}")
    low, high = _bounds(column)
    return lambda value: (type(value) is int and low <= value <= high) or (value is None and nullable)


def _bounds(column: Column[Any]) -> tuple[int, int]:
    if column.name in BOUNDS:
        return BOUNDS[column.name]
    if column.name.endswith("_ms"):
        return 0, LATEST_MS
    return 0, LATEST_S if column.name.endswith("_s") else MAX_COUNT
