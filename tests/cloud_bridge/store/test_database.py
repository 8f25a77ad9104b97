"""Is an unusable database refused with one line that says what to do?"""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import text

from cloud_bridge.command_line import main
from cloud_bridge.errors import StoreUnusable
from cloud_bridge.store.database import FILE_NAME, LOCK_NAME, open_database
from tests.cloud_bridge.running import running_bridge

pytestmark = pytest.mark.store("sqlite")

PAGE = 4096
NEWER = "run that version, or restore a backup"
DAMAGED = "data restore FILE"
LOCKED = "try again when it has ended"


def newer(file: Path) -> None:
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")


def of_text(file: Path) -> None:
    file.write_text("no database\n" * 1000)


def noise_from(page: int) -> Callable[[Path], None]:
    def damage(file: Path) -> None:
        with file.open("r+b") as opened:
            opened.seek(page * PAGE)
            opened.write(b"\xa5" * 10 * PAGE)

    damage.__name__ = f"noise_from_page_{page}"
    return damage


DAMAGES = [of_text, noise_from(0), noise_from(1), noise_from(7), noise_from(20)]


@pytest.mark.parametrize(("spoil", "remedy"), [(newer, NEWER), *((damage, DAMAGED) for damage in DAMAGES)])
def test_a_bridge_does_not_start_on_it(tmp_path: Path, spoil: Callable[[Path], None], remedy: str) -> None:
    """It therefore acknowledges nothing."""
    open_database(tmp_path).close()
    spoil(tmp_path / FILE_NAME)
    with pytest.raises(StoreUnusable) as refusal, running_bridge(tmp_path):
        pytest.fail("it started")
    assert remedy in str(refusal.value)
    assert len(str(refusal.value).splitlines()) == 1


@pytest.mark.parametrize(
    "arguments", [("unit", "list"), ("user", "list"), ("token", "list"), ("data", "export", "ann")]
)
@pytest.mark.parametrize("spoil", [newer, *DAMAGES])
def test_a_command_says_it_in_one_line(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: tuple[str, ...],
    spoil: Callable[[Path], None],
) -> None:
    """If the damaged table is not used, the command is carried out."""
    open_database(tmp_path).close()
    spoil(tmp_path / FILE_NAME)
    monkeypatch.setenv("CHARGEKEEPER_DATA", str(tmp_path))
    code = main(list(arguments))
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == (1 if code else 0), lines


def test_a_reader_does_not_wait_for_a_writer(tmp_path: Path) -> None:
    """If the tables are up to date, they are only read, so another program's lock prevents no start."""
    open_database(tmp_path).close()
    with closing(sqlite3.connect(tmp_path / FILE_NAME, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        open_database(tmp_path).close()
        other.execute("ROLLBACK")


def test_who_needs_a_locked_database_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("cloud_bridge.store.database.BUSY_MS", 50)
    monkeypatch.setenv("CHARGEKEEPER_DATA", str(tmp_path))
    open_database(tmp_path).close()
    with closing(sqlite3.connect(tmp_path / FILE_NAME, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert main(["unit", "add", "home-1"]) == 1
        other.execute("ROLLBACK")
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    assert "database is locked" in lines[0]


def test_a_long_check_ends_in_time(tmp_path: Path) -> None:
    database = open_database(tmp_path)
    assert database.damage(within_s=0.0) is None
    assert database.damage() is None
    database.close()


@pytest.mark.parametrize("is_lost", [False, True], ids=["given_back", "ended_by_the_server"])
def test_a_connection_that_a_thread_uses_outlives_the_database_without_an_error(tmp_path: Path, is_lost: bool) -> None:
    database = open_database(tmp_path)
    with database.reading() as connection:
        database.close()
        assert connection.execute(text("SELECT 1")).scalar_one() == 1
        if is_lost:
            connection.invalidate()


def test_a_lock_that_cannot_be_opened_is_one_line(tmp_path: Path) -> None:
    (tmp_path / LOCK_NAME).mkdir()
    with pytest.raises(StoreUnusable, match=f"cannot open .*{LOCK_NAME}: Is a directory") as refusal:
        open_database(tmp_path)
    assert "\n" not in str(refusal.value)
