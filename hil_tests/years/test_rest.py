"""Does a unit that rests end where one that is stepped does?"""

from pathlib import Path

import pytest

from hil_tests.years.moving import NOTES, Now
from hil_tests.years.story import EARLIEST_S, Story
from hil_tests.years.telling import tell

WITH_A_HEARTBEAT_S = 1200  # settings.heartbeat_idle_s, and what comes before the first
WHILE = Story(1, EARLIEST_S, WITH_A_HEARTBEAT_S / 86_400, ())


def test_a_rested_while_equals_a_stepped_one() -> None:
    """To the millisecond, with all that was said; of an hour: `python -m hil_tests.years --replay FILE`, and with --step."""
    rested, stepped = tell(WHILE), tell(WHILE, jumps=False)
    assert not rested.broken and rested.messages > 5
    assert rested.rested > 0.6 and stepped.rested == 0
    assert rested.digest == stepped.digest


@pytest.fixture
def noon() -> int:
    NOTES.now_ms = 43_200_000
    NOTES.take()
    return NOTES.now_ms


def noted(noon: int) -> list[int]:
    return [note.at_ms - noon for note in NOTES.take()]


def test_a_comparison_notes_when_it_will_come_out_differently(noon: int) -> None:
    now = Now(1000, noon)
    assert not now >= 1500
    assert noted(noon) == [500]
    assert now >= 1000 and noted(noon) == []  # for ever
    assert 1200 - now > 0 and noted(noon) == [200]
    assert not now // 1000 >= 3 and noted(noon) == [2000]
    assert now == 1000 and noted(noon) == [1]
    assert now % 700 < 400 and noted(noon) == [400, 100]  # until the rest is 0 again, and until it is 400


def test_a_reading_that_was_kept_is_a_constant(noon: int) -> None:
    kept = Now(1000, noon)
    NOTES.now_ms += 60
    now = Now(1060, NOTES.now_ms)
    assert now - kept < 250
    (note,) = NOTES.take()
    assert note.at_ms == noon + 250 and note.stamp is kept


def test_nothing_is_noted_of_two_constants(noon: int) -> None:
    kept = Now(1000, noon - 1)
    assert kept < 2000 and kept + 5 == 1005 and noted(noon) == []


def test_a_story_leaves_the_process_as_it_was() -> None:
    import builtins
    import time

    before = time.time, time.sleep, builtins.open
    tell(Story(1, EARLIEST_S, 60 / 86_400, ()))
    assert (time.time, time.sleep, builtins.open) == before and not hasattr(time, "ticks_ms")
    assert Path(__file__).read_text()
