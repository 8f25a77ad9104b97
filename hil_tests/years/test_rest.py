"""Does a unit that rests reach the same state as a unit that executes every step?"""

import re
from pathlib import Path

import pytest

from hil_tests.years.due_times import DueTimes
from hil_tests.years.moving import NOTES, Note, Now
from hil_tests.years.story import EARLIEST_S, Happening, Story
from hil_tests.years.telling import tell

ENERGY = re.compile(r'"e":(\d+)')  # of a session, Wh
WITH_A_HEARTBEAT_S = 1200  # settings.heartbeat_idle_s, plus the time to the first heartbeat
WHILE = Story(1, EARLIEST_S, WITH_A_HEARTBEAT_S / 86_400, ())


def test_a_rested_while_equals_a_stepped_one() -> None:
    """Compare all messages with their times in milliseconds.

    To compare an hour, use `python -m hil_tests.years --replay FILE` with and without --step.
    """
    rested, stepped = tell(WHILE), tell(WHILE, jumps=False)
    assert not rested.broken and rested.messages > 5
    assert rested.rested > 0.6 and stepped.rested == 0
    assert rested.digest == stepped.digest


def test_a_unit_that_charges_says_the_same_at_rest() -> None:
    """The energy may differ by 1 Wh, because a report is made only every half second."""
    story = Story(1, EARLIEST_S, 720 / 86_400, (Happening(300, "a car for the night", 7200, 1),))
    rested: list[str] = []
    stepped: list[str] = []
    tell(story, keep=rested)
    tell(story, jumps=False, keep=stepped)
    assert [ENERGY.sub("", line) for line in rested] == [ENERGY.sub("", line) for line in stepped]
    energies = zip(map(energy_wh, rested), map(energy_wh, stepped), strict=True)
    assert all(abs(ours - theirs) <= 1 for ours, theirs in energies) and energy_wh(rested[-1]) > 100


@pytest.mark.parametrize(
    ("seed", "happenings"),
    [
        (2, (Happening(330.817, "broker away", 420, 1),)),  # no link: attempts with pauses, and a change of mode
        (1, (Happening(60.379, "context dropped", 0, 2), Happening(401.13, "pilot short", 11, 3))),
        (3, (Happening(84.364, "a car for the night", 900, 4), Happening(274.574, "button", 0, 5))),
        (5, (Happening(92.031, "a car for the night", 500, 6), Happening(328.284, "context dropped", 0, 7))),
        (7, (Happening(91.13, "a car for the night", 900, 8), Happening(355.139, "contactor stuck open", 100, 9))),
    ],
)
def test_a_troubled_while_is_the_same_at_rest(seed: int, happenings: tuple[Happening, ...]) -> None:
    """Compare all messages, except for 2 Wh of energy: without a link, with a car, and after faults at various times."""
    story = Story(seed, EARLIEST_S, 780 / 86_400, happenings)
    rested: list[str] = []
    stepped: list[str] = []
    told = tell(story, keep=rested)
    tell(story, jumps=False, keep=stepped)
    assert [ENERGY.sub("", line) for line in rested] == [ENERGY.sub("", line) for line in stepped]
    assert all(abs(energy_wh(ours) - energy_wh(theirs)) <= 2 for ours, theirs in zip(rested, stepped, strict=True))
    assert told.rested > 0.4


def energy_wh(line: str) -> int:
    found = ENERGY.search(line)
    return int(found[1]) if found else 0


def test_a_stamp_that_the_product_let_go_of_is_not_due() -> None:
    due_times, now_ms = DueTimes(late_ms=10_000), 5000
    kept, gone = Now(1, 1), Now(2, 2)
    due_times.add(Note(7000, kept))
    due_times.add(Note(6000, gone))
    due_times.add(Note(9000, None))
    assert due_times.next_ms(now_ms) == 6000
    del gone
    assert due_times.next_ms(now_ms) == 7000
    assert due_times.next_ms(7001) == 7000  # it may not have been noticed yet
    del kept
    assert due_times.next_ms(7001) == 9000


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
    assert now >= 1000 and noted(noon) == []  # this stays true
    assert 1200 - now > 0 and noted(noon) == [200]
    assert not now // 1000 >= 3 and noted(noon) == [2000]
    assert now == 1000 and noted(noon) == [1]
    assert now % 700 < 400 and noted(noon) == [400, 100]  # when the remainder is 0 again, and when it is 400


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
