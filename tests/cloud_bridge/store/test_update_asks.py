"""Does a unit get what it was commanded to load, within its monthly limit, and nothing else?"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from cloud_bridge.releases.roll_out_states import Told
from cloud_bridge.store import roll_out_start, roll_outs
from cloud_bridge.store.database import Database, open_database
from cloud_bridge.store.roll_out_orders import due, mark_sent
from cloud_bridge.store.update_asks import IMAGE, MANIFEST, Answer, Asked, Budget, Part, permit, sent_in
from tests.cloud_bridge.releases.rolling_out import MADE, NAME, add_heard, add_release, start, tell
from tests.cloud_bridge.running import START_MS, store_at

SIZE = len(MADE.image)
MONTH = 672
LARGE = Budget(MONTH, 10**6, 90, 1024)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    """A store with cp-1, which was sent a command, and cp-2, which was not."""
    database = open_database(store_at(tmp_path))
    with database.writing() as connection:
        add_release(connection)
        add_heard(connection, "cp-1", "cp-2")
        start(connection, roll_out_start.Choice(roll_out_start.ChosenBy.LIST, unit_ids=["cp-1"]))
        mark_sent(connection, due(connection, START_MS, 10), START_MS)
    yield database
    database.close()


def ask(database: Database, *asks: Asked, budget: Budget = LARGE) -> list[Part]:
    with database.writing() as connection:
        return permit(connection, asks, budget)


def test_both_files_are_sent_to_their_ends(database: Database) -> None:
    whole = Asked("cp-1", NAME, MANIFEST, 0, 8192)
    last = Asked("cp-1", NAME, IMAGE, SIZE - 1, 8192)
    assert ask(database, whole, last) == [Part(Answer.SERVED, len(MADE.whole)), Part(Answer.SERVED, 1)]
    beyond = Asked("cp-1", NAME, IMAGE, SIZE, 1)
    assert ask(database, beyond) == [Part(Answer.BEYOND)]


@pytest.mark.parametrize("asked", [Asked("cp-2", NAME, IMAGE, 0, 1), Asked("cp-1", "0" * 16, IMAGE, 0, 1)])
def test_without_an_order_nothing_is_sent(database: Database, asked: Asked) -> None:
    assert ask(database, asked) == [Part(Answer.NO_ORDER)]


@pytest.mark.parametrize("told", [Told.INSTALLED, Told.GOOD, Told.REFUSED])
def test_a_unit_that_needs_no_more_is_sent_no_more(database: Database, told: Told) -> None:
    with database.writing() as connection:
        tell(connection, "cp-1", told)
    assert ask(database, Asked("cp-1", NAME, IMAGE, 0, 1)) == [Part(Answer.NO_ORDER)]


def test_a_unit_whose_slot_was_found_changed_loads_it_again(database: Database) -> None:
    with database.writing() as connection:
        tell(connection, "cp-1", Told.GOOD)
        tell(connection, "cp-1", Told.CORRUPT, why="integrity")
    assert ask(database, Asked("cp-1", NAME, IMAGE, 0, 1)) == [Part(Answer.SERVED, 1)]


def test_after_a_stop_nothing_is_sent(database: Database) -> None:
    with database.writing() as connection:
        roll_outs.stop(connection, 1, "stopped", START_MS)
    assert ask(database, Asked("cp-1", NAME, IMAGE, 0, 1)) == [Part(Answer.NO_ORDER)]


def test_the_budget_of_a_month_is_never_exceeded_and_the_next_has_its_own(database: Database) -> None:
    part = Asked("cp-1", NAME, IMAGE, 0, 100)
    budget = LARGE._replace(most_bytes=2 * 190)
    assert ask(database, part, part, part, budget=budget) == [
        Part(Answer.SERVED, 100),
        Part(Answer.SERVED, 100),
        Part(Answer.OVER_BUDGET),
    ]
    with database.reading() as connection:
        assert sent_in(connection, "cp-1", MONTH) == 380
        assert sent_in(connection, "cp-1", MONTH + 1) == 0
    assert ask(database, part, budget=budget._replace(month=MONTH + 1)) == [Part(Answer.SERVED, 100)]


def test_the_cost_has_the_head_of_each_piece() -> None:
    assert LARGE.cost(1) == 91
    assert LARGE.cost(1024) == 1114
    assert LARGE.cost(1025) == 1025 + 180
