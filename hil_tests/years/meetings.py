"""Draws stories so that kinds which have not met yet do: the pairs that no story before has seen come first.

A story stays a function of its seed alone, so it is told again by its number: what has been seen is what the stories of its
block of seeds have, up to its own. Some happenings are moved to where the other kind is, and some are added.
"""

from itertools import combinations_with_replacement
from random import Random

from hil_tests.years.faults import BY_NAME, KINDS
from hil_tests.years.story import BEGIN_AFTER_S, DAY_S, Happening, Story, draw_story, pairs

BLOCK = 120  # seeds: ten years, of months
MEETINGS_A_DAY = 0.4  # on purpose
SOON_S = 600  # after the other kind has begun, or while it lasts

Pair = tuple[str, str]

ALL: tuple[Pair, ...] = tuple(combinations_with_replacement(sorted(kind.name for kind in KINDS), 2))


def draw_steered(seed: int, days: float, intensity: float = 1) -> Story:
    """The story of this number."""
    return draw_stories(seed, 1, days, intensity)[0]


def draw_stories(first_seed: int, count: int, days: float, intensity: float = 1) -> list[Story]:
    """Those of so many seeds on end."""
    stories: list[Story] = []
    seen: set[Pair] = set()
    for seed in range(first_seed - first_seed % BLOCK, first_seed + count):
        if seed % BLOCK == 0:
            seen = set()
        story = steer(draw_story(seed, days, intensity), seen)
        seen |= pairs(story)
        if seed >= first_seed:
            stories.append(story)
    return stories


def steer(story: Story, seen: set[Pair]) -> Story:
    """The same story with meetings of kinds that are not in `seen`."""
    draw = Random(f"{story.seed} meetings")
    wanted = [pair for pair in ALL if pair not in seen | pairs(story)]
    draw.shuffle(wanted)
    free, fixed = list(story.happenings), list[Happening]()
    draw.shuffle(free)
    for first, second in wanted[: round(story.days * MEETINGS_A_DAY)]:
        one, other = _take(first, free, story, draw), _take(second, free, story, draw)
        at_s = one.at_s + draw.uniform(0, min(one.lasts_s + SOON_S, 2 * SOON_S))
        fixed += [one, other._replace(at_s=round(min(at_s, story.days * DAY_S - 1), 3))]
    return story._replace(happenings=tuple(sorted(free + fixed)))


def _take(kind: str, free: list[Happening], story: Story, draw: Random) -> Happening:
    """One of the story's own, else a new one."""
    for one in free:
        if one.kind == kind:
            free.remove(one)
            return one
    at_s = draw.uniform(BEGIN_AFTER_S, max(BEGIN_AFTER_S + 1, story.days * DAY_S - 1))
    lasts_s = draw.uniform(*BY_NAME[kind].lasts_s)
    return Happening(round(at_s, 3), kind, round(lasts_s, 3), draw.getrandbits(32))
