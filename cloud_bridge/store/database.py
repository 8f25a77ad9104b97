"""Opening the database, brought to the newest tables at every start: PostgreSQL, or one SQLite file in WAL mode.

WAL lets pages be read while the recorder writes; writers of one process take turns (writer_queue.py). With
`synchronous=NORMAL` a killed process loses nothing that was committed; a power cut of the server may lose the last
commits, never the database.

What is deleted is overwritten (`secure_delete`), but that alone leaves traces: frames of the write-ahead log, and copies of
rows in the gaps of pages that SQLite has split or merged (3 of 300 deleted names, measured with 3.40.1). So after an
erasure `scrub` writes the file anew and empties the log.
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
LOCK_NAME = "chargekeeper.lock"  # shared by all who have the file open; data restore needs it alone
CONNECTIONS = 20  # of pages, upkeep and car accounts together: half of the threads that serve pages
CONNECTION_WITHIN_S = 5  # waited for one of them, and for a PostgreSQL to answer
STATEMENT_MS = 60_000  # the longest statement of PostgreSQL
READ_ONLY = " -c default_transaction_read_only=on"
# A view of a PostgreSQL: all its statements see one moment. SQLite's transactions are so anyway. It is not READ ONLY:
# when that is taken back, SQLAlchemy begins transactions with READ WRITE, also at a server that was made to refuse writing.
VIEW = {"postgresql": {"isolation_level": "REPEATABLE READ"}}
LINE_MS = 20_000  # how long what was sent to it may stay unconfirmed
BUSY_MS = 5000  # how long one writer waits for another: a command line beside the running bridge
TURN_WITHIN_S = 20.0  # for the writers of one process, each of which may have to wait BUSY_MS
WAL_AGAIN_S = 0.02
CHECKPOINT_PAGES = 1000  # of the write-ahead log, after which a commit copies them into the file: SQLite's own default
CHECK_STEPS = 10_000  # instructions of SQLite between two looks at the deadline of a check
EMPTY_TRY_MS = 20
EMPTY_AGAIN_S = 0.2
SCRUB_WITHIN_S = 60.0  # waited for readers and writers of other processes
MIGRATION_LOCK = 0x43_4B_44_42  # any number, the same in all our processes: they start together and migrate once
RESTORE = "Restore a backup: python -m cloud_bridge data restore FILE"

_log = logging.getLogger(__name__)


class Database:
    """Connections for reading and for writing. Thread-safe."""

    def __init__(
        self,
        make_engine: Callable[[int], Engine],
        connections: int = CONNECTIONS,
        writer_queue: WriterQueue | None = None,
        lock: int | None = None,
    ) -> None:
        """`lock` is the descriptor of a lock that is held until `close`."""
        self._lock = lock
        self._make_engine = make_engine
        self._writer_queue = writer_queue
        self._engine = make_engine(connections)
        self._reader = self._engine.execution_options(**VIEW.get(self._engine.dialect.name, {}))
        self._writer = self._engine.execution_options(writing=True)

    @property
    def file(self) -> Path | None:
        """None where it is a PostgreSQL."""
        url = self._engine.url
        return Path(url.database) if url.database and url.get_backend_name() == "sqlite" else None

    @property
    def kind(self) -> str:
        """`sqlite` or `postgresql`."""
        return self._engine.dialect.name

    def damage(self, within_s: float | None = None) -> str | None:
        """What SQLite's own check of the whole file finds; None: nothing, or no answer within that time. A PostgreSQL
        checks itself. Raises SQLAlchemyError.
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
            except DatabaseError as error:  # so damaged that it cannot even be checked
                return str(error.orig)
            finally:
                driver.set_progress_handler(None, 0)  # type: ignore[union-attr]
        return None if found == "ok" else " ".join(found.split())

    def separate(self, connections: int) -> "Database":
        """The same database through connections of its own, to be closed by itself: however many others wait for
        one of theirs, whoever works through this one does not. `connections` threads can use it at once."""
        return Database(self._make_engine, connections, self._writer_queue)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """One consistent view; nothing may be changed through it."""
        with self._reader.connect() as connection:
            yield connection

    @contextmanager
    def writing(self, first: bool = False) -> Iterator[Connection]:
        """One transaction: all of it or, after an exception, none of it.

        On SQLite the writers of this process take turns in the order in which they ask; `first` goes before the others.
        """
        with self._writer.connect() as connection, self._turn(first), connection.begin():
            yield connection

    @contextmanager
    def writing_slice(self, referred_to: bool = True) -> Iterator[Connection]:
        """As `writing`, for upkeep that writes many pages, one such transaction after the other.

        SQLite copies them from the write-ahead log into the file, and waits for the disk, when the other writers have
        their turn again: that of a usual commit is part of its turn. Without `referred_to` only rows are deleted that
        no other row refers to, and SQLite does not look whether one does.
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
        """As `writing`, but the transaction begins with the first statement: until then no other writer has to wait."""
        with ExitStack() as turn, self._writer.connect() as connection:
            connection = connection.execution_options(before_begin=lambda: turn.enter_context(self._turn(first=False)))
            yield connection
            connection.commit()

    def session(self) -> Connection:
        """A connection that its caller keeps and closes, with every statement a transaction of its own."""
        return self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")

    def _turn(self, first: bool) -> AbstractContextManager[None]:
        return nullcontext() if self._writer_queue is None else self._writer_queue.turn(first)

    def scrub(self, tables: Iterable[str] = ()) -> None:
        """What has been deleted leaves the files, while others go on reading; writers wait.

        SQLite: the database is written anew (VACUUM, which needs its size again on the disk), and the write-ahead log
        emptied. PostgreSQL: VACUUM of the named tables, after which the space is free to be overwritten, and no more
        can be promised. Raises StoreUnusable when others kept the database busy for SCRUB_WITHIN_S.
        """
        if self.file is None:
            self._vacuum_tables(tables)
            return
        with self._turn(first=False):
            _patiently(self.file, "VACUUM", BUSY_MS, SCRUB_WITHIN_S)
        self.empty_log()

    def empty_log(self) -> None:
        """SQLite's write-ahead log has nothing any more of what was deleted or replaced. Raises StoreUnusable.

        To be emptied it needs all readers to have ended, and no writer. A reader of a large table takes seconds, in which
        writers would wait: so each try is short, and most is copied before it, while they go on.
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
        """From now on until `close` nobody else can open this SQLite database. Raises StoreUnusable when somebody has."""
        if self._lock is not None:
            try:
                fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise StoreUnusable(f"{self.file} is in use: stop the bridge and its commands first") from error

    def disconnect(self) -> None:
        """Close the connections that nobody uses now: the next ones are made anew."""
        self._engine.dispose()

    def close(self) -> None:
        """Close all connections; one that a thread still uses, when it gives it back."""
        event.listen(self._engine.pool, "checkin", _close_returned)
        self._engine.dispose()
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None


def _close_returned(connection: DBAPIConnection | None, _record: object) -> None:
    """None: the server has ended it."""
    if connection is not None:
        connection.close()


def open_database(where: Path | str) -> Database:
    """Open and migrate the database: in a folder, where it is made if need be, or at the URL of a PostgreSQL.

    Raises StoreUnusable with what to do.
    """
    return _open_file(where) if isinstance(where, Path) else _open_postgresql(where)


def _open_postgresql(url: str) -> Database:
    try:
        address = make_url(url).set(drivername="postgresql+psycopg")
        database = Database(lambda connections: _postgresql_engine(address, connections))
        try:
            with database.writing() as connection:
                connection.execute(text("SET LOCAL statement_timeout = 0"))  # a large table takes its time
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
    """A PostgreSQL that is only read: nothing is asked of it yet, so that it may be away. Raises StoreUnusable."""
    try:
        address = make_url(url).set(drivername="postgresql+psycopg")
        return Database(lambda connections: _postgresql_engine(address, connections, READ_ONLY))
    except SQLAlchemyError as error:
        raise StoreUnusable(f"cannot use the database of CHARGEKEEPER_DATABASE_READ: {error}") from error


def _postgresql_engine(address: URL, connections: int, options: str = "") -> Engine:
    """Every wait for the server has an end: for the connection, for an answer, and for a line that went dead. So has the
    server's for us: what a machine that was cut off had locked is free again as soon."""
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
        address.set(query=limits | dict(address.query)),  # what the operator's URL says counts
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
        (folder / FILE_NAME).touch(FILE_MODE)  # SQLite gives the files beside it the same mode
    except OSError as error:
        raise StoreUnusable(
            f"cannot make the data folder {folder}, or write in it: {error.strerror}. {_SET}"
        ) from error
    lock = _share_lock(folder)
    queue = WriterQueue(TURN_WITHIN_S)
    database = Database(lambda connections: _sqlite_engine(folder / FILE_NAME, connections), CONNECTIONS, queue, lock)
    try:
        with database.reading() as connection:  # most often there is nothing to do, and somebody else may be writing
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
    """The descriptor of the folder's lock, shared with others who have the database open. Raises StoreUnusable."""
    try:
        lock = os.open(folder / LOCK_NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, FILE_MODE)
        if os.geteuid() == 0:  # a command of the administrator must not shut the bridge's own user out
            owner = folder.stat()
            os.fchown(lock, owner.st_uid, owner.st_gid)
    except OSError as error:  # made by another user, for instance
        raise StoreUnusable(f"cannot open {folder / LOCK_NAME}: {error.strerror}. {_SET}") from error
    try:
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(lock)
        raise StoreUnusable(f"a backup is just being restored in {folder}: try again when that has ended") from error
    return lock


_SET = "Make it writable for this user, or set CHARGEKEEPER_DATA to another folder."


def _remedy(reason: str) -> str:
    """What to do about what SQLite says."""
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
        paramstyle="named",  # as upsert.execute_many wants it
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
    """Every new SQLite connection. Transactions are begun by `_begin`, not by the driver, so that DDL is in them."""
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
    """The mode is kept in the file, so this changes something once.

    The change needs the file for itself, and SQLite does not wait for that, whatever its busy_timeout: of four
    processes that opened a new file at the same moment, 9 in 160 were told that it is locked (measured, 3.40.1).
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
    """What was deleted before rows were overwritten. A disk without room for that does not keep the bridge from starting."""
    try:
        database.scrub()
    except StoreUnusable as error:
        _log.warning("rows that were deleted before this upgrade may still be in the file: %s", error)


def _patiently(file: Path, statement: str, busy_ms: int, within_s: float) -> None:
    """Raises StoreUnusable when it cannot be done in that time; a try waits `busy_ms` for others."""
    give_up_s = monotonic() + within_s
    while True:
        try:
            with closing(sqlite3.connect(file, timeout=busy_ms / 1000, isolation_level=None)) as connection:
                connection.execute("PRAGMA secure_delete = ON")
                row = connection.execute(statement).fetchone()
            if row is None or row[0] == 0:  # a checkpoint tells with 1 that others were in its way
                return
            reason = "others are using it"
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF not in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
                raise StoreUnusable(f"what was deleted may still be in {file}: {error}") from error
            reason = str(error)
        if monotonic() > give_up_s:
            raise StoreUnusable(f"what was deleted may still be in {file}: {reason}. Try again: data scrub")
        sleep(WAL_AGAIN_S)
