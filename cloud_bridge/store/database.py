"""Opening the database: one SQLite file in the data folder, in WAL mode, brought to the newest tables at every start.

WAL lets pages be read while the recorder writes. With `synchronous=NORMAL` a killed process loses nothing that was
committed; a power cut of the server may lose the last commits, never the database.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import SQLAlchemyError

from cloud_bridge.errors import StoreUnusable

FILE_NAME = "chargekeeper.db"
BUSY_MS = 5000  # how long one writer waits for another: a command line beside the running bridge
MIGRATIONS = Path(__file__).with_name("migrations")


class Database:
    """Connections for reading and for writing. Thread-safe."""

    def __init__(self, engine: Engine) -> None:
        self._reader = engine
        self._writer = engine.execution_options(writing=True)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """One consistent view; nothing may be changed through it."""
        with self._reader.connect() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """One transaction: all of it or, after an exception, none of it."""
        with self._writer.begin() as connection:
            yield connection

    def close(self) -> None:
        self._reader.dispose()


def open_database(folder: Path) -> Database:
    """Open, or make, the database in `folder` and migrate it. Raises StoreUnusable with what to do."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreUnusable(f"cannot make the data folder {folder}: {error.strerror}. {_SET}") from error
    engine = create_engine(f"sqlite:///{folder / FILE_NAME}")
    event.listen(engine, "connect", _prepare)
    event.listen(engine, "begin", _begin)
    database = Database(engine)
    try:
        with database.writing() as connection:
            _migrate(connection)
    except SQLAlchemyError as error:
        engine.dispose()
        reason = getattr(error, "orig", None) or error
        raise StoreUnusable(f"cannot write the database {folder / FILE_NAME}: {reason}. {_SET}") from error
    return database


_SET = "Make it writable for this user, or set CHARGEKEEPER_DATA to another folder."


def _prepare(connection: Any, _record: object) -> None:
    """Every new SQLite connection. Transactions are begun by `_begin`, not by the driver, so that DDL is in them."""
    connection.isolation_level = None
    connection.execute(f"PRAGMA busy_timeout = {BUSY_MS}")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute("PRAGMA foreign_keys = ON")


def _begin(connection: Connection) -> None:
    writing = connection.get_execution_options().get("writing")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")


def _migrate(connection: Connection) -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
