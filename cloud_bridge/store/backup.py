"""Back up the whole database while the bridge runs, and restore it while the bridge is stopped.

A restore keeps the replaced database in a folder `replaced-TIME` of the data folder. The keys of the car accounts are
not part of a backup: they are in files beside the database, which a restore does not change.
"""

import fcntl
import os
import re
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory, TemporaryFile
from typing import IO, Any, cast

import psycopg
from psycopg.conninfo import conninfo_to_dict

from cloud_bridge.errors import AlreadyThere, BridgeError, StoreUnusable
from cloud_bridge.store import release_tables, vehicle_tables  # noqa: F401  they add their tables to the metadata
from cloud_bridge.store.database import FILE_NAME, LOCK_NAME
from cloud_bridge.store.private_files import make_private_folder, private_opener
from cloud_bridge.store.revisions import known_revisions
from cloud_bridge.store.tables import metadata

SIDECARS = ("-wal", "-shm")  # suffixes of the files that SQLite keeps beside the database
TOOL_WITHIN_S = 3600  # for pg_dump and pg_restore
_IN_USE = "stop the bridge and its commands first, then restore"
_COPY_OF_REVISION = re.compile(r"^COPY [^\n]*alembic_version[^\n]*\n(\S+)$", re.MULTILINE)


def write_backup(folder: Path, url: str | None, target: Path) -> None:
    """Write a consistent copy to the new file `target`: a SQLite database, or an archive for pg_restore.

    Raises AlreadyThere if the file exists, BridgeError if it cannot be written, and StoreUnusable.
    """
    try:
        os.close(os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))  # a backup contains secrets
    except FileExistsError as error:
        raise AlreadyThere(f"{target} exists already: a backup overwrites nothing") from error
    except OSError as error:
        raise BridgeError(f"{target} cannot be written ({error.strerror}): name a file in a folder of yours") from error
    try:
        if url is None:
            address = f"{(folder / FILE_NAME).absolute().as_uri()}?mode=rw"  # does not create the file
            with closing(sqlite3.connect(address, uri=True)) as source, closing(sqlite3.connect(target)) as copy:
                source.backup(copy)
        else:
            _postgresql("pg_dump", url, "--format=custom", f"--file={target}")
    except StoreUnusable:  # the URL is not valid
        target.unlink(missing_ok=True)
        raise
    except (OSError, sqlite3.Error, subprocess.SubprocessError) as error:
        target.unlink(missing_ok=True)
        raise StoreUnusable(f"no backup was made: {_reason(error)}") from error


def restore(folder: Path, url: str | None, source: Path, now: datetime | None = None) -> Path:
    """Replace the database by the backup. Return the folder in which the replaced database is kept.

    Nothing is changed unless the backup is complete and this version knows its schema. Otherwise raises BridgeError.
    Raises StoreUnusable if the database is in use or cannot be replaced.
    """
    kept = folder / f"replaced-{now or datetime.now(UTC):%Y%m%dT%H%M%SZ}"
    try:
        return _restore_file(folder, source, kept) if url is None else _restore_postgresql(url, source, kept)
    except (OSError, sqlite3.Error, psycopg.Error, subprocess.SubprocessError) as error:
        raise StoreUnusable(f"the backup was not restored: {_reason(error)}") from error


def _restore_file(folder: Path, source: Path, kept: Path) -> Path:
    make_private_folder(folder)
    database, fresh = folder / FILE_NAME, folder / f".{FILE_NAME}.restored"
    with _alone(folder):
        fresh.unlink(missing_ok=True)
        try:
            os.close(os.open(fresh, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
            _copy_checked(source, fresh)
            make_private_folder(kept)
            for made in (fresh, kept, folder / LOCK_NAME):
                _give_to_owner(made, folder)
            if database.exists():
                os.link(database, kept / FILE_NAME)
                for sidecar in SIDECARS:  # SQLite would apply them to the new database
                    if (beside := folder / f"{FILE_NAME}{sidecar}").exists():
                        os.replace(beside, kept / beside.name)
            os.replace(fresh, database)  # atomic, so that there is always a database
            _sync(kept)
            _sync(folder)
        finally:
            fresh.unlink(missing_ok=True)
    return kept


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    with open(folder / LOCK_NAME, "ab", opener=private_opener) as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise StoreUnusable(f"the database in {folder} is in use: {_IN_USE}") from error
        yield


def _copy_checked(source: Path, target: Path) -> None:
    """Copy the backup and check the copy. A WAL beside the backup is included. Raises BridgeError if it is not a
    complete database of ours."""
    if not source.is_file():
        raise BridgeError(f"there is no file {source}: name one that `data backup` has written")
    has_wal = source.with_name(f"{source.name}-wal").exists()
    address = f"{source.resolve().as_uri()}?{'mode=rw' if has_wal else 'mode=ro&immutable=1'}"
    try:
        with closing(sqlite3.connect(address, uri=True)) as backup, closing(sqlite3.connect(target)) as copy:
            backup.backup(copy)
            found = copy.execute("PRAGMA quick_check(1)").fetchone()[0]
            revision = copy.execute("SELECT version_num FROM alembic_version").fetchone()
    except sqlite3.DatabaseError as error:
        raise BridgeError(f"{source} is not a complete backup of Chargekeeper ({error}): use another one") from error
    if found != "ok":
        raise BridgeError(f"{source} is damaged ({' '.join(found.split())}): name another one")
    _check_revision(source, revision[0] if revision else None)
    _sync(target)


def _check_revision(source: Path, revision: str | None) -> None:
    if revision not in known_revisions():
        raise BridgeError(f"{source} is of a newer version (tables {revision}): restore it with that version")


def _give_to_owner(path: Path, folder: Path) -> None:
    """If root runs the restore, give the file to the owner of the data folder, as whom the bridge runs."""
    owner = folder.stat()
    if os.geteuid() == 0:
        os.chown(path, owner.st_uid, owner.st_gid)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _restore_postgresql(url: str, source: Path, kept: Path) -> Path:
    """Restore into PostgreSQL in one transaction, after a dump of the present content to `kept`. Return `kept`."""
    if not source.is_file():
        raise BridgeError(f"there is no file {source}: name one that `data backup` has written")
    try:
        rows = _postgresql("pg_restore", None, "--data-only", "--table=alembic_version", "--file=-", str(source))
    except subprocess.CalledProcessError as error:
        raise BridgeError(f"{source} is not a backup of Chargekeeper ({_reason(error)}): use another one") from error
    revision = _COPY_OF_REVISION.search(rows)
    _check_revision(source, revision[1] if revision else None)
    with psycopg.connect(url) as connection:
        others = connection.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        ).fetchone()
    if others is not None and others[0]:
        raise StoreUnusable(f"the database of CHARGEKEEPER_DATABASE is in use: {_IN_USE}")
    make_private_folder(kept)
    write_backup(kept.parent, url, kept / "database.dump")
    _replace_tables(url, source)
    return kept


def _replace_tables(url: str, source: Path) -> None:
    """Drop our tables and run the output of `pg_restore` in `psql`, in one transaction. `pg_restore --clean` cannot
    drop partitioned tables and partitions that were created after the backup. Nothing is committed until the whole
    archive was read."""
    names = ", ".join(f'"{name}"' for name in (*metadata.tables, "alembic_version"))
    with _told_by_environment(_settings_of(url)) as environment, TemporaryFile() as complaints:
        writing = subprocess.Popen(
            ["pg_restore", "--no-owner", "--file=-", str(source)], stdout=subprocess.PIPE, stderr=complaints
        )
        taking = subprocess.Popen(
            ["psql", "--no-password", "--no-psqlrc", "--quiet", "--single-transaction", "--set=ON_ERROR_STOP=1"],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=complaints,
            env=os.environ | environment,
        )
        script, statements = cast(IO[bytes], writing.stdout), cast(IO[bytes], taking.stdin)
        try:
            with suppress(BrokenPipeError):  # psql has failed, and its message is reported below
                statements.write(f"DROP TABLE IF EXISTS {names} CASCADE;\n".encode())
                shutil.copyfileobj(script, statements)
                if writing.wait(TOOL_WITHIN_S) == 0:
                    statements.close()
                    taking.wait(TOOL_WITHIN_S)
        finally:
            for process in (taking, writing):
                process.kill()
                process.wait()
            script.close()
            with suppress(BrokenPipeError):
                statements.close()
        if writing.returncode or taking.returncode:
            complaints.seek(0)
            raise StoreUnusable(f"the backup was not restored: {' '.join(complaints.read().decode().split())}")


def _postgresql(tool: str, url: str | None, *arguments: str) -> str:
    """Run a tool and return its output. Server and secrets are passed in the environment, because other users can read
    the arguments of a process."""
    with _told_by_environment({} if url is None else _settings_of(url)) as environment:
        done = subprocess.run(
            [tool, "--no-password", *arguments] if url is not None else [tool, *arguments],
            check=True,
            capture_output=True,
            text=True,
            env=os.environ | environment,
            timeout=TOOL_WITHIN_S,
        )
    return done.stdout


@contextmanager
def _told_by_environment(settings: dict[str, Any]) -> Iterator[dict[str, str]]:
    """Provide environment variables of libpq for these settings. Settings without a variable, such as `sslpassword`, go
    into a temporary service file that only this user can read (PostgreSQL manual, 34.17 "The Connection Service
    File")."""
    named = {
        option.keyword.decode(): option.envvar.decode()
        for option in psycopg.pq.Conninfo.get_defaults()
        if option.envvar is not None
    }
    environment = {named[name]: str(value) for name, value in settings.items() if name in named}
    others = {name: str(value) for name, value in settings.items() if name not in named}
    if not others:
        yield environment
        return
    if "service" in settings or "PGSERVICE" in os.environ or any(set(value) & set("\r\n") for value in others.values()):
        raise StoreUnusable(f"CHARGEKEEPER_DATABASE sets {', '.join(others)}: set it in your service file instead")
    with TemporaryDirectory() as folder:
        file = Path(folder) / "pg_service.conf"
        lines = ["[chargekeeper]", *(f"{name}={value}" for name, value in others.items()), ""]
        with open(file, "w", opener=private_opener) as made:
            made.write("\n".join(lines))
        yield environment | {"PGSERVICEFILE": str(file), "PGSERVICE": "chargekeeper"}


def _settings_of(url: str) -> dict[str, Any]:
    """Parse the URL. Raises StoreUnusable, without the URL in the text, since it may contain a password."""
    try:
        return conninfo_to_dict(url)
    except psycopg.Error:
        raise StoreUnusable("CHARGEKEEPER_DATABASE is not a valid PostgreSQL URL") from None


def _reason(error: Exception) -> str:
    """Return the reason of an error in one line, without the command that was run."""
    if isinstance(error, subprocess.TimeoutExpired):
        return f"it took longer than {TOOL_WITHIN_S} s"
    if isinstance(error, FileNotFoundError) and shutil.which(str(error.filename)) is None:
        return f"{error.filename} is not there. For a PostgreSQL, install its client programs"
    return " ".join(str(getattr(error, "stderr", None) or error).split())
