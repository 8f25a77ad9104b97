"""Short stories with many happenings, which find planted mistakes in little processor time."""

from collections.abc import Callable, Iterator
from random import Random

from hil_tests.years.story import DAY_S, EARLIEST_S, Happening, Story, draw_story


def drawn(wanted: Callable[[Random], bool]) -> int:
    """Return the first seed for which `wanted` is true."""
    return next(seed for seed in range(100_000) if wanted(Random(seed)))


# Seeds of happenings. Each test draws in the same order as faults.py.
FOR_AN_HOUR_AND_TWICE = drawn(
    lambda draw: 3000 < draw.randint(1800, 14_400) < 3900 and 6 < draw.randint(6, 16) < 10 and draw.choice((1, 2)) == 2
)
FROM_SIX = drawn(lambda draw: draw.randint(17, 22) == 18 and draw.choice((0, 60, 600)) == 60)
VODAFONE_FADES = drawn(lambda draw: draw.choice(range(3)) == 0 and 5 < draw.randint(2, 14) <= 9)
A_STRONG_MAST = drawn(lambda draw: draw.choice(range(2)) == 0 and draw.randint(24, 31) >= 29)
BIG_AND_EMPTY = drawn(lambda draw: draw.uniform(3_000, 30_000) > 25_000 and draw.choice((10, 16, 32)) == 32)
OVER_ALREADY = drawn(
    lambda draw: draw.choice(range(11)) == 1 and draw.random() < 0.9 and draw.choice((-5, 60, 3600, 86_400)) == -5
)

MORNING = Story(
    1,
    EARLIEST_S,
    9000 / DAY_S,
    (
        Happening(700, "a car for the night", 6300, BIG_AND_EMPTY),
        Happening(1200, "limit of the cloud", 0, FOR_AN_HOUR_AND_TWICE),
        Happening(1500, "command", 0, OVER_ALREADY),
        Happening(2500, "mains off and on", 30, 1),
        Happening(6000, "residual current", 3, 1),
        Happening(6300, "button", 0, 1),
        Happening(6500, "too hot", 60, 1),
    ),
)
AFTERNOON = Story(
    1,
    EARLIEST_S,
    16_000 / DAY_S,
    (
        Happening(1500, "flash refuses", 600, 1),
        Happening(1600, "enclosure open", 30, 1),
        Happening(2500, "database away", 600, 1),
        Happening(2600, "enclosure open", 30, 2),
        Happening(4000, "modem hangs", 0, 1),
        Happening(5150, "broker away", 1900, 1),
        Happening(12_000, "bridge killed", 60, 1),
    ),
)
NIGHT = Story(
    1,
    EARLIEST_S,
    9000 / DAY_S,
    (Happening(1300, "no coverage", 2200, 1), Happening(7500, "broker away", 300, 1)),
)
EVENING = Story(  # begins at 16:00
    1,
    EARLIEST_S + 16 * 3600,
    12_600 / DAY_S,
    (
        Happening(600, "hours to avoid", 20_000, FROM_SIX),
        Happening(3000, "a car for the night", 4500, BIG_AND_EMPTY),
        Happening(7320, "button", 0, 1),
        Happening(7600, "a car for the night", 4800, BIG_AND_EMPTY),
    ),
)
QUIET = Story(1, EARLIEST_S, 2.2, ())
WEAK = Story(
    1,
    EARLIEST_S,
    1.7,
    (
        Happening(600, "signal fades", 3 * DAY_S, VODAFONE_FADES),
        Happening(DAY_S, "another mast nearby", 3 * DAY_S, A_STRONG_MAST),
    ),
)
MAST = Story(
    1,
    EARLIEST_S,
    13_000 / DAY_S,
    (
        Happening(600, "signal fades", 3 * DAY_S, VODAFONE_FADES),
        Happening(700, "another mast nearby", DAY_S, A_STRONG_MAST),
    ),
)


def trials(days: float, intensity: float, seeds: tuple[int, ...]) -> Iterator[tuple[str, Story]]:
    """Yield names and stories, the cheapest first, then a drawn story for each seed."""
    yield from (("quiet", QUIET), ("mast", MAST), ("weak", WEAK), ("night", NIGHT), ("afternoon", AFTERNOON))
    yield from (("morning", MORNING), ("evening", EVENING))
    for seed in seeds:
        yield f"seed {seed}", draw_story(seed, days, intensity)
