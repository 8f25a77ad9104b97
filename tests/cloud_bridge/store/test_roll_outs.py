"""Is every unit in at most one roll-out, does its state follow its reports, and which units get a command when?"""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from cloud_bridge.durations import DAY_MS, HOUR_MS
from cloud_bridge.releases.decision import Decision
from cloud_bridge.releases.release_errors import ReleaseError
from cloud_bridge.releases.roll_out_states import Happened, RollOutState, UnitState
from cloud_bridge.releases.verdict import Count, Own, Seen, Sign
from cloud_bridge.store import roll_outs
from cloud_bridge.store.database import Database, open_database
from cloud_bridge.store.firmware import count_versions, firmware_versions
from cloud_bridge.store.roll_out_health import look
from cloud_bridge.store.roll_out_orders import AGAIN_MS, ON_THEIR_WAY, due, mark_sent
from cloud_bridge.store.roll_out_start import Choice, ChosenBy
from cloud_bridge.store.roll_outs import count_states, find_roll_out
from cloud_bridge.store.sites import describe_site
from cloud_bridge.store.transitions import mark_silent
from tests.cloud_bridge.old_store import open_at
from tests.cloud_bridge.releases.making import release
from tests.cloud_bridge.releases.rolling_out import (
    NAME,
    add_heard,
    add_release,
    say,
    start,
    state_of,
    tell,
)
from tests.cloud_bridge.running import START_MS, store_at

LATER_MS = START_MS + HOUR_MS


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = open_database(store_at(tmp_path))
    with database.writing() as connection:
        add_release(connection)
    yield database
    database.close()


def send(database: Database, at_ms: int = START_MS) -> list[str]:
    """Mark all due commands as sent; return their units."""
    with database.writing() as connection:
        orders = due(connection, at_ms, 1000)
        mark_sent(connection, orders, at_ms)
    return sorted(order.unit_id for order in orders)


def answer(database: Database, unit_id: str, at_ms: int = START_MS, order: str = "u", **said: object) -> None:
    with database.writing() as connection:
        say(connection, unit_id, "result", at_ms, id=f"{order}-{NAME}-00000001", **said)


def test_rings_are_given_by_lot_and_those_that_were_heard_come_first(database: Database) -> None:
    heard = [f"heard-{number:03}" for number in range(30)]
    away = [f"away-{number:03}" for number in range(270)]
    with database.writing() as connection:
        add_heard(connection, *away, at_ms=START_MS - DAY_MS)
        add_heard(connection, *heard)
        number = start(connection)
        states = count_states(connection, number)
        assert {ring: sum(of.values()) for ring, of in states.items()} == {0: 1, 1: 2, 2: 27, 3: 270}
        for ring in range(3):
            roll_outs.apply(connection, find_roll_out(connection, number), Decision(Happened.RING_PASSED), START_MS)
            if ring == 1:
                assert {order.unit_id for order in due(connection, START_MS, 1000)} == set(heard)
        roll_outs.apply(connection, find_roll_out(connection, number), Decision(Happened.LAST_RING_PASSED), START_MS)
        assert find_roll_out(connection, number).state is RollOutState.DONE


def test_the_first_ring_gets_an_order_and_nobody_else(database: Database) -> None:
    with database.writing() as connection:
        add_heard(connection, *(f"u{number}" for number in range(20)))
        number = start(connection)
    first = send(database)
    assert len(first) == 1
    assert send(database) == []  # it has not answered yet
    assert send(database, START_MS + AGAIN_MS + 1) == []  # it is not connected
    with database.writing() as connection:
        say(connection, first[0], "heartbeat", START_MS + AGAIN_MS)
    assert send(database, START_MS + AGAIN_MS + 1) == first  # the command or the answer was lost
    answer(database, first[0], ok=True)
    with database.writing() as connection:
        assert state_of(connection, first[0]) == (UnitState.TAKEN, "")
        assert count_states(connection, number)[0] == {UnitState.TAKEN: 1}


def test_no_more_than_a_tenth_is_on_its_way_at_once(database: Database) -> None:
    with database.writing() as connection:
        add_heard(connection, *(f"u{number:03}" for number in range(120)))
        number = start(connection)
        for _ in range(3):
            roll_outs.apply(connection, find_roll_out(connection, number), Decision(Happened.RING_PASSED), START_MS)
    assert len(send(database)) == ON_THEIR_WAY
    assert send(database) == []
    with database.writing() as connection:
        for unit_id in [f"u{number:03}" for number in range(120)]:
            tell(connection, unit_id, "good")
    assert len(send(database)) == ON_THEIR_WAY


def test_a_unit_goes_through_its_update_by_its_own_words(database: Database) -> None:
    with database.writing() as connection:
        add_heard(connection, "cp-1")
        start(connection)
    send(database)
    answer(database, "cp-1", ok=True)
    with database.writing() as connection:
        for result in ("installed", "trial", "good", "good"):
            tell(connection, "cp-1", result, LATER_MS)
        assert state_of(connection, "cp-1") == (UnitState.GOOD, "")
        tell(connection, "cp-1", "rolled_back", LATER_MS, why="panic")
        assert state_of(connection, "cp-1") == (UnitState.ROLLED_BACK, "panic")


def test_words_about_another_release_and_of_units_in_no_roll_out_change_nothing(database: Database) -> None:
    with database.writing() as connection:
        add_heard(connection, "cp-1", "cp-2")
        start(connection, Choice(ChosenBy.LIST, unit_ids=["cp-1"]))
        say(connection, "cp-1", "event", k="update", d={"v": "1.3.0", "r": "rolled_back", "w": "late"})
        say(connection, "cp-1", "event", k="update", d={"v": ["1.4.0"], "r": {"good": 1}, "w": 7})
        say(connection, "cp-1", "event", k="update")
        say(connection, "cp-1", "result", id=f"u-{'0' * 16}-00000001", ok=False)
        tell(connection, "cp-2", "good")
        assert state_of(connection, "cp-1") == (UnitState.WAITING, "")


@pytest.mark.parametrize("why", ["board", "version", "space", "é" * 200])
def test_a_unit_that_refuses_is_told_with_its_reason(database: Database, why: str) -> None:
    """Also for a release for another board."""
    with database.writing() as connection:
        add_heard(connection, "cp-1")
        start(connection)
    send(database)
    answer(database, "cp-1", ok=False, y=why)
    with database.writing() as connection:
        assert state_of(connection, "cp-1") == (UnitState.REFUSED, why[:40])
    assert send(database, START_MS + AGAIN_MS + 1) == []


def test_stopping_withdraws_from_those_that_have_not_installed_it(database: Database) -> None:
    with database.writing() as connection:
        add_heard(connection, *(f"u{number}" for number in range(5)))
        number = start(connection)
        for _ in range(3):
            roll_outs.apply(connection, find_roll_out(connection, number), Decision(Happened.RING_PASSED), START_MS)
    assert len(send(database)) == 5
    answer(database, "u1", ok=True)
    with database.writing() as connection:
        tell(connection, "u2", "good")
        tell(connection, "u3", "rolled_back")
        roll_outs.stop(connection, number, "an operator has stopped it", LATER_MS)
        orders = due(connection, LATER_MS, 1000)
        assert {(order.unit_id, order.is_withdrawn) for order in orders} == {("u0", True), ("u1", True), ("u4", True)}
        with pytest.raises(ReleaseError, match="is stopped already"):
            roll_outs.stop(connection, number, "again", LATER_MS)
    assert send(database, LATER_MS) == ["u0", "u1", "u4"]
    assert send(database, LATER_MS + 1) == []
    answer(database, "u1", LATER_MS, order="w", ok=True)
    answer(database, "u0", LATER_MS, order="w", ok=False, y="busy")
    with database.writing() as connection:
        assert state_of(connection, "u1")[0] is UnitState.WITHDRAWN
        assert state_of(connection, "u0")[0] is UnitState.ORDERED


def test_two_roll_outs_never_run_for_one_unit(database: Database) -> None:
    with database.writing() as connection:
        add_heard(connection, "a-1", "a-2", "b-1")
        add_release(connection, release("1.5.0"))
        first = start(connection, Choice(ChosenBy.LIST, unit_ids=["a-1", "a-2"]))
        with pytest.raises(ReleaseError, match=f"roll-out {first} of 1.5.0 runs for 2 of these units: stop it first"):
            start(connection)
        start(connection, Choice(ChosenBy.LIST, unit_ids=["b-1"]))
        roll_outs.stop(connection, first, "stopped", START_MS)
        again = start(connection, Choice(ChosenBy.LIST, unit_ids=["a-1"]))
        assert find_roll_out(connection, again).units == 1
        assert [order.roll_out for order in due(connection, START_MS, 10) if order.unit_id == "a-1"] == [again]


def test_units_are_chosen_by_network_site_or_list(database: Database) -> None:
    with database.writing() as connection:
        add_heard(connection, "cp-1", "cp-2", "cp-3")
        say(connection, "cp-2", "heartbeat", o="23415")
        describe_site(connection, "cp-3", "Mill Lane 3", "Europe/London")
        by_network = start(connection, Choice(ChosenBy.NETWORK, "23415"))
        by_site = start(connection, Choice(ChosenBy.SITE, "mill l"))
        assert [find_roll_out(connection, number).units for number in (by_network, by_site)] == [1, 1]
        assert state_of(connection, "cp-2") == state_of(connection, "cp-3") == (UnitState.WAITING, "")
        with pytest.raises(ReleaseError, match="no unit is chosen"):
            start(connection, Choice(ChosenBy.NETWORK, "99999"))
        with pytest.raises(ReleaseError, match="'cp-8' is no unit, nor are 1 more"):
            start(connection, Choice(ChosenBy.LIST, unit_ids=["cp-1", "cp-8", "cp-9"]))


def test_a_required_update_is_ordered_again_at_its_date(database: Database) -> None:
    with database.writing() as connection:
        add_heard(connection, "cp-1")
        start(connection, required_by_ms=LATER_MS)
    send(database)
    answer(database, "cp-1", ok=True)
    assert send(database, LATER_MS - 1) == []
    with database.reading() as connection:
        assert [(order.unit_id, order.is_required) for order in due(connection, LATER_MS, 10)] == [("cp-1", True)]
    assert send(database, LATER_MS) == ["cp-1"]
    assert send(database, LATER_MS) == []


def test_what_the_updated_units_show_is_counted_beside_the_rest(database: Database) -> None:
    with database.writing() as connection:
        add_heard(connection, *(f"u{number}" for number in range(8)))
        number = start(connection)
        for _ in range(3):
            roll_outs.apply(connection, find_roll_out(connection, number), Decision(Happened.RING_PASSED), START_MS)
    send(database)
    with database.writing() as connection:
        for unit_id in ("u0", "u1", "u2", "u3"):
            tell(connection, unit_id, "installed", LATER_MS)
        say(connection, "u0", "event", LATER_MS - 1, k="boot", d={"cause": "watchdog"})  # before it had the release
        say(connection, "u1", "event", LATER_MS + 1, k="boot", d={"cause": "watchdog"})
        say(connection, "u4", "event", LATER_MS + 1, k="boot", d={"cause": "watchdog"})
        say(connection, "u5", "event", LATER_MS + 1, k="boot", d={"cause": "power_on"})
        say(connection, "u2", "heartbeat", LATER_MS + 1, d=3)
        tell(connection, "u3", "rolled_back", LATER_MS + 1)
        mark_silent(connection, [("u2", LATER_MS + 1)], LATER_MS + HOUR_MS)
        found = {seen.sign: seen for seen in look(connection, find_roll_out(connection, number), LATER_MS + 2)}
    assert found[Sign.WATCHDOG] == Seen(Sign.WATCHDOG, Count(4, 1), Count(4, 1), Own(1, 1))
    assert found[Sign.RECORDS_LOST] == Seen(Sign.RECORDS_LOST, Count(4, 1), Count(4, 0))
    assert found[Sign.SILENT] == Seen(Sign.SILENT, Count(4, 1), Count(4, 0))
    assert found[Sign.WENT_BACK] == Seen(Sign.WENT_BACK, Count(4, 1), Count(0, 0))


def test_the_version_is_what_the_unit_said_last(database: Database) -> None:
    with database.writing() as connection:
        add_heard(connection, "cp-1", "cp-2", "cp-3")
        say(connection, "cp-1", "event", k="boot", d={"cause": "soft", "v": "1.3.0"})
        say(connection, "cp-2", "event", k="boot", d={"cause": "soft", "v": "1.3.0"})
        say(connection, "cp-2", "heartbeat", v="1.4.0")
        say(connection, "cp-3", "event", k="boot", d={"cause": "soft", "v": "1.3.0"})
        say(connection, "cp-3", "event", k="boot", d={"cause": "soft"})  # another firmware, without its version
        assert firmware_versions(connection, ["cp-1", "cp-2", "cp-3"]) == {"cp-1": "1.3.0", "cp-2": "1.4.0"}
        assert sorted(count_versions(connection), key=str) == [("1.3.0", 1), ("1.4.0", 1), (None, 1)]


def test_a_roll_out_that_is_not_there_is_said_so(database: Database) -> None:
    with database.reading() as connection, pytest.raises(ReleaseError, match="there is no roll-out 7"):
        find_roll_out(connection, 7)


def test_the_upgrade_knows_the_version_of_each_last_boot(tmp_path: Path) -> None:
    (tmp_path / "old").mkdir()
    where = store_at(tmp_path / "old", empty=True)
    before = open_at(where, "0041")
    with before.writing() as connection:
        for unit_id in ("cp-1", "cp-2", "cp-3"):
            row = {"id": unit_id, "created": START_MS}
            columns = "id, secret_hash, claim_hash, created_ms"
            connection.execute(text(f"INSERT INTO units ({columns}) VALUES (:id, 'x', :id, :created)"), row)
        for number, (unit_id, payload) in enumerate(
            (
                ("cp-1", '{"k":"boot","d":{"v":"1.2.0"}}'),
                ("cp-1", '{"k":"boot","d":{"v":"1.3.0"}}'),
                ("cp-2", '{"k":"boot","d":{"cause":"soft"}}'),
                ("cp-2", '{"k":"boot"}'),
            )
        ):
            row = {"unit": unit_id, "at": START_MS + number, "number": number, "payload": payload}
            columns = "unit_id, received_ms, boot, sequence, payload, kind, untold"
            values = ":unit, :at, 1, :number, :payload, 'boot', false"
            connection.execute(text(f"INSERT INTO events ({columns}) VALUES ({values})"), row)
    before.close()
    now = open_database(where)
    with now.reading() as connection:
        assert firmware_versions(connection, ["cp-1", "cp-2", "cp-3"]) == {"cp-1": "1.3.0"}
    now.close()
