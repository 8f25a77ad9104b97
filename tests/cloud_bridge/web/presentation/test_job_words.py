"""Does every state and move of a job have a text, and does a phone number become a callable one?"""

import pytest

from cloud_bridge.durations import HOUR_MS
from cloud_bridge.store.job_states import JobState, Move
from cloud_bridge.store.job_timeline import JobEvent, Window
from cloud_bridge.store.jobs import Job
from cloud_bridge.web.presentation.job_words import (
    GLANCES,
    NEWS_FOR_MS,
    headline,
    in_order,
    listed,
    news_for_driver,
    steps,
    steps_for_driver,
    tel,
    told_to_driver,
)
from tests.cloud_bridge.running import START_MS

ZONE = "Europe/London"
VISIT = Window(START_MS + 9 * HOUR_MS, START_MS + 12 * HOUR_MS)


def job(state: JobState, job_id: int = 1, visit: Window | None = None, unit_id: str = "wall") -> Job:
    closed_ms = START_MS if state in (JobState.DONE, JobState.CANCELLED) else None
    nothing = dict.fromkeys(("visited_ms", "report_name", "report", "outcome", "report_before_name", "report_before"))
    return Job(
        id=job_id,
        unit_id=unit_id,
        installer_id=7,
        installer="ingo",
        raised_ms=START_MS,
        reason="Mrs Smith says that it hums",
        closed_ms=closed_ms,
        moves=0,
        state=state,
        visit=visit,
        **nothing,
    )


@pytest.mark.parametrize("state", JobState)
def test_every_state_has_words_with_a_visit_and_without(state: JobState) -> None:
    for visit in (None, VISIT):
        found = job(state, visit=visit)
        for words in (headline(found, ZONE, START_MS), told_to_driver(found, ZONE, START_MS)):
            assert words and "Smith" not in words and "None" not in words
        assert listed(found, ZONE, START_MS).glance == GLANCES[state]


@pytest.mark.parametrize("move", Move)
def test_every_move_has_words_and_the_drivers_say_nothing_of_what_was_written(move: Move) -> None:
    event = JobEvent(1, "ingo", START_MS, move, "the dog bites", VISIT)
    (step,), (told,) = steps([event], ZONE), steps_for_driver([event], ZONE)
    assert (step.by, step.note) == ("ingo", "the dog bites")
    assert (told.by, told.note) == (None, "")
    assert "Thu 1 Jan, 9:00 to 12:00" in step.words
    assert told.words.endswith(".") and not told.words.endswith("..")


def test_what_is_not_seen_any_more_and_what_is_closed_come_last() -> None:
    near, far = (job(JobState.PLANNED, number, Window(number, number + 1)) for number in (5, 9))
    new, taken, done = job(JobState.RAISED, 1), job(JobState.ACCEPTED, 2), job(JobState.DONE, 3)
    lost = job(JobState.PLANNED, 4, VISIT, unit_id="elsewhere")
    found = in_order([done, lost, taken, new, far, near], {"wall"})
    assert [one.id for one in found[:4]] == [5, 9, 1, 2]
    assert listed(lost, None, START_MS).headline == "You do not see this charger any more"


@pytest.mark.parametrize(
    ("typed", "number"),
    [
        ("0161 496 0000", "01614960000"),
        ("+44 (0)161 496-0000", "+441614960000"),
        ("(0161) 496/0000", "01614960000"),
        ("", None),
        ("call me", None),
        ("1;ext=2", None),
        ("javascript:alert(1)", None),
        ("+" * 20, None),
        ("١٢٣٤٥", None),
    ],
)
def test_a_number_that_can_be_called(typed: str, number: str | None) -> None:
    assert tel(typed) == number


def test_an_end_is_news_for_a_week_and_no_job_is_none() -> None:
    done = job(JobState.DONE)
    assert news_for_driver(done, START_MS + NEWS_FOR_MS - 1, ZONE) == "Done on Thu 1 Jan."
    assert news_for_driver(done, START_MS + NEWS_FOR_MS, ZONE) is None
    assert news_for_driver(None, START_MS, ZONE) is None
    assert news_for_driver(job(JobState.ACCEPTED), START_MS + NEWS_FOR_MS, ZONE) is not None
