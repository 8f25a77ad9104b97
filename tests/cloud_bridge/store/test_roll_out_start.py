"""Does each unit get the image for its board, or none, and does a large roll-out start in short steps?"""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection, select, text

from cloud_bridge.durations import DAY_MS, HOUR_MS
from cloud_bridge.errors import AlreadyThere
from cloud_bridge.releases.decision import Decision
from cloud_bridge.releases.manifest import name_of
from cloud_bridge.releases.release_errors import ReleaseError
from cloud_bridge.releases.roll_out_states import Happened, UnitState
from cloud_bridge.roll_out_decisions import decide_all, give_all_rings
from cloud_bridge.store import roll_out_start, roll_outs
from cloud_bridge.store.database import Database, open_database
from cloud_bridge.store.firmware import count_versions
from cloud_bridge.store.release_tables import roll_out_units
from cloud_bridge.store.releases import images_of
from cloud_bridge.store.roll_out_orders import due, mark_sent
from cloud_bridge.store.roll_outs import count_states, find_roll_out, update_of
from cloud_bridge.verified_time import Clocks, VerifiedTime
from tests.cloud_bridge.old_store import open_at
from tests.cloud_bridge.releases.making import release
from tests.cloud_bridge.releases.rolling_out import MADE, NAME, add_heard, add_release, say, start, tell
from tests.cloud_bridge.running import START_MS, HandClock, store_at

OTHER = release(boards=("atom", "virtual"), filling=b"for the others")


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = open_database(store_at(tmp_path))
    with database.writing() as connection:
        add_release(connection)
    yield database
    database.close()


def releases_of(connection: Connection) -> dict[str, str]:
    """Return the image of each unit, by unit id."""
    column = roll_out_units.c
    return {unit_id: name for unit_id, name in connection.execute(select(column.unit_id, column.release))}


def test_each_unit_gets_the_image_for_its_board_and_the_others_are_left_out(database: Database) -> None:
    with database.writing() as connection:
        add_release(connection, OTHER)
        add_heard(connection, "cp-1")
        add_heard(connection, "cp-2", board="virtual")
        add_heard(connection, "cp-3", board="kettle")
        add_heard(connection, "cp-4", board=None)
        found = find_roll_out(connection, start(connection))
        assert (found.units, found.left_out, found.is_drawn) == (2, 2, True)
        assert releases_of(connection) == {"cp-1": NAME, "cp-2": name_of(OTHER.whole)}
        for ring in range(3):
            roll_outs.apply(connection, find_roll_out(connection, 1), decision(), START_MS + ring)
        orders = {order.unit_id: order for order in due(connection, START_MS, 10)}
        assert orders["cp-2"].name == name_of(OTHER.whole)
        assert orders["cp-2"].manifest_bytes == len(OTHER.whole)
        mark_sent(connection, list(orders.values()), START_MS)
        tell(connection, "cp-2", "good")
        update = update_of(connection, "cp-2")
        assert update is not None
        assert (update.state, update.manifest) == (UnitState.GOOD, OTHER.whole)


def decision() -> Decision:
    return Decision(Happened.RING_PASSED)


def test_a_version_without_an_image_for_anybody_is_refused(database: Database) -> None:
    with database.writing() as connection:
        add_heard(connection, "cp-3", board="kettle")
        with pytest.raises(
            ReleaseError, match="of 1 chosen, none has told a board that there is an image of 1.4.0 for"
        ):
            start(connection)


def test_a_version_has_one_image_for_a_board(database: Database) -> None:
    with database.writing() as connection:
        add_release(connection, OTHER)
        assert [one.manifest.boards for one in images_of(connection, "1.4.0")] == [("tcall",), ("atom", "virtual")]
    with pytest.raises(AlreadyThere, match="1.4.0 for virtual is stored already"), database.writing() as connection:
        add_release(connection, release(boards=("pico", "virtual")))
    with database.reading() as connection:
        assert len(images_of(connection, "1.4.0")) == 2


def test_the_board_is_what_the_last_boot_said_that_named_one(database: Database) -> None:
    with database.writing() as connection:
        add_heard(connection, "cp-1", board=None)
        say(connection, "cp-1", "event", k="boot", d={"v": "1.3.0", "board": "virtual"})
        say(connection, "cp-1", "event", k="boot", d={"v": "1.2.0"})  # an older firmware
        say(connection, "cp-1", "event", k="boot", d={"v": "1.2.0", "board": "no board!"})
        say(connection, "cp-1", "heartbeat", v="1.3.1")
        assert connection.execute(text("SELECT board FROM units")).scalar() == "virtual"


def test_versions_are_counted_as_they_change(database: Database) -> None:
    with database.writing() as connection:
        add_heard(connection, "cp-1", "cp-2", "cp-3")
        assert count_versions(connection) == [(None, 3)]
        for unit_id in ("cp-1", "cp-2"):
            say(connection, unit_id, "event", k="boot", d={"v": "1.3.0"})
        say(connection, "cp-1", "heartbeat", v="1.4.0")
        say(connection, "cp-1", "heartbeat", v="1.4.0")
        assert sorted(count_versions(connection), key=str) == [("1.3.0", 1), ("1.4.0", 1), (None, 1)]
        say(connection, "cp-2", "heartbeat", v="1.4.0")
        say(connection, "cp-1", "event", k="boot", d={})
        assert sorted(count_versions(connection), key=str) == [("1.4.0", 1), (None, 2)]
        assert connection.execute(text("SELECT count(*) FROM firmware_counts")).scalar() == 1  # no version of nobody


def test_a_large_roll_out_starts_in_steps(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(roll_out_start, "AT_ONCE", 40)
    clocks = Clocks(clock := HandClock(), VerifiedTime(clock))
    with database.writing() as connection:
        add_heard(connection, *(f"heard-{number:03}" for number in range(100)))
        add_heard(connection, *(f"away-{number:03}" for number in range(200)), at_ms=START_MS - DAY_MS)
        number = start(connection)
        assert sum(sum(of.values()) for of in count_states(connection, number).values()) in (40, 41)
        (first,) = due(connection, START_MS, 10)  # which is sent immediately
        assert first.unit_id.startswith("heard")
        with pytest.raises(ReleaseError, match="still giving its units their rings"):
            start(connection)
        mark_sent(connection, [first], START_MS)
        tell(connection, first.unit_id, "good")
    clock.advance(HOUR_MS)
    decide_all(database, clocks)
    with database.reading() as connection:
        assert find_roll_out(connection, number).ring == 0  # others have not drawn yet
    give_all_rings(database)
    with database.reading() as connection:
        states = count_states(connection, number)
        assert {ring: sum(of.values()) for ring, of in states.items()} == {0: 1, 1: 2, 2: 27, 3: 270}
        assert find_roll_out(connection, number).units == 300
        early = select(roll_out_units.c.unit_id).where(roll_out_units.c.ring < 3)
        assert all(unit_id.startswith("heard") for unit_id in connection.execute(early).scalars())
    decide_all(database, clocks)
    with database.reading() as connection:
        assert find_roll_out(connection, number).ring == 1


def test_a_stop_ends_the_steps(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(roll_out_start, "AT_ONCE", 5)
    with database.writing() as connection:
        add_heard(connection, *(f"u{number:02}" for number in range(20)))
        number = start(connection)
        roll_outs.stop(connection, number, "stopped", START_MS)
        assert not roll_out_start.give_rings(connection, number)
        assert roll_out_start.waiting_for_rings(connection) == []


def test_what_was_rolled_out_before_the_upgrade_is_there_after_it(tmp_path: Path) -> None:
    (tmp_path / "old").mkdir()
    where = store_at(tmp_path / "old", empty=True)
    before = open_at(where, "0042")
    rows: list[tuple[str, dict[str, object]]] = [
        ("units", {"id": "cp-1", "secret_hash": "x", "claim_hash": "x", "created_ms": START_MS, "firmware": "1.3.0"}),
        ("releases", {"name": NAME, "version": "1.4.0", "manifest": MADE.whole, "image": MADE.image, "added_ms": 1}),
        (
            "roll_outs",
            {
                "id": 7,
                "release": NAME,
                "chosen_by": "all",
                "chosen": "",
                "units": 1,
                "soak_ms": HOUR_MS,
                "started_ms": START_MS,
                "state": "running",
                "ring": 0,
                "ring_ms": START_MS,
                "why": "",
            },
        ),
        (
            "roll_out_units",
            {
                "roll_out_id": 7,
                "unit_id": "cp-1",
                "ring": 0,
                "is_newest": True,
                "state": "taken",
                "state_ms": START_MS,
                "loaded": 5,
                "why": "",
            },
        ),
    ]
    with before.writing() as connection:
        for table, row in rows:
            values = ", ".join(f":{name}" for name in row)
            connection.execute(text(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({values})"), row)
    before.close()
    now = open_database(where)
    with now.writing() as connection:
        found = find_roll_out(connection, 7)
        assert (found.version, found.units, found.left_out, found.is_drawn) == ("1.4.0", 1, 0, True)
        assert [one.manifest.boards for one in images_of(connection, "1.4.0")] == [("tcall",)]
        update = update_of(connection, "cp-1")
        assert update is not None
        assert (update.state, update.loaded, update.manifest) == (UnitState.TAKEN, 5, MADE.whole)
        assert count_versions(connection) == [("1.3.0", 1)]
        roll_outs.stop(connection, 7, "stopped", START_MS)
        connection.execute(text("UPDATE units SET board = 'tcall'"))
        assert start(connection) == 8
    now.close()
