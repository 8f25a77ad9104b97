"""A story: what happens when, drawn from a seed. It is data, so a failing story can be cut, kept and replayed."""

import json
from collections.abc import Iterable
from random import Random
from typing import NamedTuple

from hil_tests.years.faults import KINDS

DAY_S, YEAR_S = 86_400, 365 * 86_400
EARLIEST_S = 1_798_761_600  # 2027-01-01: later than the build of this firmware
BEGIN_AFTER_S = 300
ON_PURPOSE = 0.3  # the fraction of stories that are placed around one of TURNS_S
TURNS_S = (
    1_806_195_600,  # 2027-03-28 01:00, when the United Kingdom's summer time begins
    1_824_944_400,  # 2027-10-31 01:00, when it ends
    1_835_395_200,  # 2028-02-29
    1_861_920_000,  # 2029-01-01
)


class Happening(NamedTuple):
    """`draw` is the seed of all further choices of the kind. Times are in s from the beginning of the story."""

    at_s: float
    kind: str
    lasts_s: float
    draw: int


class Story(NamedTuple):
    seed: int
    epoch_s: int  # the true time at the beginning, UTC
    days: float
    happenings: tuple[Happening, ...]

    def to_json(self) -> str:
        return json.dumps([self.seed, self.epoch_s, self.days, self.happenings])


def from_json(text: str) -> Story:
    """Read a story. Raise ValueError or TypeError if the text is invalid."""
    seed, epoch_s, days, happenings = json.loads(text)
    return Story(seed, epoch_s, days, tuple(Happening(*one) for one in happenings))


def draw_story(seed: int, days: float, intensity: float = 1) -> Story:
    """Draw a story that begins within three years, one of them a leap year. `intensity` multiplies all rates except cars."""
    draw = Random(f"{seed} story")
    epoch_s = EARLIEST_S + draw.randrange(3 * 365) * DAY_S + draw.randrange(DAY_S)
    if draw.random() < ON_PURPOSE:
        epoch_s = max(EARLIEST_S, draw.choice(TURNS_S) - draw.randrange(max(1, round(days * DAY_S))))
    happenings: list[Happening] = []
    for kind in KINDS:
        often = kind.a_year * (1 if kind.name == "a car for the night" else intensity) * days / 365
        count = int(often) + (draw.random() < often % 1)
        for _ in range(count):
            at_s = draw.uniform(BEGIN_AFTER_S, max(BEGIN_AFTER_S + 1, days * DAY_S - 1))
            if kind.name == "a car for the night":
                at_s = _evening(at_s, epoch_s, draw)
            lasts_s = draw.uniform(*kind.lasts_s)
            happenings.append(Happening(round(at_s, 3), kind.name, round(lasts_s, 3), draw.getrandbits(32)))
    return Story(seed, epoch_s, days, tuple(sorted(happenings)))


def _evening(at_s: float, epoch_s: int, draw: Random) -> float:
    """Return a time on the same day, from 17:00 to 23:00 UTC."""
    midnight_s = at_s - (epoch_s + at_s) % DAY_S
    return max(BEGIN_AFTER_S, midnight_s + draw.uniform(17, 23) * 3600)


def pairs(story: Story, within_s: float = 1800) -> set[tuple[str, str]]:
    """Return the pairs of kinds of which one began while the other lasted, or at most `within_s` later."""
    met: set[tuple[str, str]] = set()
    lasting: list[tuple[float, str]] = []
    for one in story.happenings:
        lasting = [(end_s, kind) for end_s, kind in lasting if end_s >= one.at_s]
        met |= {(min(kind, one.kind), max(kind, one.kind)) for _, kind in lasting}
        lasting.append((one.at_s + one.lasts_s + within_s, one.kind))
    return met


def without(story: Story, left_out: Iterable[Happening]) -> Story:
    gone = set(left_out)
    return story._replace(happenings=tuple(one for one in story.happenings if one not in gone))
