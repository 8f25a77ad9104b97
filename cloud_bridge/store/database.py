"""Opening the database, brought to the newest tables at every start: PostgreSQL, or one SQLite file in WAL mode.

WAL lets pages be read while the recorder writes. With `synchronous=NORMAL` a killed process loses nothing that was
committed; a power cut of the server may lose the last commits, never the database.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.exc import SQLAlchemyError

from cloud_bridge.errors import StoreUnusable

FILE_NAME = "chargekeeper.db"
BUSY_MS = 5000  # how long one writer waits for another: a command line beside the running bridge
MIGRATION_LOCK = 0x43_4B_44_42  # any number, the same in all our processes: they start together and migrate once
MIGRATIONS = Path(__file__).with_name("migrations")


class Database:
    """Connections for reading and for writing. Thread-safe."""

    def __init__(self, engine: Engine) -> None:
        self._reader = engine
        self._writer = engine.execution_options(writing=True)

    @property
    def file(self) -> Path | None:
        """None where it is a PostgreSQL."""
        url = self._reader.url
        return Path(url.database) if url.database and url.get_backend_name() == "sqlite" else None

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


def open_database(where: Path | str) -> Database:
    """Open and migrate the database: in a folder, where it is made if need be, or at the URL of a PostgreSQL.

    Raises StoreUnusable with what to do.
    """
    return _open_file(where) if isinstance(where, Path) else _open_postgresql(where)


def _open_postgresql(url: str) -> Database:
    try:
        # Connections are tried before they are used: a server that was restarted has closed them.
        engine = create_engine(make_url(url).set(drivername="postgresql+psycopg"), pool_pre_ping=True)
        database = Database(engine)
        try:
            with database.writing() as connection:
                connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": MIGRATION_LOCK})
                _migrate(connection)
        except SQLAlchemyError:
            engine.dispose()
            raise
    except SQLAlchemyError as error:
        reason = str(getattr(error, "orig", None) or error).strip().splitlines()[0]
        raise StoreUnusable(f"cannot use the database of CHARGEKEEPER_DATABASE: {reason}") from error
    return database


def _open_file(folder: Path) -> Database:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreUnusable(f"cannot make the data folder {folder}: {error.strerror}. {_SET}") from error
    engine = create_engine(f"sqlite:///{folder / FILE_NAME}", paramstyle="named")  # as upsert.execute_many wants it
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
