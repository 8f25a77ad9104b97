"""Until when did all doors of a cluster listen, and which chargers are marked as gone with their door?"""

from cloud_bridge.contact import OUTAGE_AFTER_MS, Gap
from cloud_bridge.paths import OCPP
from cloud_bridge.store.database import Database
from cloud_bridge.store.inbound_message import ANYWHERE, CanaryMark
from cloud_bridge.store.ocpp_doors import beat, leave, read_beats, record_door_mark, take_out
from cloud_bridge.store.paths import adopt_strays
from cloud_bridge.store.presence import Presence, presence_of, record_presence
from cloud_bridge.store.record import read_gaps, read_listened, record
from cloud_bridge.store.tables import contacts
from cloud_bridge.store.units import Protocol, add_unit
from tests.cloud_bridge.recording import inbound
from tests.cloud_bridge.running import START_MS


def begin(database: Database, *doors: str) -> None:
    with database.writing() as connection:
        for door in doors:
            assert not beat(connection, door, START_MS), "it was not known"


def mark(database: Database, door: str, after_ms: int) -> None:
    at_ms = START_MS + after_ms
    with database.writing() as connection:
        record_door_mark(connection, CanaryMark(at_ms, OCPP, 0, at_ms, (OCPP,), door), at_ms)


def listened(database: Database) -> tuple[int, int]:
    """Return until when we listened, after START_MS, and how long in total."""
    with database.reading() as connection:
        row = read_listened(connection)[OCPP]
    return row.until_ms - START_MS, row.total_ms


def test_all_doors_together_have_listened_as_long_as_the_one_that_is_behind(database: Database) -> None:
    begin(database, "a", "b")
    mark(database, "a", 5000)
    assert listened(database) == (0, 0), "b has not been heard since it began"
    mark(database, "b", 6000)
    assert listened(database) == (5000, 5000)
    mark(database, "a", 10_000)
    mark(database, "a", 15_000)
    assert listened(database) == (6000, 6000)


def test_a_deaf_door_holds_them_back_and_one_that_is_taken_out_does_not(database: Database) -> None:
    begin(database, "a", "b")
    for seconds in range(5, 65, 5):
        mark(database, "a", 1000 * seconds)
    assert listened(database) == (0, 0)
    with database.writing() as connection:
        assert beat(connection, "a", START_MS)
        stands = read_beats(connection)["b"]
        assert not take_out(connection, "b", stands + 1, START_MS), "it has counted on since"
        assert take_out(connection, "b", stands, START_MS)
        assert not take_out(connection, "b", stands, START_MS), "somebody else was first"
    mark(database, "a", 65_000)
    assert listened(database) == (65_000, 0), "nothing of it is counted"
    with database.reading() as connection:
        assert read_gaps(connection) == [Gap(START_MS, START_MS + 65_000)]
    mark(database, "a", 65_000 + OUTAGE_AFTER_MS)
    assert listened(database) == (65_000 + OUTAGE_AFTER_MS, OUTAGE_AFTER_MS)


def test_one_that_leaves_in_order_holds_nobody_back_and_one_that_was_taken_out_comes_back(database: Database) -> None:
    begin(database, "a", "b")
    mark(database, "a", 5000)
    with database.writing() as connection:
        leave(connection, "b")
    mark(database, "a", 10_000)
    assert listened(database) == (10_000, 10_000)
    with database.writing() as connection:
        leave(connection, "a")
    mark(database, "a", 15_000)
    assert listened(database) == (10_000, 10_000), "until its next beat"
    begin(database, "a")


def test_who_was_connected_to_a_door_that_is_gone_is_away_and_the_end_of_an_older_connection_is_no_news(
    database: Database,
) -> None:
    begin(database, "a", "b")
    with database.writing() as connection:
        for unit_id in ("one", "two"):
            add_unit(connection, unit_id, START_MS, protocol=Protocol.OCPP)
            record_presence(connection, [Presence(unit_id, True, "b", START_MS)], is_by_door=True)
        record_presence(connection, [Presence("two", True, "a", START_MS + 1)], is_by_door=True)
        record_presence(connection, [Presence("two", False, "b", START_MS + 2)], is_by_door=True)
        assert take_out(connection, "b", read_beats(connection)["b"], START_MS + 3)
        found = presence_of(connection, ["one", "two"])
    assert {unit_id: (one.connected, one.door) for unit_id, one in found.items()} == {
        "one": (False, "b"),
        "two": (True, "a"),
    }


def test_a_contact_at_a_door_stands_with_what_the_doors_had_listened_by_then(database: Database) -> None:
    begin(database, "a")
    with database.writing() as connection:
        add_unit(connection, "one", START_MS, protocol=Protocol.OCPP)
    mark(database, "a", 5000)
    mark(database, "a", 10_000)
    message = inbound("one", START_MS + 12_000)._replace(doors=((ANYWHERE, OCPP),), stored_by_ms=START_MS + 12_000)
    with database.writing() as connection:
        record(connection, [message])
        row = connection.execute(contacts.select()).one()
    assert (row.shard, row.listened_ms) == (OCPP, 7000), "the first mark counts from then on"


def test_chargers_from_before_there_was_a_cluster_are_the_doors(database: Database) -> None:
    begin(database, "a")
    mark(database, "a", 5000)
    mark(database, "a", 10_000)
    with database.writing() as connection:
        add_unit(connection, "one", START_MS, protocol=Protocol.OCPP)
        add_unit(connection, "ours", START_MS)
        record(connection, [inbound("one", START_MS), inbound("ours", START_MS)])
        adopt_strays(connection, [2000])
        adopt_strays(connection, [2000])
        found = {row.unit_id: (row.shard, row.listened_ms) for row in connection.execute(contacts.select())}
    assert found == {"one": (OCPP, 5000), "ours": (1000, 0)}
