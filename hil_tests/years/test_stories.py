"""A sample of `make years`: are the promises kept, and does the same seed give the same story?"""

from hil_tests.years.shrink import shrink
from hil_tests.years.story import EARLIEST_S, Happening, Story, draw_story, from_json, pairs
from hil_tests.years.telling import tell

NIGHT = Story(
    7,
    EARLIEST_S,
    3 / 24,
    (
        Happening(600, "a car for the night", 6000, 1),
        Happening(1200, "no coverage", 600, 2),
        Happening(4000, "mains off and on", 30, 3),
        Happening(5200, "bridge killed", 60, 4),
        Happening(5400, "residual current", 2, 5),
        Happening(8000, "command", 0, 6),
        Happening(8100, "database away", 300, 7),
    ),
)


def test_a_night_of_faults_keeps_every_promise_and_is_the_same_again() -> None:
    once, again = tell(NIGHT), tell(NIGHT)
    assert not once.broken
    assert once.messages > 40 and once.resets == 2
    assert once.digest == again.digest


def test_a_seed_draws_the_same_story_and_survives_a_file() -> None:
    story = draw_story(3, 30)
    assert story == draw_story(3, 30) and story != draw_story(4, 30)
    assert from_json(story.to_json()) == story
    assert pairs(story)


def test_a_story_is_cut_to_what_breaks_the_promise() -> None:
    story = draw_story(5, 60)
    needed = {story.happenings[3], story.happenings[9]}
    short = shrink(story, lambda one: needed <= set(one.happenings))
    assert set(short.happenings) == needed and short.days < story.days
