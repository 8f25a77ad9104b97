"""Is a promise that a busy computer broke distinguished from one that the unit broke?"""

import pytest

from hil_tests.rig.contract import Observation
from hil_tests.scenarios.watch import BACK_WITHIN_S, LOOK_EVERY_S, NEAR_S, STARVED_S, Verdict

OPEN = Observation(contactor=False)
RED = Observation(led=(255, 0, 0))


class Story:
    """A sequence of looks at a unit."""

    def __init__(self) -> None:
        self.verdict = Verdict()
        self._now_s = 0.0

    def goes_on(self, seconds: float, seen: Observation | None = None, waits_s: float = 0.02) -> "Story":
        """Let the unit keep its promise, or look like `seen`; `waits_s` is its longest wait for a processor between two
        looks."""
        for _ in range(max(1, round(seconds / LOOK_EVERY_S))):
            self._now_s += LOOK_EVERY_S
            self.verdict.look(seen or Observation(), seen is None, waits_s, self._now_s)
        return self

    def starves(self, seconds: float, opens_after_s: float = 1.0) -> "Story":
        """Let the unit wait for a processor; meanwhile, its guard opens."""
        for look in range(round(seconds / LOOK_EVERY_S)):
            lasts_s = look * LOOK_EVERY_S
            self.goes_on(LOOK_EVERY_S, OPEN if lasts_s > opens_after_s else None, lasts_s)
        return self


@pytest.mark.parametrize("seconds", [1.2, 1.6, 9.0])
def test_a_unit_that_got_no_processor_and_charges_again_has_kept_it(seconds: float) -> None:
    story = Story().goes_on(9).starves(seconds).goes_on(4, OPEN).goes_on(0.3, RED).goes_on(2, OPEN)
    assert story.verdict.is_open  # it has to charge again
    story.goes_on(1)
    assert (story.verdict.broken, story.verdict.is_open, story.verdict.starved) == (None, False, 1)


def test_so_it_is_where_the_watch_got_none_either_and_knows_the_wait_first() -> None:
    assert Story().goes_on(9).goes_on(LOOK_EVERY_S, waits_s=1.1).goes_on(8, OPEN).goes_on(1).verdict.broken is None


def test_so_it_is_where_the_wait_is_known_last() -> None:
    assert Story().goes_on(9).goes_on(0.5, OPEN).goes_on(8, OPEN, waits_s=1.1).goes_on(1).verdict.broken is None


@pytest.mark.parametrize("seen", [OPEN, RED])
@pytest.mark.parametrize("waits_s", [0.0, 0.1, STARVED_S * 0.9])
def test_a_unit_that_had_a_processor_has_broken_it(seen: Observation, waits_s: float) -> None:
    """For example if it is stopped or waits for something else, or if it is fast enough on a busy computer."""
    assert Story().goes_on(9, waits_s=waits_s).goes_on(NEAR_S + 1, seen, waits_s).verdict.broken == seen


def test_so_has_one_that_keeps_it_again_by_itself() -> None:
    assert Story().goes_on(9).goes_on(LOOK_EVERY_S, OPEN).goes_on(1).verdict.broken == OPEN


def test_a_wait_of_before_explains_nothing() -> None:
    assert Story().starves(0.9).goes_on(NEAR_S + 1).goes_on(NEAR_S + 1, OPEN).verdict.broken == OPEN


def test_nor_does_one_that_has_explained_something_already() -> None:
    story = Story().starves(1.6).goes_on(0.5, OPEN).goes_on(0.3)
    assert story.goes_on(NEAR_S + 1, RED).verdict.broken == RED


def test_a_unit_that_does_not_charge_again_has_broken_it() -> None:
    assert Story().goes_on(9).starves(1.6).goes_on(BACK_WITHIN_S + 1, RED).goes_on(9).verdict.broken == OPEN
