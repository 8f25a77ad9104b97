"""Do the stories find a mistake? `python -m hil_tests.years.plants` plants each of planted.py in a separate process.

The process runs stories until one breaks a promise: first the short, full stories of trials.py, then drawn stories. For
each mistake, the command prints which promise found it, in which story, and after how many days and how much processor
time. The exit code is 1 if more than MISSED_MAX mistakes were not found.
"""

import argparse
import json
import resource
import subprocess
import sys
from typing import NamedTuple

from hil_tests.years.environment import add_paths
from hil_tests.years.planted import PLANTS
from hil_tests.years.planting import ROOT, Plant, plant_it

MISSED_MAX = 2
CPU_S = 120  # processor time for one mistake: 30 mistakes take at most an hour of a core
DRAWN_DAYS, DRAWN_INTENSITY, DRAWN_SEEDS = 1.0, 12.0, tuple(range(2, 14))


class Found(NamedTuple):
    """`promise` is None if the mistake was not found. `days` is the virtual time in the last story."""

    promise: str | None
    what: str
    story: str
    days: float
    cpu_s: float


def main() -> int:
    """Return exit code 1 if too many mistakes were not found, else 0."""
    parser = argparse.ArgumentParser(prog="python -m hil_tests.years.plants", description=__doc__)
    parser.add_argument("--only", default="", help="only the mistakes whose description contains this text")
    parser.add_argument(
        "--tell", metavar="MISTAKE", help="plant this mistake in this process and print the result as JSON"
    )
    options = parser.parse_args()
    if options.tell is not None:
        print(json.dumps(_look_for(next(plant for plant in PLANTS if plant.mistake == options.tell))))
        return 0
    chosen = [plant for plant in PLANTS if options.only in plant.mistake]
    found = [_ask(plant) for plant in chosen]
    missed = sum(one.promise is None for one in found)
    print(f"{len(chosen) - missed} of {len(chosen)} mistakes were found, in {sum(one.cpu_s for one in found):.0f} s")
    return 1 if missed > MISSED_MAX else 0


def _ask(plant: Plant) -> Found:
    command = [sys.executable, "-m", "hil_tests.years.plants", "--tell", plant.mistake]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, preexec_fn=_bounded)
    try:
        found = Found(*json.loads(done.stdout.splitlines()[-1]))
    except (IndexError, ValueError):
        found = Found(None, (done.stderr.splitlines() or ["no result"])[-1], "all", 0, CPU_S)
    promise = "NOT FOUND" if found.promise is None else found.promise.split(":")[0].split(",")[0].split(";")[0]
    told = f"{found.story:9} {found.days:5.2f} d {found.cpu_s:4.0f} s"
    print(f"{plant.mistake:47} {told}  {promise[:60]}\n{'':47}   {found.what[:110]}", flush=True)
    return found


def _bounded() -> None:
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_S, CPU_S + 5))


def _look_for(plant: Plant) -> Found:
    add_paths()
    plant_it(plant)
    # These import the product with the mistake, so they must come after plant_it().
    from hil_tests.years.telling import tell
    from hil_tests.years.trials import trials

    cpu_s = 0.0
    name, days = "", 0.0
    for name, story in trials(DRAWN_DAYS, DRAWN_INTENSITY, DRAWN_SEEDS):
        told = tell(story)
        cpu_s += told.cpu_s
        if told.broken:
            first = told.broken[0]
            return Found(first.promise, first.what, name, round(first.at_s / 86_400, 2), round(cpu_s, 1))
        days = story.days
    return Found(None, "no promise was broken", name, days, round(cpu_s, 1))


if __name__ == "__main__":
    sys.exit(main())
