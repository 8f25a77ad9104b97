"""Does a back-end only get the present owner's sessions since their consent, each once?"""

from typing import Any

import pytest
from sqlalchemy import text

from cloud_bridge.errors import BridgeError
from cloud_bridge.northbound.transactions import Transaction
from cloud_bridge.store import northbound
from cloud_bridge.store.access import Role
from cloud_bridge.store.claims import claim, release
from cloud_bridge.store.database import Database
from cloud_bridge.store.northbound import LinkState, Setting, Stored, shown_of, shown_units
from cloud_bridge.store.people import add_person, find_person
from cloud_bridge.store.tables import northbound as table
from cloud_bridge.store.tables import sessions
from cloud_bridge.store.units import add_unit
from tests.cloud_bridge.running import START_MS

HOUR_MS = 3_600_000


def setting(since_ms: int = START_MS, unit_id: str = "wall") -> Setting:
    return Setting(unit_id, since_ms, "wss://csms.example", "CS", "the key of it", "TAG", False)


@pytest.fixture
def ann(database: Database) -> int:
    """Ann, the owner of wall."""
    with database.writing() as connection:
        new = add_unit(connection, "wall", START_MS - 99 * HOUR_MS)
        for name in ("ann", "ben"):
            add_person(connection, name, "", Role.DRIVER, START_MS)
        claim(connection, find_person(connection, "ann"), new.claim_code, START_MS - 50 * HOUR_MS)
        owner: int = find_person(connection, "ann").id
    return owner


def ended(database: Database, ended_ms: int, **columns: Any) -> None:
    """Store a session of an hour, reported immediately."""
    row = {"unit_id": "wall", "received_ms": ended_ms + 5000, "payload": "{}", "energy_wh": 5, "duration_s": 3600}
    times = {"started_s": (ended_ms - HOUR_MS) // 1000, "ended_s": ended_ms // 1000}
    with database.writing() as connection:
        connection.execute(sessions.insert(), {**row, **times, **columns})


def show(database: Database, agreed_by: int, since_ms: int = START_MS) -> None:
    with database.writing() as connection:
        northbound.show(connection, setting(since_ms), agreed_by)


def told(database: Database) -> list[int | None]:
    """Return when the sessions ended that are to be reported."""
    with database.reading() as connection:
        return [one.ended_ms for unit in shown_units(connection) for one in unit.sessions]


def test_sessions_are_told_from_the_setting_on(database: Database, ann: int) -> None:
    ended(database, START_MS - 2 * HOUR_MS)
    show(database, ann)
    ended(database, START_MS - HOUR_MS)  # the unit reports it later
    ended(database, START_MS + HOUR_MS)
    ended(database, START_MS + 2 * HOUR_MS, started_s=None, ended_s=None)
    assert told(database) == [START_MS + HOUR_MS, START_MS + 2 * HOUR_MS + 5000]


def test_no_more_are_read_than_are_told_at_once(database: Database, ann: int) -> None:
    show(database, ann)
    for number in range(2 * northbound.SESSIONS_AT_ONCE):
        ended(database, START_MS + number * HOUR_MS)
    assert len(told(database)) == northbound.SESSIONS_AT_ONCE
    with database.reading() as connection:
        newest = shown_units(connection)[0].sessions[-1].id
    with database.writing() as connection:
        northbound.record_progress(connection, setting(), Stored(newest, None, 0))
    assert told(database)[0] == START_MS + northbound.SESSIONS_AT_ONCE * HOUR_MS


def test_the_next_owner_is_shown_to_nobody_and_their_sessions_are_their_own(database: Database, ann: int) -> None:
    show(database, ann)
    with database.writing() as connection:
        release(connection, "wall", now_ms=START_MS + HOUR_MS)
        assert shown_units(connection) == [] and shown_of(connection, "wall") is None
        with pytest.raises(BridgeError, match="only the owner"):
            northbound.show(connection, setting(), ann)


def test_what_another_setting_has_told_is_not_written_into_this_one(database: Database, ann: int) -> None:
    show(database, ann)
    show(database, ann, START_MS + 1)
    with database.writing() as connection:
        northbound.record_progress(connection, setting(), Stored(99, Transaction(START_MS, 1, "TAG"), 7))
        northbound.record_links(connection, [(setting(), LinkState(START_MS))])
        (unit,) = shown_units(connection)
        assert unit.stored == Stored(0, None, 0)
        shown = shown_of(connection, "wall")
        assert shown is not None and shown.link == LinkState()


def test_progress_and_links_are_kept(database: Database, ann: int) -> None:
    show(database, ann)
    stored = Stored(4, Transaction(START_MS, 1, "TAG", 9), 7)
    with database.writing() as connection:
        northbound.record_progress(connection, setting(), stored)
        northbound.record_links(connection, [(setting(), LinkState(START_MS, START_MS))])
        assert shown_units(connection)[0].stored == stored
        northbound.all_disconnected(connection)
        shown = shown_of(connection, "wall")
        assert shown is not None and shown.link == LinkState(None, START_MS)
        assert northbound.hide(connection, "wall") and not northbound.hide(connection, "wall")


def test_no_more_are_shown_than_one_process_can_serve(
    database: Database, ann: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(northbound, "UNITS_MAX", 1)
    show(database, ann)
    show(database, ann, START_MS + 1)
    with database.writing() as connection:
        new = add_unit(connection, "wall-2", START_MS)
        claim(connection, find_person(connection, "ann"), new.claim_code, START_MS)
        with pytest.raises(BridgeError, match="the most that one service can"):
            northbound.show(connection, setting(unit_id="wall-2"), ann)


def test_what_is_stored_and_cannot_be_ends_no_look(database: Database, ann: int) -> None:
    show(database, ann)
    ended(database, START_MS + HOUR_MS, energy_wh=-5, duration_s=None, started_s=None)
    with database.writing() as connection:
        connection.execute(table.update().values(open_transaction="[nonsense"))
    with database.reading() as connection:
        (unit,) = shown_units(connection)
    assert unit.stored.transaction is None and unit.contact is None and unit.heartbeat.state is None
    assert not unit.sessions[0].is_tellable


@pytest.mark.store("sqlite")  # PostgreSQL enforces types
@pytest.mark.parametrize("received_ms", ["many", -1, 1e308, 2**63 - 1, b"\xff"])
@pytest.mark.parametrize("payload", [b"\xff", "[", 7, '{"s":1}', "\ufeff"])
def test_a_heartbeat_that_nobody_can_read_is_none(database: Database, ann: int, payload: Any, received_ms: Any) -> None:
    show(database, ann)
    row = {"unit_id": "wall", "payload": payload, "received_ms": received_ms}
    with database.writing() as connection:
        connection.execute(text("INSERT INTO heartbeats VALUES (:unit_id, :received_ms, :payload)"), row)
    with database.reading() as connection:
        for unit in shown_units(connection):
            assert unit.heartbeat.state is None and unit.heartbeat_ms is None
