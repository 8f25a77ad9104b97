"""Is a unit accepted while it is one, at most a few seconds longer, and with little memory?"""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from cloud_bridge.ingest.cluster import membership as membership_module
from cloud_bridge.ingest.cluster.membership import REMEMBERED_S, Membership
from cloud_bridge.ingest.unit_registry import UnitStatus
from cloud_bridge.store.database import Database, open_database
from cloud_bridge.store.units import add_unit, change_secret, revoke
from tests.cloud_bridge.running import store_at


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = open_database(store_at(tmp_path))
    with database.writing() as connection:
        add_unit(connection, "one", 0)
    yield database
    database.close()


class Clock:
    """A clock in seconds that the test sets."""

    now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


def test_a_revoked_unit_counts_for_a_few_seconds_at_most(database: Database) -> None:
    clock = Clock()
    membership = Membership(database, clock)

    def status(unit_id: str) -> UnitStatus:
        return asyncio.run(membership.statuses([unit_id]))[unit_id]

    assert status("one") is UnitStatus.ACTIVE
    with database.writing() as connection:
        revoke(connection, "one", 1)
    assert status("one") is UnitStatus.ACTIVE, "remembered"
    clock.now_s += REMEMBERED_S
    assert status("one") is UnitStatus.REVOKED
    with database.writing() as connection:
        change_secret(connection, "one", 2)
    assert status("one") is UnitStatus.ACTIVE, "its messages are not dropped any more, at once"
    membership.close()


def test_a_unit_that_was_just_added_is_one_at_once(database: Database) -> None:
    membership = Membership(database, Clock())
    assert asyncio.run(membership.statuses(["two", "one", "no unit!", "x" * 400])) == {
        "one": UnitStatus.ACTIVE,
        "two": UnitStatus.UNKNOWN,
        "no unit!": UnitStatus.UNKNOWN,
        "x" * 400: UnitStatus.UNKNOWN,
    }
    with database.writing() as connection:
        add_unit(connection, "two", 0)
    assert asyncio.run(membership.statuses(["two"])) == {"two": UnitStatus.ACTIVE}
    membership.close()


def test_no_more_is_remembered_than_there_is_room_for(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(membership_module, "REMEMBERED", 2)
    with database.writing() as connection:
        for name in ("two", "three"):
            add_unit(connection, name, 0)
        add_unit(connection, "gone", 0)
        revoke(connection, "gone", 1)
    clock = Clock()
    membership = Membership(database, clock)
    everyone = ["gone", "one", "three", "two"]
    for _ in range(2):
        found = asyncio.run(membership.statuses(everyone))
        assert [found[name] for name in everyone] == [UnitStatus.REVOKED, *[UnitStatus.ACTIVE] * 3]
        assert list(membership._active) == ["one", "three"]
        clock.now_s += REMEMBERED_S - 1
    clock.now_s += 1
    asyncio.run(membership.statuses(["two"]))
    assert list(membership._active) == ["two"], "the others were forgotten after their time"
    membership.close()
