"""Engines of SQLAlchemy that share what they have compiled.

Each engine has a compiler and a cache of its own. A process makes one or two of them; these tests make thousands, and
compiled for a third of their time.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy
from sqlalchemy import Engine

_first: dict[str, Engine] = {}  # by kind of database
_apart = False


def create_engine(*arguments: Any, **options: Any) -> Engine:
    """As SQLAlchemy's, with the dialect and the cache of the first engine of its kind."""
    engine = sqlalchemy.create_engine(*arguments, **options)
    if not _apart:
        first = _first.setdefault(engine.name, engine)
        if hasattr(first.dialect, "server_version_info"):  # it has been connected, which completes a dialect
            engine.dialect = engine.pool._dialect = first.dialect
            engine._compiled_cache = first._compiled_cache
    return engine


@contextmanager
def engines_apart() -> Iterator[None]:
    """For a test that changes a dialect: engines that share nothing."""
    global _apart
    _apart = True
    try:
        yield
    finally:
        _apart = False
