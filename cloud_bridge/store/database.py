"""The database: PostgreSQL, or one SQLite file in WAL mode. It is migrated to the newest schema when it is opened.

WAL allows reads while the recorder writes; writers of one process take turns (writer_queue.py). With
`synchronous=NORMAL` a killed process loses nothing that was committed. A power cut of the server may lose the last
commits, but does not damage the database.

SQLite overwrites deleted rows (`secure_delete`), but that alone leaves traces: frames of the write-ahead log, and
copies of rows in the free space of pages that SQLite has split or merged (3 of 300 deleted names, measured with
3.40.1). So after an erasure `scrub` rewrites the file and truncates the log.
"""

import fcntl
import logging
import os
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager, nullcontext
from functools import partial
from pathlib import Path
from time import monotonic, sleep

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DatabaseError, OperationalError, SQLAlchemyError

from cloud_bridge.errors import StoreUnusable
from cloud_bridge.store.chunk_moves import move_rows, unmoved
from cloud_bridge.store.error_text import hide_values, reason_of, remedy_of
from cloud_bridge.store.private_files import FILE_MODE, make_private_folder
from cloud_bridge.store.revisions import migrate, newest_revision, revision_of
from cloud_bridge.store.writer_queue import WriterQueue

FILE_NAME = "chargekeeper.db"
LOCK_NAME = "chargekeeper.lock"  # a shared lock of all processes that have the file open; restore needs it exclusively
CONNECTIONS = 20  # of pages, upkeep and car accounts together: half of the threads that serve pages
CONNECTION_WITHIN_S = 5  # timeout to get one of them, and to connect to PostgreSQL
STATEMENT_MS = 60_000  # the longest statement of PostgreSQL
READ_ONLY = " -c default_transaction_read_only=on"
# Options of readers: in PostgreSQL all statements of a transaction see one snapshot, as they always do in SQLite. It is
# not READ ONLY: to reset that, SQLAlchemy begins transactions with READ WRITE, even on a server that is configured to
# refuse writing.
VIEW = {"postgresql": {"isolation_level": "REPEATABLE READ"}}
LINE_MS = 20_000  # how long sent data may stay unacknowledged (TCP_USER_TIMEOUT)
BUSY_MS = 5000  # how long a writer waits for a writer of another process, such as a command
TURN_WITHIN_S = 20.0  # how long a writer waits for others of its process, each of which may wait BUSY_MS
WAL_AGAIN_S = 0.02
CHECKPOINT_PAGES = 1000  # in the write-ahead log, after which a commit makes a checkpoint: SQLite's default
CHECK_STEPS = 10_000  # instructions of SQLite between two checks of the deadline
EMPTY_TRY_MS = 20
EMPTY_AGAIN_S = 0.2
SCRUB_WITHIN_S = 60.0  # how long to wait for readers and writers of other processes
MIGRATION_LOCK = 0x43_4B_44_42  # an arbitrary number, the same in all processes, so that only one of them migrates
RESTORE = "Restore a backup: python -m cloud_bridge data restore FILE"

_log = logging.getLogger(__name__)


class Database:
    """The database, with connections for reading and writing. Thread-safe."""

    def __init__(
        self,
        make_engine: Callable[[int], Engine],
        connections: int = CONNECTIONS,
        writer_queue: WriterQueue | None = None,
        lock: int | None = None,
    ) -> None:
        """`lock` is the file descriptor of a lock that is held until `close`."""
        self._lock = lock
        self._make_engine = make_engine
        self._writer_queue = writer_queue
        self._engine = make_engine(connections)
        self._reader = self._engine.execution_options(**VIEW.get(self._engine.dialect.name, {}))
        self._writer = self._engine.execution_options(writing=True)

    @property
    def file(self) -> Path | None:
        """The database file; None with PostgreSQL."""
        url = self._engine.url
        return Path(url.database) if url.database and url.get_backend_name() == "sqlite" else None

    @property
    def kind(self) -> str:
        """`sqlite` or `postgresql`."""
        return self._engine.dialect.name

    def damage(self, within_s: float | None = None) -> str | None:
        """Run SQLite's check of the whole file. Return what it finds, or None if it finds nothing or takes longer than
        `within_s`. Always None with PostgreSQL. Raises SQLAlchemyError.
        """
        if self.file is None:
            return None
        with self.reading() as connection:
            driver = connection.connection.driver_connection
            if within_s is not None:
                give_up_s = monotonic() + within_s
                driver.set_progress_handler(lambda: monotonic() > give_up_s, CHECK_STEPS)  # type: ignore[union-attr]
            try:
                found: str = connection.execute(text("PRAGMA quick_check(1)")).scalar_one()
            except OperationalError as error:
                if getattr(error.orig, "sqlite_errorcode", None) == sqlite3.SQLITE_INTERRUPT:
                    return None
                raise
            except DatabaseError as error:  # too damaged to be checked
                return str(error.orig)
            finally:
                driver.set_progress_handler(None, 0)  # type: ignore[union-attr]
        return None if found == "ok" else " ".join(found.split())

    def separate(self, connections: int) -> "Database":
        """Return the same database with a connection pool of its own, so that its users never wait for others.
        `connections` threads can use it at once. Close it separately."""
        return Database(self._make_engine, connections, self._writer_queue)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Open a transaction for reading, with a consistent snapshot. Do not write in it."""
        with self._reader.connect() as connection:
            yield connection

    @contextmanager
    def writing(self, first: bool = False) -> Iterator[Connection]:
        """Open a transaction for writing. It is committed at the end of the block, or rolled back after an exception.

        On SQLite the writers of this process take turns in the order of their requests; with `first`, before all
        others.
        """
        with self._writer.connect() as connection, self._turn(first), connection.begin():
            yield connection

    @contextmanager
    def writing_slice(self, referred_to: bool = True) -> Iterator[Connection]:
        """Open a transaction like `writing`, for upkeep that writes many pages in successive transactions.

        On SQLite the checkpoint, which waits for the disk, is made after the turn, so that other writers can go on;
        with `writing` it is part of the turn. With `referred_to` False SQLite does not check foreign keys: use it only
        to delete rows to which no other row refers.
        """
        if self.file is None:
            with self.writing() as connection:
                yield connection
            return
        with self._writer.connect() as connection:
            driver: sqlite3.Connection = connection.connection.driver_connection  # type: ignore[assignment]
            try:
                driver.execute("PRAGMA wal_autocheckpoint = 0")
                driver.execute(f"PRAGMA foreign_keys = {'ON' if referred_to else 'OFF'}")
                with self._turn(first=False), connection.begin():
                    yield connection
                driver.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
            finally:
                driver.execute("PRAGMA foreign_keys = ON")
                driver.execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}")

    @contextmanager
    def writing_on_demand(self) -> Iterator[Connection]:
        """Open a transaction like `writing` that begins with its first statement. Until then no other writer waits."""
        with ExitStack() as turn, self._writer.connect() as connection:
            connection = connection.execution_options(before_begin=lambda: turn.enter_context(self._turn(first=False)))
            yield connection
            connection.commit()

    def session(self) -> Connection:
        """Return a connection in autocommit mode, which the caller has to close."""
        return self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")

    def _turn(self, first: bool) -> AbstractContextManager[None]:
        return nullcontext() if self._writer_queue is None else self._writer_queue.turn(first)

    def scrub(self, tables: Iterable[str] = ()) -> None:
        """Remove deleted data from the files. Reads continue meanwhile; writers wait.

        SQLite: the file is rewritten (VACUUM, which needs its size again on the disk), and the write-ahead log is
        truncated. PostgreSQL: VACUUM of the named tables frees the space to be overwritten; more is not possible.
        Raises StoreUnusable if the database was busy for SCRUB_WITHIN_S.
        """
        if self.file is None:
            self._vacuum_tables(tables)
            return
        with self._turn(first=False):
            _patiently(self.file, "VACUUM", BUSY_MS, SCRUB_WITHIN_S)
        self.empty_log()

    def empty_log(self) -> None:
        """Truncate SQLite's write-ahead log, which may contain deleted or replaced data. Raises StoreUnusable.

        Truncation needs all readers to finish, and no writer. A reader of a large table takes seconds, during which
        writers would wait. So each attempt is short, and a passive checkpoint before it does most of the work without
        blocking.
        """
        if self.file is None:
            return
        give_up_s = monotonic() + SCRUB_WITHIN_S
        while True:
            try:
                _patiently(self.file, "PRAGMA wal_checkpoint(PASSIVE)", EMPTY_TRY_MS, 0.0)
                with self._turn(first=False):
                    _patiently(self.file, "PRAGMA wal_checkpoint(TRUNCATE)", EMPTY_TRY_MS, 0.0)
                return
            except StoreUnusable:
                if monotonic() > give_up_s:
                    raise
            sleep(EMPTY_AGAIN_S)

    def _vacuum_tables(self, tables: Iterable[str]) -> None:
        try:
            with self._engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                connection.exec_driver_sql("SET statement_timeout = 0")
                for table in tables:
                    connection.exec_driver_sql(f'VACUUM "{table}"')
                connection.invalidate()  # the next user gets a connection with the usual limits
        except SQLAlchemyError as error:
            reason = str(getattr(error, "orig", None) or error).strip().splitlines()[0]
            raise StoreUnusable(f"the deleted rows are not vacuumed: {reason}") from error

    def shut_others_out(self) -> None:
        """Lock this SQLite database exclusively until `close`. Raises StoreUnusable if another process has it open."""
        if self._lock is not None:
            try:
                fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise StoreUnusable(f"{self.file} is in use: stop the bridge and its commands first") from error

    def disconnect(self) -> None:
        """Close the idle connections. New ones are opened on demand."""
        self._engine.dispose()

    def close(self) -> None:
        """Close all connections. One that is in use is closed when it is returned."""
        event.listen(self._engine.pool, "checkin", _close_returned)
        self._engine.dispose()
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None


def _close_returned(connection: DBAPIConnection | None, _record: object) -> None:
    """Close a returned connection. It is None if the server has closed it."""
    if connection is not None:
        connection.close()


def open_database(where: Path | str) -> Database:
    """Open and migrate the database: a SQLite file in a folder, which is created if necessary, or a PostgreSQL at a
    URL.

    Raises StoreUnusable, which says what to do.
    """
    return _open_file(where) if isinstance(where, Path) else _open_postgresql(where)


def _open_postgresql(url: str) -> Database:
    try:
        address = make_url(url).set(drivername="postgresql+psycopg")
        database = Database(lambda connections: _postgresql_engine(address, connections))
        try:
            with database.writing() as connection:
                connection.execute(text("SET LOCAL statement_timeout = 0"))  # a large table takes long
                connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": MIGRATION_LOCK})
                migrate(connection)
        except (SQLAlchemyError, StoreUnusable):
            database.close()
            raise
    except SQLAlchemyError as error:
        said = ". ".join(filter(None, (reason_of(error), remedy_of(error))))
        raise StoreUnusable(f"cannot use the database of CHARGEKEEPER_DATABASE: {said}") from error
    return database


def open_standby(url: str) -> Database:
    """Return a PostgreSQL for reading only. It does not connect yet, so the server may be away. Raises
    StoreUnusable."""
    try:
        address = make_url(url).set(drivername="postgresql+psycopg")
        return Database(lambda connections: _postgresql_engine(address, connections, READ_ONLY))
    except SQLAlchemyError as error:
        raise StoreUnusable(f"cannot use the database of CHARGEKEEPER_DATABASE_READ: {error}") from error


def _postgresql_engine(address: URL, connections: int, options: str = "") -> Engine:
    """Create an engine with timeouts for every wait: for the connection, for an answer, and on a dead connection. The
    server has the same timeouts for us, so that locks of a machine that lost its network are released."""
    server_limits = {
        "statement_timeout": STATEMENT_MS,
        "tcp_user_timeout": LINE_MS,
        "tcp_keepalives_idle": CONNECTION_WITHIN_S,
        "tcp_keepalives_interval": CONNECTION_WITHIN_S,
        "tcp_keepalives_count": 3,
    }
    limits = {
        "connect_timeout": str(CONNECTION_WITHIN_S),
        "options": " ".join(f"-c {name}={value}" for name, value in server_limits.items()) + options,
        "tcp_user_timeout": str(LINE_MS),
        "keepalives_idle": str(CONNECTION_WITHIN_S),
        "keepalives_interval": str(CONNECTION_WITHIN_S),
        "keepalives_count": "3",
    }
    engine = create_engine(
        address.set(query=limits | dict(address.query)),  # the operator's URL takes precedence
        pool_size=connections,
        max_overflow=0,
        pool_timeout=CONNECTION_WITHIN_S,
        pool_pre_ping=True,  # a server that was restarted has closed its connections
        hide_parameters=True,
    )
    hide_values(engine)
    return engine


def _open_file(folder: Path) -> Database:
    try:
        make_private_folder(folder)
        (folder / FILE_NAME).touch(FILE_MODE)  # SQLite creates the files beside it with the same mode
    except OSError as error:
        raise StoreUnusable(
            f"cannot make the data folder {folder}, or write in it: {error.strerror}. {_SET}"
        ) from error
    lock = _share_lock(folder)
    queue = WriterQueue(TURN_WITHIN_S)
    database = Database(lambda connections: _sqlite_engine(folder / FILE_NAME, connections), CONNECTIONS, queue, lock)
    try:
        with database.reading() as connection:  # usually nothing to do, so do not wait for a writer
            is_newest = revision_of(connection) == newest_revision()
        is_upgraded = False
        if not is_newest:
            with database.writing() as connection:
                is_upgraded = migrate(connection)
        with database.reading() as connection:
            left = unmoved(connection)
        move_rows(partial(database.writing_slice, referred_to=False), left)
        if is_upgraded or left:
            _scrub_after_upgrade(database)
    except SQLAlchemyError as error:
        database.close()
        reason = str(getattr(error, "orig", None) or error)
        raise StoreUnusable(f"cannot use the database {folder / FILE_NAME}: {reason}. {_remedy(reason)}") from error
    except StoreUnusable:
        database.close()
        raise
    return database


def _share_lock(folder: Path) -> int:
    """Take the folder's lock, which all processes with the database open share. Return its descriptor. Raises
    StoreUnusable."""
    try:
        lock = os.open(folder / LOCK_NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, FILE_MODE)
        if os.geteuid() == 0:  # so that the bridge's user can open a lock file that root has created
            owner = folder.stat()
            os.fchown(lock, owner.st_uid, owner.st_gid)
    except OSError as error:  # for example, another user has created it
        raise StoreUnusable(f"cannot open {folder / LOCK_NAME}: {error.strerror}. {_SET}") from error
    try:
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(lock)
        raise StoreUnusable(f"a backup is just being restored in {folder}: try again when that has ended") from error
    return lock


_SET = "Make it writable for this user, or set CHARGEKEEPER_DATA to another folder."


def _remedy(reason: str) -> str:
    """Return what to do about an error message of SQLite."""
    if "malformed" in reason or "not a database" in reason:
        return RESTORE
    if "locked" in reason:
        return "Another program is writing to it: try again when it has ended"
    if "full" in reason:
        return "Make room on its disk"
    return _SET


def _sqlite_engine(file: Path, connections: int) -> Engine:
    engine = create_engine(
        f"sqlite:///{file}",
        paramstyle="named",  # required by upsert.execute_many
        pool_size=connections,
        max_overflow=0,
        pool_timeout=CONNECTION_WITHIN_S,
        hide_parameters=True,
    )
    event.listen(engine, "connect", _prepare)
    event.listen(engine, "begin", _begin)
    hide_values(engine)
    return engine


def _prepare(connection: sqlite3.Connection, _record: object) -> None:
    """Set up a new SQLite connection. `_begin` begins transactions, not the driver, so that they include DDL."""
    connection.isolation_level = None
    connection.execute(f"PRAGMA busy_timeout = {BUSY_MS}")
    _use_wal(connection)
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute("PRAGMA secure_delete = ON")
    connection.execute("PRAGMA foreign_keys = ON")


def _begin(connection: Connection) -> None:
    options = connection.get_execution_options()
    if "before_begin" in options:
        options["before_begin"]()
    writing = options.get("writing")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")


def _use_wal(connection: sqlite3.Connection) -> None:
    """Set WAL mode. The mode is stored in the file, so this has an effect only once.

    The change needs exclusive access, for which SQLite does not wait, whatever its busy_timeout: when four processes
    opened a new file at the same moment, 9 in 160 got an error that it is locked (measured, 3.40.1).
    """
    give_up_s = monotonic() + BUSY_MS / 1000
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or monotonic() > give_up_s:
                raise
        sleep(WAL_AGAIN_S)


def _scrub_after_upgrade(database: Database) -> None:
    """Remove data that was deleted by a version that did not overwrite rows. The bridge starts even if the disk has no
    room for that."""
    try:
        database.scrub()
    except StoreUnusable as error:
        _log.warning("rows that were deleted before this upgrade may still be in the file: %s", error)


def _patiently(file: Path, statement: str, busy_ms: int, within_s: float) -> None:
    """Execute a statement on a new connection, and retry it for `within_s` while the database is busy. Each attempt
    waits up to `busy_ms`. Raises StoreUnusable."""
    give_up_s = monotonic() + within_s
    while True:
        try:
            with closing(sqlite3.connect(file, timeout=busy_ms / 1000, isolation_level=None)) as connection:
                connection.execute("PRAGMA secure_delete = ON")
                row = connection.execute(statement).fetchone()
            if row is None or row[0] == 0:  # a checkpoint returns 1 if it was blocked
                return
            reason = "it is in use"
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF not in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
                raise StoreUnusable(f"what was deleted may still be in {file}: {error}") from error
            reason = str(error)
        if monotonic() > give_up_s:
            raise StoreUnusable(f"what was deleted may still be in {file}: {reason}. Try again: data scrub")
        sleep(WAL_AGAIN_S)
