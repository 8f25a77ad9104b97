"""Is a message acknowledged when it is stored, and only then, whatever the database does?"""

import sqlite3
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import update
from sqlalchemy.exc import DataError, IntegrityError, OperationalError

from cloud_bridge.clock import Step
from cloud_bridge.contact import OUTAGE_AFTER_MS, Gap
from cloud_bridge.store import recorder as recorder_module
from cloud_bridge.store.database import Database
from cloud_bridge.store.record import ClockSet, read_gaps, read_listened, record
from cloud_bridge.store.tables import clock_steps, contacts, events, heartbeats, rejected_messages, units
from tests.cloud_bridge.recording import Recording, inbound, rows, until
from tests.cloud_bridge.running import DEADLINE_S, START_MS
from tests.cloud_bridge.unkind import UnkindDatabase


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recorder_module, "RETRY_S", 0.001)


@pytest.fixture
def unkind(database: Database) -> Iterator[UnkindDatabase]:
    unkind = UnkindDatabase(database)
    yield unkind
    unkind.close()


@pytest.fixture
def recording(unkind: UnkindDatabase) -> Iterator[Recording]:
    recording = Recording(unkind)
    yield recording
    unkind.heal()
    recording.close()


def test_it_is_acknowledged_when_it_is_stored(database: Database, recording: Recording) -> None:
    seen: list[int] = []
    recording.recorder.put(inbound(), lambda: seen.append(len(rows(database, contacts))))
    recording.until_idle()
    assert seen == [1]


def test_an_acknowledgement_that_raises_keeps_no_other_back(
    recording: Recording, caplog: pytest.LogCaptureFixture
) -> None:
    def raising() -> None:
        raise RuntimeError("its connection is gone")

    recording.recorder.put(inbound("cp-1"), raising)
    recording.put(inbound("cp-2"), "cp-2")
    recording.until_idle()
    assert recording.acknowledged == ["cp-2"]
    assert "could not be acknowledged" in caplog.text


def test_closing_writes_what_waits(database: Database) -> None:
    recording = Recording(database)
    for at_ms in range(500):
        recording.put(inbound(at_ms=at_ms))
    recording.close()
    assert rows(database, contacts)[0].messages == 500


def test_a_message_whose_data_is_refused_is_kept_aside_and_the_others_are_stored(
    database: Database, recording: Recording
) -> None:
    names = ["cp-1", "removed", "cp-2"] * 20
    for name in names:
        recording.put(inbound(name, payload=b'{"n":1}'), name)
    recording.until_idle()
    assert sorted(recording.acknowledged) == sorted(names)
    assert recording.recorder.rejected == 20
    assert recording.recorder.trouble is None
    assert {row.unit_id: row.messages for row in rows(database, contacts)} == {"cp-1": 20, "cp-2": 20}
    aside = rows(database, rejected_messages)
    assert {(row.unit_id, row.kind, row.payload) for row in aside} == {("removed", "heartbeat", b'{"n":1}')}
    assert len(aside) == 20


@pytest.mark.parametrize(
    "error",
    [
        OverflowError("Python int too large to convert to SQLite INTEGER"),
        AttributeError("'list' object has no attribute 'get'"),
        RecursionError("maximum recursion depth exceeded"),
    ],
)
def test_a_unit_whose_message_cannot_be_stored_has_reached_us_all_the_same(
    database: Database, recording: Recording, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def refuse_events(connection: Any, messages: Any, now_ms: int) -> None:
        if any(one.message is not None and one.kind == "event" for one in messages):
            raise error
        record(connection, messages, now_ms)

    monkeypatch.setattr(recorder_module, "record", refuse_events)
    recording.put(inbound(at_ms=5000, kind="event", payload=b'{"k":"tamper"}'))
    recording.until_idle()
    (contact,) = rows(database, contacts)
    assert (contact.last_contact_ms, contact.last_kind, contact.bad_payloads) == (5000, "event", 1)
    assert rows(database, events) == []
    assert [row.payload for row in rows(database, rejected_messages)] == [b'{"k":"tamper"}']


def test_only_the_newest_rejected_messages_are_kept(
    database: Database, recording: Recording, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cloud_bridge.store.record.KEPT_REJECTED", 5)
    for at_ms in range(9):
        recording.put(inbound("removed", at_ms=at_ms))
    recording.until_idle()
    assert [row.received_ms for row in rows(database, rejected_messages)] == [4, 5, 6, 7, 8]


def test_an_error_that_does_not_come_again_costs_no_message(
    database: Database, recording: Recording, unkind: UnkindDatabase
) -> None:
    unkind.fail("IntegrityError", lambda: sqlite3.IntegrityError("injected"), after=2, times=1)
    recording.put(inbound(kind="event", payload=b'{"k":"tamper"}'))
    recording.until_idle()
    assert unkind.fired == 1
    assert len(rows(database, events)) == 1
    assert recording.recorder.rejected == 0


@pytest.mark.parametrize(
    "error", [IntegrityError("", {}, Exception("x")), DataError("", {}, Exception("x")), ValueError("x")]
)
def test_a_canary_is_never_kept_aside_and_holds_nobody_up(
    database: Database, recording: Recording, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def refuse(*_: Any) -> None:
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(recorder_module, "record_listening", refuse)
        recording.canary()
        recording.put(inbound(), "unit")
        until(lambda: recording.acknowledged == ["unit"], "the unit acknowledged")
        until(lambda: recording.recorder.trouble, "told")
        assert recording.ledger.last_ok_ms is None
    recording.until_idle()
    assert recording.acknowledged == ["unit", "canary"]
    assert recording.ledger.last_ok_ms == START_MS
    assert recording.recorder.trouble is None
    assert recording.recorder.rejected == 0


def test_a_step_of_our_clock_is_stored_at_once(database: Database, recording: Recording) -> None:
    """Not only with the next message: a kill -9 in between would lose it."""
    recording.recorder.stepped(ClockSet(Step(START_MS, 1000), START_MS, []))
    until(lambda: rows(database, clock_steps), "the step stored")


def test_a_step_that_cannot_be_stored_is_tried_again(
    database: Database, recording: Recording, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any) -> None:
        raise OperationalError("", {}, Exception("away"))

    with monkeypatch.context() as patch:
        patch.setattr(recorder_module, "RETRY_S", 0.0)
        patch.setattr(recorder_module, "record_clock_set", refuse)
        recording.recorder.stepped(ClockSet(Step(START_MS, 1000), START_MS, []))
        until(lambda: recording.recorder.retries > 2, "tried again")
        assert recording.recorder.trouble == "away"
    until(lambda: rows(database, clock_steps), "the step stored")
    until(lambda: recording.recorder.trouble is None, "all is well")


def test_closing_stores_a_step_that_waits(database: Database) -> None:
    recording = Recording(database)
    recording.recorder.stepped(ClockSet(Step(START_MS, 1000), START_MS, []))
    recording.close()
    assert len(rows(database, clock_steps)) == 1


def test_nothing_is_acknowledged_while_nothing_can_be_written(
    database: Database, recording: Recording, unkind: UnkindDatabase
) -> None:
    unkind.fail("full", lambda: sqlite3.OperationalError("database or disk is full"), after=0, times=-1)
    recording.canary()
    recording.put(inbound(), "unit")
    until(lambda: recording.recorder.retries > 5, "tried again")
    assert recording.acknowledged == []
    assert recording.recorder.trouble == "database or disk is full"
    assert recording.recorder.waiting == 2
    unkind.heal()
    recording.until_idle()
    assert recording.acknowledged == ["canary", "unit"]
    assert recording.recorder.trouble is None
    assert len(rows(database, heartbeats)) == 1


def test_what_was_written_before_the_trouble_began_is_not_written_again(
    database: Database, recording: Recording, unkind: UnkindDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A group is halved because of one bad message, and the database fails in the middle of it."""
    parts: list[int] = []

    def count(connection: Any, messages: Any, now_ms: int) -> None:
        parts.append(len(messages))
        if len(parts) == 3:
            unkind.fail("away", lambda: sqlite3.OperationalError("disk I/O error"), after=0, times=4)
        record(connection, messages, now_ms)

    monkeypatch.setattr(recorder_module, "record", count)
    with recording.recorder._changed:  # so that they form one group
        for number in range(8):
            recording.put(inbound("removed" if number == 5 else "cp-1", kind="event", payload=b'{"k":"tamper"}'))
    recording.until_idle()
    assert unkind.fired == 4
    assert len(rows(database, events)) == 7, "events without a number: each would be there twice"


def test_a_time_in_which_nobody_was_acknowledged_is_a_gap_in_memory_and_store(
    database: Database, recording: Recording, unkind: UnkindDatabase
) -> None:
    recording.canary()
    recording.until_idle()
    unkind.fail("away", lambda: sqlite3.OperationalError("disk I/O error"), after=0, times=-1)
    for _ in range(12):
        recording.clock.advance(5000)
        recording.canary()
    until(lambda: recording.recorder.retries > 2, "tried again")
    assert recording.ledger.open_outage(recording.clock.now_ms()) == Gap(START_MS, START_MS + 60_000)
    unkind.heal()
    recording.until_idle()
    assert recording.acknowledged == ["canary"] * 13
    expected = [Gap(START_MS, START_MS + 60_000 - OUTAGE_AFTER_MS)]
    assert recording.ledger.outages(recording.clock.now_ms()) == expected
    with database.reading() as connection:
        assert (read_gaps(connection), read_listened(connection)[1].until_ms) == (expected, START_MS + 60_000)


def test_a_database_that_does_not_answer_at_all_is_trouble(
    recording: Recording, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on = threading.Event()
    monkeypatch.setattr(recorder_module, "record", lambda *_: go_on.wait(DEADLINE_S))
    monkeypatch.setattr(recorder_module, "STALLED_S", 0.0)
    recording.put(inbound())
    until(lambda: "has not answered" in (recording.recorder.trouble or ""), "told")
    go_on.set()
    recording.until_idle()
    assert recording.recorder.trouble is None


def test_no_more_is_taken_than_fits(
    recording: Recording, unkind: UnkindDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recorder_module, "MAX_WAITING", 3)
    unkind.fail("away", lambda: sqlite3.OperationalError("disk I/O error"), after=0, times=-1)
    assert [recording.put(inbound(), str(number)) for number in range(5)] == [True, True, True, False, False]
    unkind.heal()
    recording.until_idle()
    assert recording.acknowledged == ["0", "1", "2"]
    assert recording.put(inbound())


def test_closing_gives_up_what_the_database_does_not_take(database: Database) -> None:
    unkind = UnkindDatabase(database)
    unkind.fail("away", lambda: sqlite3.OperationalError("disk I/O error"), after=0, times=-1)
    recording = Recording(unkind)
    recording.put(inbound())
    recording.close()
    unkind.close()
    assert recording.acknowledged == []
    assert rows(database, contacts) == []


def test_a_removed_unit_s_row_is_not_made_by_its_message(database: Database, recording: Recording) -> None:
    with database.writing() as connection:
        connection.execute(update(units).where(units.c.id == "cp-2").values(id="cp-3"))
    recording.put(inbound("cp-2"))
    recording.until_idle()
    assert recording.recorder.rejected == 1
    assert rows(database, contacts) == []
