"""Do more pairs of kinds occur together, and does a seed still give the same story?"""

from collections.abc import Iterable

from hil_tests.years.meetings import draw_steered, draw_stories
from hil_tests.years.story import Story, draw_story, pairs


def met(stories: Iterable[Story]) -> set[tuple[str, str]]:
    return set[tuple[str, str]]().union(*(pairs(story) for story in stories))


def test_more_kinds_meet_than_by_chance() -> None:
    steered = met(draw_stories(1, 12, 30))
    assert len(steered) > 1.3 * len(met(draw_story(seed, 30) for seed in range(1, 13)))


def test_a_story_is_a_function_of_its_number_alone() -> None:
    stories = draw_stories(1, 5, 30)
    assert draw_steered(4, 30) == stories[3] == draw_stories(3, 3, 30)[1]
    assert draw_steered(4, 30) != draw_story(4, 30)
