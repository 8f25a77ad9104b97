"""Does an upgrade to chunks keep every row, in short transactions, and continue after a kill?"""

import threading
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, event, insert, select, text

from cloud_bridge.durations import DAY_MS, HOUR_MS, MINUTE_MS
from cloud_bridge.store import chunk_moves, slices
from cloud_bridge.store.chunk_moves import _Moves
from cloud_bridge.store.chunks import CHUNKED
from cloud_bridge.store.database import Database, open_database
from tests.cloud_bridge.old_store import add_old_unit, open_at
from tests.cloud_bridge.running import DEADLINE_S, START_MS, store_at

pytestmark = pytest.mark.store("sqlite")
UNITS = ["cp-1", "cp-2", "cp-3"]
STAMPS = [
    0,
    START_MS - 400 * DAY_MS,
    *range(START_MS, START_MS + 5 * HOUR_MS, 7 * MINUTE_MS),
    START_MS + 20_000 * DAY_MS,
]
OTHERS: dict[str, dict[str, Any]] = {
    "signal": {"csq": 17, "operator": "23415"},
    "power": {"plugged": True, "watts": 7200, "total_wh": None},
    "signal_5min": {"operator": "23415", "lowest": 1, "highest": 3, "total": 4, "samples": 2},
    "signal_hourly": {"operator": "23415", "until_ms": 9, "lowest": 1, "highest": 3, "total": 4, "samples": 2}
    | {"lasting_ms": 300_000},
}

Rows = dict[str, set[tuple[Any, ...]]]


@pytest.fixture
def older(tmp_path: Path) -> Path:
    """A store of the previous version, with rows of correct and wrong clocks in each of the tables."""
    folder = store_at(tmp_path, empty=True)
    assert isinstance(folder, Path)
    before = open_at(folder, "0037")
    with before.writing() as connection:
        for unit_id in UNITS:
            add_old_unit(connection, unit_id)
        for table, (age, _) in CHUNKED.items():
            rows = [{"unit_id": unit_id, age.name: at_ms} | OTHERS[table.name] for at_ms in STAMPS for unit_id in UNITS]
            connection.execute(insert(table), rows)
    before.close()
    return folder


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make each transaction one step, and each step one unit."""
    monkeypatch.setattr(slices, "SLICE_S", 0.0)
    monkeypatch.setattr(slices, "PAUSE_S", 0.0)
    monkeypatch.setattr(chunk_moves, "MOVED_AT_ONCE", 1)


def content(database: Database) -> Rows:
    with database.reading() as connection:
        return {table.name: {tuple(row) for row in connection.execute(select(table))} for table in CHUNKED}


def before_upgrade(folder: Path) -> Rows:
    database = open_at(folder, "0037")
    rows = content(database)
    database.close()
    assert all(len(found) == len(STAMPS) * len(UNITS) for found in rows.values())
    return rows


def is_whole(database: Database) -> None:
    with database.reading() as connection:
        names = connection.execute(text("SELECT name FROM sqlite_master WHERE name LIKE '%before%'")).all()
        assert names == []
        assert connection.execute(text("PRAGMA foreign_key_check")).all() == []
        assert connection.execute(text("PRAGMA integrity_check")).scalar() == "ok"
        for table, (age, width_ms) in CHUNKED.items():
            wrong = text(f"SELECT count(*) FROM {table.name} WHERE chunk <> {age.name} / {width_ms}")
            assert connection.execute(wrong).scalar() == 0


def test_every_row_is_moved(older: Path, short: None) -> None:
    rows = before_upgrade(older)
    database = open_database(older)
    assert content(database) == rows
    is_whole(database)
    database.close()


def test_whoever_is_killed_leaves_the_rest_to_the_next_start(
    older: Path, short: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = before_upgrade(older)
    step, allowed = _Moves.step, 0

    def killed(self: _Moves, connection: Connection) -> bool:
        nonlocal allowed
        if allowed == 0:
            raise KeyboardInterrupt
        allowed -= 1
        return step(self, connection)

    starts = 0
    with monkeypatch.context() as patched:
        patched.setattr(_Moves, "step", killed)
        for allowed in (0, 1, 3, 9):  # noqa: B007  `killed` counts it down
            with pytest.raises(KeyboardInterrupt):
                open_database(older)
            starts += 1
    assert starts == 4
    database = open_database(older)
    assert content(database) == rows
    is_whole(database)
    database.close()


def test_a_transaction_moves_some_rows_only(older: Path, short: None, monkeypatch: pytest.MonkeyPatch) -> None:
    moved: list[int] = []
    in_this = 0

    def committed(_connection: Any) -> None:
        nonlocal in_this
        moved.append(in_this)
        in_this = 0

    def executed(_connection: Any, cursor: Any, statement: str, *_: Any) -> None:
        nonlocal in_this
        if statement.startswith("INSERT OR IGNORE"):
            in_this += cursor.rowcount

    original = Database.__init__

    def watched(self: Database, *arguments: Any, **options: Any) -> None:
        original(self, *arguments, **options)
        event.listen(self._engine, "commit", committed)
        event.listen(self._engine, "after_cursor_execute", executed)

    monkeypatch.setattr(Database, "__init__", watched)
    open_database(older).close()
    assert max(moved) == len(STAMPS) - 3, "those of one unit in one day"
    assert sum(moved) == len(CHUNKED) * len(STAMPS) * len(UNITS)


def test_two_that_move_at_once_share_the_rows(older: Path, short: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """A command beside the bridge that was just upgraded: both look, and each finds what the other has left."""
    rows = before_upgrade(older)
    with monkeypatch.context() as patched:
        patched.setattr("cloud_bridge.store.database.unmoved", lambda _: [])
        both = [open_database(older), open_database(older)]
    failed: list[Exception] = []

    def move(database: Database) -> None:
        try:
            chunk_moves.move_rows(database.writing_slice, CHUNKED)
        except Exception as error:
            failed.append(error)

    threads = [threading.Thread(target=move, args=[one]) for one in both]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(DEADLINE_S)
    assert failed == []
    assert content(both[0]) == rows
    is_whole(both[1])
    for one in both:
        one.close()


def test_the_upgrade_of_an_empty_store_has_nothing_to_move(tmp_path: Path) -> None:
    folder = store_at(tmp_path, empty=True)
    open_at(folder, "0037").close()
    database = open_database(folder)
    is_whole(database)
    database.close()
