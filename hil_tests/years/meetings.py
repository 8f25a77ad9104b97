"""Draws stories so that pairs of kinds that have not yet occurred together do so.

A story remains a function of its seed, so its number is enough to replay it. Pairs count as seen if an earlier story of
the same block of seeds contains them. Some happenings are moved to the time of the other kind, and some are added.
"""

from itertools import combinations_with_replacement
from random import Random

from hil_tests.years.faults import BY_NAME, KINDS
from hil_tests.years.story import BEGIN_AFTER_S, DAY_S, Happening, Story, draw_story, pairs

BLOCK = 120  # seeds: ten years of monthly stories
MEETINGS_A_DAY = 0.4  # meetings added to a story, per day
SOON_S = 600  # at most so long after the other kind

Pair = tuple[str, str]

ALL: tuple[Pair, ...] = tuple(combinations_with_replacement(sorted(kind.name for kind in KINDS), 2))


def draw_steered(seed: int, days: float, intensity: float = 1) -> Story:
    """Return the story of this seed."""
    return draw_stories(seed, 1, days, intensity)[0]


def draw_stories(first_seed: int, count: int, days: float, intensity: float = 1) -> list[Story]:
    """Return the stories of `count` successive seeds."""
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
    """Return the story with added meetings of pairs that are not in `seen`."""
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
    """Take a happening of this kind from the story, or draw a new one."""
    for one in free:
        if one.kind == kind:
            free.remove(one)
            return one
    at_s = draw.uniform(BEGIN_AFTER_S, max(BEGIN_AFTER_S + 1, story.days * DAY_S - 1))
    lasts_s = draw.uniform(*BY_NAME[kind].lasts_s)
    return Happening(round(at_s, 3), kind, round(lasts_s, 3), draw.getrandbits(32))
