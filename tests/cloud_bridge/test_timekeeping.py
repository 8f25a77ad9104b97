"""Does a process start without reading every unit into memory, and still take over units of other shards?"""

import pytest
from sqlalchemy import insert, select

from cloud_bridge.ingest.shard import ALL, Shard
from cloud_bridge.store import record
from cloud_bridge.store.database import Database
from cloud_bridge.store.tables import contacts
from cloud_bridge.store.units import add_unit
from cloud_bridge.timekeeping import begin_time
from tests.cloud_bridge.running import START_MS, Machine

UNITS = [f"unit-{number}" for number in range(50)]


@pytest.fixture
def heard(database: Database) -> Database:
    """A store in which every unit was heard by one of four shards."""
    with database.writing() as connection:
        for number, unit_id in enumerate(UNITS):
            add_unit(connection, unit_id, START_MS)
            row = {"unit_id": unit_id, "last_contact_ms": START_MS - 1000, "last_kind": "heartbeat", "messages": 1}
            connection.execute(insert(contacts), row | {"bad_payloads": 0, "operator": "", "shard": 1 + number % 4})
    return database


def shards(database: Database) -> dict[str, int]:
    with database.reading() as connection:
        return {row.unit_id: row.shard for row in connection.execute(select(contacts.c.unit_id, contacts.c.shard))}


def test_no_unit_is_in_memory_before_it_is_heard(heard: Database) -> None:
    live = begin_time(heard, Machine().clock).live
    assert not any(live.find(unit_id) for unit_id in UNITS)


@pytest.mark.parametrize("at_once", [7, 1000])
def test_all_units_of_other_shards_are_taken_over_some_at_a_time(
    heard: Database, at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(record, "ADOPTED_AT_ONCE", at_once)
    begin_time(heard, Machine().clock, ALL)
    assert set(shards(heard).values()) == {1}


def test_a_shard_takes_over_its_own_units_alone(heard: Database) -> None:
    before, second = shards(heard), Shard(2, 4)
    begin_time(heard, Machine().clock, second)
    assert shards(heard) == {unit_id: 2 if second.takes(unit_id) else shard for unit_id, shard in before.items()}
