"""Is a backup restored completely or not at all, and is what it replaces kept?"""

import fcntl
import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from cloud_bridge.errors import BridgeError, StoreUnusable
from cloud_bridge.store.backup import restore, write_backup
from cloud_bridge.store.database import FILE_NAME, LOCK_NAME, open_database
from cloud_bridge.store.units import add_unit, unit_ids
from tests.cloud_bridge.running import Bridge

pytestmark = pytest.mark.store("sqlite")  # on PostgreSQL: hil_tests/store/test_restore.py


def store_with(folder: Path, *names: str) -> Path:
    database = open_database(folder)
    with database.writing() as connection:
        for name in names:
            add_unit(connection, name, 0)
    database.close()
    return folder


def units_in(folder: Path) -> list[str]:
    database = open_database(folder)
    try:
        with database.reading() as connection:
            return unit_ids(connection)
    finally:
        database.close()


@pytest.fixture
def backup(tmp_path: Path) -> Path:
    """A backup of a store with one unit."""
    write_backup(store_with(tmp_path / "then", "then-1"), None, tmp_path / "backup.db")
    return tmp_path / "backup.db"


def test_a_restored_store_is_that_of_the_backup(tmp_path: Path, backup: Path) -> None:
    now = store_with(tmp_path / "now", "now-1", "now-2")
    kept = restore(now, None, backup)
    assert units_in(now) == ["then-1"]
    assert units_in(kept) == ["now-1", "now-2"], "what was replaced is a store like any other"
    assert (now / FILE_NAME).stat().st_mode & 0o077 == 0
    assert kept.stat().st_mode & 0o077 == 0
    assert sorted(path.name for path in now.iterdir()) == sorted([FILE_NAME, LOCK_NAME, kept.name])


def test_what_a_killed_process_left_in_its_wal_is_kept_and_not_mixed_in(tmp_path: Path, backup: Path) -> None:
    now, crashed = store_with(tmp_path / "now", "now-1"), tmp_path / "crashed"
    database = open_database(now)
    with database.writing() as connection:
        add_unit(connection, "now-2", 0)
    crashed.mkdir()
    for path in now.iterdir():  # as after kill -9: the last commit is only in the WAL
        (crashed / path.name).write_bytes(path.read_bytes())
    database.close()
    assert (crashed / f"{FILE_NAME}-wal").stat().st_size > 0
    kept = restore(crashed, None, backup)
    assert units_in(crashed) == ["then-1"]
    assert units_in(kept) == ["now-1", "now-2"]


def test_a_damaged_database_is_replaced_and_kept(tmp_path: Path, backup: Path) -> None:
    now = store_with(tmp_path / "now", "now-1")
    (now / FILE_NAME).write_bytes(b"no database" * 1000)
    (now / f"{FILE_NAME}-wal").write_bytes(b"of another")
    kept = restore(now, None, backup)
    assert units_in(now) == ["then-1"]
    assert (kept / FILE_NAME).read_bytes() == b"no database" * 1000
    assert (kept / f"{FILE_NAME}-wal").read_bytes() == b"of another"


def test_a_first_restore_needs_no_database(tmp_path: Path, backup: Path) -> None:
    restore(tmp_path / "new", None, backup)
    assert units_in(tmp_path / "new") == ["then-1"]


def test_a_store_in_use_is_not_replaced(bridge: Bridge, backup: Path) -> None:
    bridge.add_unit("now-1")
    with pytest.raises(StoreUnusable, match="is in use: stop the bridge"):
        restore(bridge.app_state.settings.folder, None, backup)
    with bridge.app_state.database.reading() as connection:
        assert unit_ids(connection) == ["now-1"]


def test_a_store_is_not_opened_while_it_is_replaced(tmp_path: Path) -> None:
    now = store_with(tmp_path / "now", "now-1")
    with (now / LOCK_NAME).open("ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(StoreUnusable, match="a backup is just being restored"):
            open_database(now)
    assert units_in(now) == ["now-1"]


def cut_short(backup: Path) -> None:
    os.truncate(backup, backup.stat().st_size // 2 // 4096 * 4096)


def with_noise(backup: Path) -> None:
    with backup.open("r+b") as file:
        file.seek(2 * 4096)
        file.write(b"\xa5" * 20 * 4096)


def of_text(backup: Path) -> None:
    backup.write_text("no database\n" * 1000)


def empty(backup: Path) -> None:
    backup.write_bytes(b"")


def of_another_program(backup: Path) -> None:
    backup.unlink()
    with closing(sqlite3.connect(backup)) as connection:
        connection.execute("CREATE TABLE other (id)")


def of_a_newer_version(backup: Path) -> None:
    with closing(sqlite3.connect(backup)) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")


def gone(backup: Path) -> None:
    backup.unlink()


@pytest.mark.parametrize("spoil", [cut_short, with_noise, of_text, empty, of_another_program, of_a_newer_version, gone])
def test_a_backup_that_is_not_whole_changes_nothing(
    tmp_path: Path, backup: Path, spoil: Callable[[Path], None]
) -> None:
    now = store_with(tmp_path / "now", "now-1")
    spoil(backup)
    with pytest.raises(BridgeError) as refusal:
        restore(now, None, backup)
    assert str(backup) in str(refusal.value)
    assert len(str(refusal.value).splitlines()) == 1
    assert units_in(now) == ["now-1"]
    assert sorted(path.name for path in now.iterdir()) == [FILE_NAME, LOCK_NAME]


def test_a_backup_with_a_wal_beside_it_is_restored_with_it(tmp_path: Path) -> None:
    """It is a copy of the files of a killed bridge instead of a backup."""
    folder = store_with(tmp_path / "then", "then-1")
    database = open_database(folder)
    with database.writing() as connection:
        add_unit(connection, "then-2", 0)
    copy = tmp_path / "copied.db"
    for sidecar in ("", "-wal"):
        Path(f"{copy}{sidecar}").write_bytes((folder / f"{FILE_NAME}{sidecar}").read_bytes())
    database.close()
    restore(tmp_path / "now", None, copy)
    assert units_in(tmp_path / "now") == ["then-1", "then-2"]


def test_a_backup_of_nothing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StoreUnusable, match="no backup was made"):
        write_backup(tmp_path, None, tmp_path / "backup.db")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files to others")
def test_what_root_restores_is_the_bridges_to_write(tmp_path: Path, backup: Path) -> None:
    now = store_with(tmp_path / "now", "now-1")
    os.chown(now, 12345, 12345)
    units_in(now)
    assert (now / LOCK_NAME).stat().st_uid == 12345, "any command of root's, too"
    kept = restore(now, None, backup)
    assert {path.stat().st_uid for path in (now / FILE_NAME, now / LOCK_NAME, kept)} == {12345}


PG_DUMP = """#!/bin/sh
{ echo "$0" "$@"; env; stat -c %a "$PGSERVICEFILE"; cat "$PGSERVICEFILE"; } > "$NOTED"
"""


@pytest.fixture
def noted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Record the arguments, the environment and the service file of pg_dump."""
    tool = tmp_path / "bin" / "pg_dump"
    tool.parent.mkdir()
    tool.write_text(PG_DUMP)
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tool.parent}:{os.environ['PATH']}")
    monkeypatch.setenv("NOTED", str(tmp_path / "noted"))
    return tmp_path / "noted"


def test_no_secret_of_the_address_is_an_argument(tmp_path: Path, noted: Path) -> None:
    """`sslpassword` has no environment variable in libpq: it was once left out, and pg_dump could not open the key."""
    url = "postgresql://ann:plum@db.example/keeper?sslkey=/k&sslpassword=pear%20tree&keepalives_idle=7"
    write_backup(tmp_path, url, tmp_path / "backup")
    arguments, *told = noted.read_text().splitlines()
    assert "plum" not in arguments and "pear" not in arguments
    assert {"PGHOST=db.example", "PGUSER=ann", "PGPASSWORD=plum", "PGDATABASE=keeper", "PGSSLKEY=/k"} <= set(told)
    assert told[-4:-2] == ["600", "[chargekeeper]"]
    assert set(told[-2:]) == {"sslpassword=pear tree", "keepalives_idle=7"}
    file = next(Path(line.partition("=")[2]) for line in told if line.startswith("PGSERVICEFILE="))
    assert not file.parent.exists()


@pytest.mark.parametrize("rest", ["sslpassword=x%0Ahost%3Devil", "sslpassword=x&service=mine"])
def test_what_no_service_file_can_say_is_refused(tmp_path: Path, noted: Path, rest: str) -> None:
    with pytest.raises(StoreUnusable, match="sslpassword: set it in your service file") as caught:
        write_backup(tmp_path, f"postgresql://db.example/keeper?{rest}", tmp_path / "backup")
    assert "evil" not in str(caught.value)
    assert not noted.exists()
    assert not (tmp_path / "backup").exists()
