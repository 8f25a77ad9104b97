"""Does the store have the connected units, in whatever order their doors report them?"""

import random
import threading
from collections.abc import Sequence

import pytest

from cloud_bridge.contact import FUTURE_MS
from cloud_bridge.store.access import Role, Token
from cloud_bridge.store.database import Database
from cloud_bridge.store.presence import Presence, lost_door, presence_of, record_presence
from cloud_bridge.store.units import add_unit, visible_unit
from tests.cloud_bridge.running import DEADLINE_S, START_MS

ROUNDS = 200


def record(database: Database, *rows: Presence) -> None:
    with database.writing() as connection:
        record_presence(connection, rows)


def lose(database: Database, door: str, at_ms: int) -> None:
    with database.writing() as connection:
        lost_door(connection, door, at_ms)


def known(database: Database, *unit_ids: str) -> dict[str, tuple[bool, str]]:
    with database.reading() as connection:
        found = presence_of(connection, unit_ids or ("cp-1", "cp-2"))
    return {unit_id: (one.connected, one.door) for unit_id, one in found.items()}


def test_an_older_event_never_beats_a_newer_one(database: Database) -> None:
    events = [Presence("cp-1", number % 2 == 0, f"node {number % 3}", START_MS + number) for number in range(20)]
    random.Random(1).shuffle(events)
    for event in events:
        record(database, event)
    assert known(database) == {"cp-1": (False, "node 1")}
    record(database, *events)
    assert known(database) == {"cp-1": (False, "node 1")}, "whatever is told again"


def test_of_two_events_in_one_millisecond_the_later_one_counts(database: Database) -> None:
    record(database, Presence("cp-1", False, "node", START_MS), Presence("cp-1", True, "node", START_MS))
    assert known(database) == {"cp-1": (True, "node")}


def test_a_unit_that_has_moved_is_not_gone_with_the_door_that_it_has_left(database: Database) -> None:
    record(database, Presence("cp-1", True, "east", START_MS), Presence("cp-2", True, "east", START_MS))
    record(database, Presence("cp-1", True, "west", START_MS + 10))
    record(database, Presence("cp-1", False, "east", START_MS + 5))  # reported late
    lose(database, "east", START_MS + 20)
    assert known(database) == {"cp-1": (True, "west"), "cp-2": (False, "east")}


def test_a_unit_that_came_back_by_the_same_door_is_there(database: Database) -> None:
    record(database, Presence("cp-1", True, "east", START_MS + 30))
    lose(database, "east", START_MS + 20)  # noticed late
    assert known(database) == {"cp-1": (True, "east")}


def test_an_impossible_stamp_gives_way(database: Database) -> None:
    record(database, Presence("cp-1", True, "east", START_MS + FUTURE_MS + 1))
    record(database, Presence("cp-1", False, "east", START_MS))
    assert known(database) == {"cp-1": (False, "east")}
    record(database, Presence("cp-2", True, "east", START_MS + FUTURE_MS + 1))
    lose(database, "east", START_MS)
    assert known(database)["cp-2"] == (False, "east")


def test_a_unit_that_no_door_has_told_of_is_not_known(database: Database) -> None:
    assert known(database) == {}
    with database.reading() as connection:
        unit = visible_unit(connection, Token(None, Role.OPERATOR, frozenset()), "cp-1")
    assert unit is not None
    assert unit.connected is None


def test_doors_that_tell_of_the_same_units_in_opposite_orders_never_meet(database: Database) -> None:
    """On PostgreSQL, one would be ended with `deadlock detected`."""
    names = [f"unit-{number}" for number in range(20)]
    with database.writing() as connection:
        for name in names:
            add_unit(connection, name, 0)
    failed: list[BaseException] = []
    start = threading.Barrier(3, timeout=DEADLINE_S)

    def tell(door: str, order: Sequence[str]) -> None:
        try:
            for number in range(ROUNDS):
                start.wait()
                record(database, *(Presence(name, True, door, START_MS + number) for name in order))
        except BaseException as error:
            failed.append(error)
            start.abort()

    def die() -> None:
        try:
            for number in range(ROUNDS):
                start.wait()
                lose(database, "east", START_MS + number)
        except BaseException as error:
            failed.append(error)
            start.abort()

    threads = [
        threading.Thread(target=tell, args=("east", names)),
        threading.Thread(target=tell, args=("west", names[::-1])),
        threading.Thread(target=die),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [error for error in failed if not isinstance(error, threading.BrokenBarrierError)] == []
    assert len(known(database, *names)) == len(names)


@pytest.mark.parametrize("size", [0, 1, 1200])
def test_any_number_of_units_can_be_asked_for(database: Database, size: int) -> None:
    names = [f"unit-{number}" for number in range(size)]
    with database.writing() as connection:
        for name in names:
            add_unit(connection, name, 0)
    record(database, *(Presence(name, True, "east", START_MS) for name in names))
    assert set(known(database, *names, "cp-1")) == set(names)
    lose(database, "east", START_MS)
    assert not any(connected for connected, _ in known(database, *names, "cp-1").values())
