"""The cost of a charger-year: `python -m hil_tests.years --costs` runs stories of three kinds and prints processor
times.

For comparison, it prints the rate of faults of `make life`, whose units run in real time.
"""

from typing import NamedTuple

from hil_tests.years.story import DAY_S, EARLIEST_S, YEAR_S, Story, draw_story
from hil_tests.years.telling import Told, tell

SEEDS = (1, 2)
DAYS = 10.0
TROUBLED = 8.0  # times as many faults as in an ordinary story
LIFE_FAULTS, LIFE_S = 1000, 25 * 60  # faults of `make life`, and its real time: see the Makefile
WARM_S = 600  # length of a first story that is not counted: it imports everything and creates the empty database


class Cost(NamedTuple):
    """The total cost of all stories of one kind."""

    kind: str
    years: float
    happenings: int
    messages: int
    rested: float  # the fraction of virtual time that was skipped
    cpu_s: float

    def __str__(self) -> str:
        return (
            f"{self.kind:9} {60 * self.years / self.cpu_s:7.3f} charger-years in 60 s of a core, "
            f"{1000 * self.cpu_s / self.messages:5.2f} ms a message, {self.rested:6.2%} of the time at rest, "
            f"{60 * self.happenings / self.cpu_s:5.0f} happenings in 60 s"
        )


def stories(kind: str, seed: int) -> Story:
    """Return the story of one kind. `kind`: "idle" has no cars and no faults, "ordinary" has the rates of faults.py,
    and "troubled" TROUBLED times these rates."""
    if kind == "idle":
        return Story(seed, EARLIEST_S, DAYS, ())
    return draw_story(seed, DAYS, TROUBLED if kind == "troubled" else 1)


def cost(kind: str) -> Cost:
    told: list[Told] = [tell(stories(kind, seed)) for seed in SEEDS]
    days = sum(one.story.days for one in told)
    return Cost(
        kind,
        days * DAY_S / YEAR_S,
        sum(len(one.story.happenings) for one in told),
        sum(one.messages for one in told),
        sum(one.rested * one.story.days for one in told) / days,
        sum(one.cpu_s for one in told),
    )


def print_costs() -> None:
    tell(Story(SEEDS[0], EARLIEST_S, WARM_S / DAY_S, ()))
    for kind in ("idle", "ordinary", "troubled"):
        print(cost(kind))
    print(f"make life: {60 * LIFE_FAULTS / LIFE_S:.0f} faults in 60 s of real time, five units together")
