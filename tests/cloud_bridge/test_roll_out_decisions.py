"""Does a roll-out continue by itself, and stop by itself?"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from cloud_bridge.durations import HOUR_MS
from cloud_bridge.releases.decision import Decision
from cloud_bridge.releases.roll_out_states import Happened, RollOutState, UnitState
from cloud_bridge.roll_out_decisions import decide_all
from cloud_bridge.store.database import Database, open_database
from cloud_bridge.store.record import record
from cloud_bridge.store.roll_out_orders import due, mark_sent
from cloud_bridge.store.roll_outs import apply, count_states, find_roll_out, total
from cloud_bridge.store.transitions import mark_silent
from cloud_bridge.store.update_asks import IMAGE, Answer, Asked, Budget, Part, permit
from cloud_bridge.verified_time import Clocks, VerifiedTime
from tests.cloud_bridge.recording import inbound
from tests.cloud_bridge.releases.rolling_out import MADE, NAME, add_heard, add_release, start, tell
from tests.cloud_bridge.running import HandClock, store_at


class Fleet:
    """The units of one roll-out, and a clock."""

    def __init__(self, database: Database, units: int) -> None:
        self.database = database
        self.clock = HandClock()
        self.unit_ids = [f"u{number:03}" for number in range(units)]
        self._clocks = Clocks(self.clock, VerifiedTime(self.clock))
        with database.writing() as connection:
            add_release(connection)
            add_heard(connection, *self.unit_ids)
            self.number = start(connection)

    def order(self) -> list[str]:
        """Mark due commands as sent; return their units."""
        with self.database.writing() as connection:
            orders = due(connection, self.clock.now_ms(), 1000)
            mark_sent(connection, orders, self.clock.now_ms())
            return [order.unit_id for order in orders]

    def tell(self, unit_ids: list[str], result: str) -> None:
        with self.database.writing() as connection:
            for unit_id in unit_ids:
                tell(connection, unit_id, result, self.clock.now_ms())

    def beat(self) -> None:
        """Let every unit send a heartbeat."""
        with self.database.writing() as connection:
            record(connection, [inbound(unit_id, self.clock.now_ms()) for unit_id in self.unit_ids])

    def decide(self) -> tuple[RollOutState, int, str]:
        decide_all(self.database, self._clocks)
        with self.database.reading() as connection:
            found = find_roll_out(connection, self.number)
        return found.state, found.ring, found.why


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[Fleet]:
    database = open_database(store_at(tmp_path))
    yield Fleet(database, 30)
    database.close()


def test_a_good_release_goes_through_all_rings(fleet: Fleet) -> None:
    reached: list[int] = []
    for _ in range(3):  # 1 % of 30 is the one unit that has it
        ordered = fleet.order()
        fleet.tell(ordered, "good")
        reached.append(len(ordered))
        assert fleet.decide()[0] is RollOutState.RUNNING  # its time has not passed
        fleet.clock.advance(HOUR_MS)
        fleet.beat()
        state, ring, _ = fleet.decide()
        if ring == 1:
            assert fleet.decide()[:2] == (RollOutState.RUNNING, 2)
    assert reached == [1, 2, 27]
    assert state is RollOutState.DONE


@pytest.mark.parametrize("result", ["rolled_back", "corrupt"])
def test_a_release_that_crashes_is_stopped_with_its_first_unit(fleet: Fleet, result: str) -> None:
    (first,) = fleet.order()
    fleet.tell([first], "installed")
    fleet.tell([first], result)
    assert fleet.decide() == (RollOutState.STOPPED, 0, "1 of 1 updated units went back to their former version")
    assert fleet.order() == []
    assert fleet.decide()[0] is RollOutState.STOPPED


def test_one_that_goes_back_after_it_was_good_stops_it_too(fleet: Fleet) -> None:
    (first,) = fleet.order()
    fleet.tell([first], "good")
    assert fleet.decide()[0] is RollOutState.RUNNING
    fleet.tell([first], "rolled_back")
    assert fleet.decide()[0] is RollOutState.STOPPED


def test_what_is_done_is_still_watched_while_units_get_it(fleet: Fleet) -> None:
    with fleet.database.writing() as connection:
        for happened in (*[Happened.RING_PASSED] * 3, Happened.LAST_RING_PASSED):
            apply(connection, find_roll_out(connection, fleet.number), Decision(happened), fleet.clock.now_ms())
    ordered = fleet.order()
    assert fleet.decide()[0] is RollOutState.DONE
    fleet.tell(ordered[:3], "rolled_back")
    assert fleet.decide()[0] is RollOutState.STOPPED


def test_one_that_breaks_the_link_alone_is_stopped_with_its_first_unit(fleet: Fleet) -> None:
    """The unit got the last piece, and does not come back."""
    (first,) = fleet.order()
    at_ms = fleet.clock.now_ms()
    with fleet.database.writing() as connection:
        last = Asked(first, NAME, IMAGE, len(MADE.image) - 1, 1)
        assert permit(connection, [last], Budget(1, 10_000, 0, 1024)) == [Part(Answer.SERVED, 1)]
    fleet.clock.advance(HOUR_MS)
    assert fleet.decide()[0] is RollOutState.RUNNING
    with fleet.database.writing() as connection:
        mark_silent(connection, [(first, at_ms)], fleet.clock.now_ms())
    assert fleet.decide() == (RollOutState.STOPPED, 0, "1 of 1 updated units fell silent, of the rest 0 of 29")
    with fleet.database.reading() as connection:
        assert total(count_states(connection, fleet.number)) == {UnitState.WAITING: 29, UnitState.ORDERED: 1}
