"""SQLAlchemy engines that share their compiled statements.

Each engine has its own compiler and cache. A process creates one or two engines, but these tests create thousands, and would
spend a third of their time on compiling.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy
from sqlalchemy import Engine

_first: dict[str, Engine] = {}  # by kind of database
_apart = False


def create_engine(*arguments: Any, **options: Any) -> Engine:
    """Return an engine as SQLAlchemy does, with the dialect and the cache of the first engine of its kind."""
    engine = sqlalchemy.create_engine(*arguments, **options)
    if not _apart:
        first = _first.setdefault(engine.name, engine)
        if hasattr(first.dialect, "server_version_info"):  # it has connected once, which completes a dialect
            engine.dialect = engine.pool._dialect = first.dialect
            engine._compiled_cache = first._compiled_cache
    return engine


@contextmanager
def engines_apart() -> Iterator[None]:
    """Create engines that share nothing, for a test that changes a dialect."""
    global _apart
    _apart = True
    try:
        yield
    finally:
        _apart = False
