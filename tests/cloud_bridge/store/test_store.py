"""Does the store keep its data with bad folders, bad rows and failures?"""

import os
import sqlite3
import threading
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import ForeignKeyConstraint, MetaData, insert
from sqlalchemy.exc import IntegrityError

from cloud_bridge.contact import Gap, Listened
from cloud_bridge.errors import StoreUnusable
from cloud_bridge.store import database as database_module
from cloud_bridge.store.chunks import as_stored
from cloud_bridge.store.database import FILE_NAME, Database, open_database
from cloud_bridge.store.inbound_message import CanaryMark
from cloud_bridge.store.partitions import PARTITIONED
from cloud_bridge.store.record import read_gaps, read_listened, record, record_listening
from cloud_bridge.store.revisions import MIGRATIONS, known_revisions, newest_revision
from cloud_bridge.store.tables import contacts, events, heartbeats, metadata, sessions, units
from cloud_bridge.store.units import add_unit
from tests.cloud_bridge.recording import inbound, rows
from tests.cloud_bridge.running import DEADLINE_S, sample, store_at

AT_ONCE = 8


def test_the_migrations_make_the_tables(database: Database) -> None:
    def is_no_partition(_: object, name: str | None, kind: str, *__: object) -> bool:
        return kind != "table" or name not in {f"{table.name}_default" for table in PARTITIONED}

    with database.reading() as connection:
        options = {"include_object": is_no_partition}
        expected = MetaData()
        for table in metadata.sorted_tables:
            stored = as_stored(database.kind, table).to_metadata(expected)
            if stored.columns.keys() != table.columns.keys():  # for statements, which need no foreign keys
                stored.append_constraint(ForeignKeyConstraint(["unit_id"], ["units.id"], ondelete="CASCADE"))
        assert compare_metadata(MigrationContext.configure(connection, opts=options), expected) == []


def test_the_migrations_are_one_chain_in_the_order_of_their_names() -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    chain = [script.revision for script in ScriptDirectory.from_config(config).walk_revisions()]
    assert chain == sorted(known_revisions(), reverse=True) and chain[0] == newest_revision()


def test_opening_twice_keeps_everything(tmp_path: Path, database: Database) -> None:
    again = open_database(store_at(tmp_path))
    assert {row.id for row in rows(again, units)} == {"cp-1", "cp-2"}
    again.close()


def test_opening_what_is_up_to_date_runs_no_migration(
    tmp_path: Path, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every command opens the database beside the running bridge, and only locks it for a short check."""

    def must_not_run(*_: object) -> None:
        raise AssertionError("it migrates")

    monkeypatch.setattr("alembic.command.upgrade", must_not_run)
    open_database(store_at(tmp_path)).close()


def test_many_that_open_a_new_file_at_once_wait_for_each_other(tmp_path: Path) -> None:
    """As processes do that start together: one changes the file's journal mode, which needs exclusive access."""
    refused: list[str] = []

    def prepare(file: Path) -> None:
        start.wait(DEADLINE_S)
        connection = sqlite3.connect(file)
        try:
            database_module._prepare(connection, None)
        except sqlite3.Error as error:
            refused.append(str(error))
        connection.close()

    for number in range(50):
        start = threading.Barrier(AT_ONCE)
        threads = [threading.Thread(target=prepare, args=[tmp_path / f"{number}.db"]) for _ in range(AT_ONCE)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(DEADLINE_S)
    assert not refused


@pytest.mark.store("sqlite")
def test_a_new_database_is_closed_to_others_from_its_first_moment(tmp_path: Path) -> None:
    """With any umask."""
    before = os.umask(0)
    try:
        database = open_database(tmp_path / "new")
        with database.writing() as connection:
            add_unit(connection, "cp-1", 0)
            modes = {path.name: path.stat().st_mode & 0o777 for path in (tmp_path / "new").iterdir()}
        database.close()
    finally:
        os.umask(before)
    assert (tmp_path / "new").stat().st_mode & 0o777 == 0o700
    assert set(modes.values()) == {0o600}, modes


def test_a_folder_that_cannot_be_made_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StoreUnusable, match="cannot make the data folder .*CHARGEKEEPER_DATA") as caught:
        open_database(tmp_path / "file" / "data")
    assert "\n" not in str(caught.value)


def test_a_database_that_is_none_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_text("this is no database, but long enough to look like one" * 20)
    with pytest.raises(StoreUnusable, match="cannot use the database .*data restore FILE") as caught:
        open_database(tmp_path)
    assert "\n" not in str(caught.value)


def test_a_database_that_cannot_be_opened_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).mkdir()
    with pytest.raises(StoreUnusable, match="cannot use the database .*CHARGEKEEPER_DATA"):
        open_database(tmp_path)


@pytest.mark.parametrize("url", ["nonsense", "postgresql://127.0.0.1:1/nobody-listens"])
def test_a_server_that_is_none_is_one_clear_line(url: str) -> None:
    with pytest.raises(StoreUnusable, match="CHARGEKEEPER_DATABASE") as caught:
        open_database(url)
    assert "\n" not in str(caught.value)


def test_a_failed_transaction_leaves_nothing(database: Database) -> None:
    with pytest.raises(RuntimeError, match="half way"), database.writing() as connection:
        add_unit(connection, "cp-3", 0)
        raise RuntimeError("half way")
    assert len(rows(database, units)) == 2


def test_batches_in_any_order_keep_the_latest_contact_and_add_up(database: Database) -> None:
    with database.writing() as connection:
        record(connection, [inbound(at_ms=5000), inbound(at_ms=4000, kind="event"), inbound("cp-2", 7000)])
    with database.writing() as connection:
        record(connection, [inbound(at_ms=3000, kind="session")])
    kept = {row.unit_id: row for row in rows(database, contacts)}
    assert (kept["cp-1"].last_contact_ms, kept["cp-1"].last_kind, kept["cp-1"].messages) == (5000, "heartbeat", 3)
    assert kept["cp-2"].last_contact_ms == 7000


def test_the_newest_heartbeat_replaces_the_one_before(database: Database) -> None:
    for at_ms, name in ((1000, "heartbeat-idle"), (2000, "heartbeat-charging")):
        with database.writing() as connection:
            record(connection, [inbound(at_ms=at_ms, payload=sample(name))])
    (row,) = rows(database, heartbeats)
    assert (row.received_ms, row.payload) == (2000, sample("heartbeat-charging").decode())


def test_a_journal_record_is_kept_once_and_one_without_number_every_time(database: Database) -> None:
    numbered, bare = sample("event-fault-raised"), b'{"k":"tamper"}'
    for payload in (numbered, numbered, bare, bare):
        with database.writing() as connection:
            record(connection, [inbound(kind="event", payload=payload)])
    assert sorted(row.kind for row in rows(database, events)) == ["fault_raised", "tamper", "tamper"]


@pytest.mark.parametrize("in_one_batch", [True, False])
@pytest.mark.parametrize("times", [1, 2])
def test_two_records_under_one_number_are_both_kept_and_each_once(
    database: Database, in_one_batch: bool, times: int
) -> None:
    """Copies of one flash image write them, with equal boot counts. A repeated record may have got the time."""
    first = b'{"n":7,"b":4,"k":"tamper","d":{"open":true}}'
    other = b'{"n":7,"b":4,"k":"tamper","d":{"open":false}}'
    timed = b'{"n":7,"b":4,"t":1767225600,"k":"tamper","d":{"open":false}}'
    messages = [inbound(kind="event", payload=one) for one in (first, other, first, timed, other)] * times
    for batch in [messages] if in_one_batch else [[one] for one in messages]:
        with database.writing() as connection:
            record(connection, batch)
    kept = [(row.boot, row.sequence, row.payload.encode()) for row in rows(database, events)]
    assert kept == [(4, 7, first), (None, None, other)]


def test_the_same_happening_at_another_time_is_another_record(database: Database) -> None:
    """A time that the unit computes again may differ by a second."""
    for seconds in (0, 1, 60, 61, 0):
        payload = b'{"n":7,"b":4,"t":%d,"k":"mode","d":{"to":"smart"}}' % (1_767_225_600 + seconds)
        with database.writing() as connection:
            record(connection, [inbound(kind="event", payload=payload)])
    assert [row.unit_time_s - 1_767_225_600 for row in rows(database, events)] == [0, 60]


def test_a_session_under_the_number_of_another_is_kept_and_its_repeat_is_not(database: Database) -> None:
    first, other = b'{"n":7,"b":4,"s":60,"e":900}', b'{"n":7,"b":4,"s":60,"e":1200}'
    timed = b'{"n":7,"b":4,"t":1767225660,"t0":1767225600,"t1":1767225660,"s":60,"e":1200}'
    for payload in (first, other, timed, first, timed):
        with database.writing() as connection:
            record(
                connection, [inbound(kind="session", payload=payload), inbound("cp-2", kind="session", payload=first)]
            )
    kept = sorted((row.unit_id, row.energy_wh) for row in rows(database, sessions))
    assert kept == [("cp-1", 900), ("cp-1", 1200), ("cp-2", 900)]


def test_the_ledger_comes_back_as_it_was_left(database: Database) -> None:
    with database.writing() as connection:
        record_listening(connection, CanaryMark(1000), None)
        record_listening(connection, CanaryMark(90_000, 1, 7000, 95_000), Gap(1000, 90_000))
    with database.reading() as connection:
        assert read_gaps(connection) == [Gap(1000, 90_000)]
        assert read_listened(connection) == {1: Listened(90_000, 7000, 95_000)}


def test_a_contact_needs_its_unit(database: Database) -> None:
    with pytest.raises(IntegrityError), database.writing() as connection:
        connection.execute(
            insert(contacts),
            {"unit_id": "x", "last_contact_ms": 1, "last_kind": "event", "messages": 1, "bad_payloads": 0},
        )
