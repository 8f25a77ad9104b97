"""`python -m hil_tests.bench readiness`: are drivers told in time that a car will not be ready? Nights in virtual time.

hil_tests/bench/readiness/lived.py defines a miss, in time, and false. If nobody can know, because the charge point is
silent or the battery unknown, drivers are told that, and what to check. For a miss this counts as an announcement; for
a vehicle that is ready it is not false, but counted on its own line.

Nobody in these nights acts on an announcement. A seed has its own million nights. Each has a number, by which `--night`
simulates it alone and prints its course.
"""

from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from rich.console import Console
from rich.table import Column, Table

from hil_tests.bench.readiness.lived import Lived, live_some, story
from hil_tests.bench.readiness.nights import Counted, Nights
from hil_tests.bench.readiness.page import page
from hil_tests.fixtures.progress import bar

NIGHTS_OF_A_SEED = 1_000_000
AT_ONCE = 50  # nights per task of a process
LISTED = 40
WIDTH = 140  # of the tables if the output is not a terminal: a file, a pipe, CI


def live_all(count: int, seed: int, processes: int) -> Nights:
    """Simulate the nights, with a progress bar on a terminal."""
    lived: list[Lived] = []
    first = seed * NIGHTS_OF_A_SEED
    steps = [range(at, min(at + AT_ONCE, first + count)) for at in range(first, first + count, AT_ONCE)]
    with ProcessPoolExecutor(processes) as pool, bar("nights", count, lambda: len(lived)):
        for some in pool.map(live_some, steps):
            lived += some
    return Nights(lived)


def live_and_print(count: int, seed: int, processes: int, html: Path | None) -> bool:
    """Simulate the nights and print the figures. Return whether the promise is held."""
    again = f"python -m hil_tests.bench readiness --nights {count} --seed {seed}"
    print(f"seed {seed}, {count:,} nights")
    found = live_all(count, seed, processes)
    screen = Console()
    if not screen.is_terminal:
        screen = Console(width=WIDTH)
    screen.print(_table(found.by_trouble()))
    screen.print(_table(found.by_told()))
    print(*found.figures(), sep="\n")
    for title, some in (("not announced in time", found.missed()), ("announced falsely", found.false())):
        for one in some[:LISTED]:
            troubles = ", ".join(one.troubles) or "no trouble"
            print(f"{title}: --night {one.number}: announced {one.reason or 'nothing'}; troubles: {troubles}")
    if html is not None:
        html.write_text(page(found, f"{count:,} nights of seed {seed}", again))
    return found.held()


def tell_night(number: int) -> None:
    """Print the course of one night."""
    print(*story(number), sep="\n")


def _table(counted: Counted) -> Table:
    name, *figures = counted.columns
    found = Table(name, *(Column(figure, justify="right") for figure in figures))
    *rows, last = counted.rows
    for row in rows:
        found.add_row(*row)
    found.add_section()
    found.add_row(*last)
    return found
