"""Is a standby only queried while it is known to be almost up to date, and the primary otherwise?"""

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError, SQLAlchemyError

from cloud_bridge.errors import StoreUnusable
from cloud_bridge.store.standby import LOOKS, MAX_LAG_S, OWN_WRITES_S, Note, Standby, lag_s


class Answers:
    """A database that answers every query with one number, or is down."""

    def __init__(self, answer: int | None) -> None:
        self.answer = answer
        self.is_away = False

    @contextmanager
    def reading(self) -> Iterator[Any]:
        if self.is_away:
            raise OperationalError("", None, Exception("away"))
        yield self

    def execute(self, _statement: object) -> "Answers":
        return self

    def scalar_one(self) -> int | None:
        return self.answer


class Scene:
    def __init__(self) -> None:
        self.now_s = 100.0
        self.fallbacks = 0
        self.primary, self.database = Answers(1000), Answers(1000)
        self.standby = Standby(self.database, self.primary, self.fell_back, lambda: self.now_s)  # type: ignore[arg-type]

    def fell_back(self) -> None:
        self.fallbacks += 1

    def asked(self) -> str:
        with self.standby.reading() as connection:
            asked: object = connection
        return "standby" if asked is self.database else "primary"


@pytest.mark.parametrize(
    ("replayed", "wanted"), [(99, None), (100, 4.0), (150, 4.0), (200, 3.0), (10**18, 2.0), (None, None)]
)
def test_how_far_behind_it_is_goes_by_what_the_primary_had_written_when(replayed: int | None, wanted: float) -> None:
    notes = deque([Note(1.0, 100), Note(2.0, 200), Note(3.0, 300)])
    assert lag_s(notes, replayed, 5.0) == wanted


def test_it_is_not_asked_before_the_first_look() -> None:
    scene = Scene()
    assert (scene.asked(), scene.fallbacks) == ("primary", 1)
    scene.standby.look()
    assert (scene.asked(), scene.fallbacks) == ("standby", 1)


def test_one_that_replays_nothing_any_more_is_asked_for_three_seconds() -> None:
    """Its connection to the primary is cut after it has replayed everything that it received."""
    scene = Scene()
    scene.standby.look()
    for _ in range(int(MAX_LAG_S)):
        scene.primary.answer = (scene.primary.answer or 0) + 1
        assert scene.asked() == "standby"
        scene.now_s += 1
        if scene.now_s < 100 + MAX_LAG_S:
            scene.standby.look()
    assert scene.asked() == "primary"
    with pytest.raises(StoreUnusable, match="behind"):
        scene.standby.look()
    scene.database.answer = scene.primary.answer
    scene.standby.look()
    assert scene.asked() == "standby"


def test_an_idle_primary_leaves_nobody_behind() -> None:
    scene = Scene()
    for _ in range(10 * LOOKS):
        scene.standby.look()
        scene.now_s += 1
    assert scene.asked() == "standby"


def test_one_that_was_promoted_is_not_asked() -> None:
    scene = Scene()
    scene.standby.look()
    scene.database.answer = None
    with pytest.raises(StoreUnusable, match="promoted"):
        scene.standby.look()
    assert scene.asked() == "primary"


def test_one_that_is_away_costs_one_try_a_look() -> None:
    scene = Scene()
    scene.standby.look()
    scene.database.is_away = True
    assert [scene.asked(), scene.asked()] == ["primary", "primary"]
    scene.database.is_away = False
    assert scene.asked() == "primary"
    scene.standby.look()
    assert (scene.asked(), scene.fallbacks) == ("standby", 3)


def test_while_the_primary_cannot_be_asked_for_its_position_the_standby_ages() -> None:
    scene = Scene()
    scene.standby.look()
    scene.primary.is_away = True
    scene.now_s += MAX_LAG_S + 1
    with pytest.raises(SQLAlchemyError):
        scene.standby.look()
    assert not scene.standby.is_current


def test_a_browser_that_has_written_waits_longer_than_the_standby_may_be_behind() -> None:
    assert OWN_WRITES_S > 2 * MAX_LAG_S
