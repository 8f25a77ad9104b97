"""Does the list of units behind an external broker include additions and revocations, and is its size bounded?"""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import delete, event, update

from cloud_bridge.durations import DAY_MS, HOUR_MS
from cloud_bridge.ingest.unit_registry import READ_ALL_EVERY_MS, UnitRegistry, UnitStatus
from cloud_bridge.store.database import Database, open_database
from cloud_bridge.store.tables import units
from cloud_bridge.store.units import add_unit, change_secret, revoke
from tests.cloud_bridge.running import START_MS, HandClock, store_at


class Place:
    """A registry and the store that it reads."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.clock = HandClock()
        self.unit_registry = UnitRegistry(database, self.clock)
        self.rows_read = 0

    def refresh(self, *ids: str) -> None:
        found = self.unit_registry.read(ids)
        self.rows_read = len(found.statuses)
        self.unit_registry.apply(found)

    def add(self, *names: str) -> None:
        with self.database.writing() as connection:
            for name in names:
                add_unit(connection, name, START_MS)

    def statuses(self, *names: str) -> list[UnitStatus | None]:
        return [self.unit_registry.status(name) for name in names]


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    database = open_database(store_at(tmp_path))
    yield Place(database)
    database.close()


def test_units_are_active_revoked_and_active_again(place: Place) -> None:
    place.add("one", "two")
    place.refresh("one", "two")
    assert place.statuses("one", "two") == [UnitStatus.ACTIVE, UnitStatus.ACTIVE]
    with place.database.writing() as connection:
        revoke(connection, "one", START_MS)
    place.refresh()
    assert place.statuses("one", "two") == [UnitStatus.REVOKED, UnitStatus.ACTIVE]
    with place.database.writing() as connection:
        change_secret(connection, "one", START_MS)
    place.refresh()
    assert place.statuses("one", "two") == [UnitStatus.ACTIVE, UnitStatus.ACTIVE]


def test_a_unit_without_a_hash_for_mosquitto_is_not_revoked(place: Place) -> None:
    """Units that were added before the store had this hash have none."""
    place.add("one")
    with place.database.writing() as connection:
        connection.execute(update(units).values(broker_hash=None))
    place.refresh("one")
    assert place.statuses("one") == [UnitStatus.ACTIVE]


def test_only_what_has_changed_or_is_asked_for_is_read(place: Place) -> None:
    heard = [f"cp-{number}" for number in range(50)]
    place.add(*heard, "never-heard")
    place.refresh()
    assert place.rows_read == 0
    place.refresh(*heard)
    assert place.rows_read == 50
    place.add("new", "other")
    place.refresh()
    assert place.rows_read == 0
    place.refresh("new", "nobody")
    assert place.rows_read == 1
    assert place.statuses("cp-7", "new", "other", "nobody") == [UnitStatus.ACTIVE, UnitStatus.ACTIVE, None, None]
    place.clock.advance(READ_ALL_EVERY_MS)
    place.refresh()
    assert place.rows_read == 51


def test_no_more_are_kept_than_were_heard_last(place: Place) -> None:
    place.unit_registry = UnitRegistry(place.database, place.clock, kept=2)
    place.add("one", "two", "three", "changed")
    place.refresh("one", "two")
    place.statuses("one")
    place.refresh("three")
    assert place.statuses("one", "two", "three") == [UnitStatus.ACTIVE, None, UnitStatus.ACTIVE]
    with place.database.writing() as connection:
        change_secret(connection, "changed", START_MS)
    place.refresh()
    assert place.rows_read == 0, "whoever was not heard is not kept because it has a new secret"


def test_a_unit_that_is_no_more_is_found_out_within_a_minute(place: Place) -> None:
    place.add("one")
    place.refresh("one")
    with place.database.writing() as connection:
        connection.execute(delete(units))
    place.clock.advance(READ_ALL_EVERY_MS)
    place.refresh()
    assert place.statuses("one") == [None]


@pytest.mark.parametrize("behind_ms", [0, HOUR_MS, 400 * DAY_MS, -400 * DAY_MS])
def test_a_revocation_by_a_machine_whose_clock_is_wrong_is_seen(place: Place, behind_ms: int) -> None:
    place.add("one")
    place.refresh("one")
    with place.database.writing() as connection:
        revoke(connection, "one", place.clock.at_ms - behind_ms)
    place.refresh()
    assert place.statuses("one") == [UnitStatus.REVOKED]


def test_after_our_clock_was_set_back_all_is_read(place: Place) -> None:
    place.add("one")
    place.refresh("one")
    place.clock.advance(-1)
    place.refresh()
    assert place.rows_read == 1


def test_an_id_that_no_unit_can_have_is_not_looked_up(place: Place) -> None:
    assert place.statuses("", "a/b", "ä", "x" * 37) == [UnitStatus.UNKNOWN] * 4


def test_the_read_of_every_second_uses_an_index(place: Place) -> None:
    statements: list[tuple[str, object]] = []

    @event.listens_for(place.database._engine, "before_cursor_execute")
    def _note(_connection: object, _cursor: object, statement: str, parameters: object, *_: object) -> None:
        statements.append((statement, parameters))

    place.refresh()
    for ids in ((), ("a", "b")):
        place.refresh(*ids)
        statement, parameters = statements[-1]
        if place.database.file is None:
            continue  # PostgreSQL's planner depends on the size of the table
        with place.database.reading() as connection:
            plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters).all()  # type: ignore[arg-type]
        assert "SCAN" not in str(plan), plan
