"""Run charge points and their cloud through years of faults on virtual time: `python -m hil_tests.years --years 1`.

Each story is a month of one charge point, drawn from a seed. If a story breaks a promise, the run prints its seed, cuts
the story to the shortest that still breaks the promise, and writes it to build/years for --replay. With --keep, it
becomes a test. The exit code is 1 if any promise was broken.
"""

import argparse
import json
import os
from collections import Counter
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from pathlib import Path

from hil_tests.fixtures.progress import bar
from hil_tests.years.costs import print_costs
from hil_tests.years.keeping import keep
from hil_tests.years.meetings import ALL, draw_steered, draw_stories
from hil_tests.years.mission import PROMISES
from hil_tests.years.report import write_report
from hil_tests.years.shrink import shrink
from hil_tests.years.story import Story, from_json, pairs
from hil_tests.years.telling import Told, tell

DAYS = 30.0  # the length of a story
YEAR_DAYS = 365
BUILD = Path("build/years")
TIMES_EACH = 10  # a process runs a repeated story so often
SHRUNK = 3  # how many of the failing stories are cut, the first ones


def _breaks(promise: str, story: Story) -> bool:
    return any(one.promise == promise for one in tell(story).broken)


def run(options: argparse.Namespace) -> list[Told]:
    """Run all stories, in as many processes as requested. Return the results by seed."""
    count = max(1, round(options.years * YEAR_DAYS / options.days))
    told: list[Told] = []
    with ProcessPoolExecutor(options.processes) as processes:
        waiting = [
            processes.submit(tell, story)
            for story in draw_stories(options.seed, count, options.days, options.intensity)
        ]
        with bar("months", count, lambda: len(told)):
            for one in as_completed(waiting):
                told.append(one.result())
    return sorted(told, key=lambda one: one.story.seed)


def summary(told: list[Told]) -> list[str]:
    """Return the summary lines of a run, for people."""
    years = sum(one.story.days for one in told) / YEAR_DAYS
    cpu_s = sum(one.cpu_s for one in told)
    met = set[tuple[str, str]]().union(*(pairs(one.story) for one in told))
    megabytes = sum(one.on_air_bytes for one in told) / years / 12e6
    faults = Counter(happening.kind for one in told for happening in one.story.happenings)
    return [
        f"{years:.2f} charger-years in {cpu_s:.0f} s of processor time: {60 * years / cpu_s:.3f} in 60 s of a core, "
        f"{sum(one.rested * one.story.days for one in told) / sum(one.story.days for one in told):.1%} of the time skipped",
        f"{faults.total()} happenings of {len(faults)} kinds; {len(met)} of {len(ALL)} pairs of kinds occurred together",
        f"{sum(one.messages for one in told)} messages, {megabytes:.2f} MB on the air "
        f"a month, {sum(one.flash_writes for one in told) / years / 365:.0f} flash writes a day, "
        f"{sum(one.resets for one in told)} starts",
        f"{sum(bool(one.broken) for one in told)} of {len(told)} stories broke a promise",
    ]


def _story(which: str, options: argparse.Namespace) -> Story:
    """Return the story of a seed or of a file in build/years."""
    if os.path.exists(which):
        return from_json(Path(which).read_text())
    return draw_steered(int(which), options.days, options.intensity)


def _repeat(story: Story, options: argparse.Namespace) -> int:
    """Run one story several times, in processes with different hash seeds. Return exit code 1 unless all traces are equal."""
    digests: Counter[str] = Counter()
    with (
        get_context("spawn").Pool(options.processes, maxtasksperchild=TIMES_EACH) as processes,
        bar("times", options.times, digests.total),
    ):
        for told in processes.imap_unordered(tell, [story] * options.times):
            digests[told.digest] += 1
    for digest, times in digests.items():
        print(f"trace {digest}, {times} times")
    return 0 if len(digests) == 1 else 1


def _replay(story: Story, options: argparse.Namespace) -> list[Told]:
    """Run one story and print its trace."""
    lines: list[str] = []
    told = tell(story, not options.step, lines)
    print("\n".join(lines))
    print(f"trace {told.digest}")
    if options.keep and told.broken:
        print(f"kept as a test: {_keep(options.keep, told)}")
    return [told]


def _keep(name: str, told: Told) -> Path:
    """Cut the story to the shortest that still breaks the first broken promise, and keep it as a test."""
    promise = told.broken[0].promise
    short = shrink(told.story, lambda story: _breaks(promise, story), 40)
    return keep(name, short, next(one for one in tell(short).broken if one.promise == promise))


def _cut(told: list[Told]) -> None:
    """Cut the first failing stories to the shortest that still fail, and write and print them."""
    BUILD.mkdir(parents=True, exist_ok=True)
    for one in [one for one in told if one.broken][:SHRUNK]:
        promise = one.broken[0].promise
        short = shrink(one.story, lambda story, promise=promise: _breaks(promise, story), 40)  # type: ignore[misc]
        path = BUILD / f"{one.story.seed}.json"
        path.write_text(short.to_json())
        print(f"seed {one.story.seed}, cut to {len(short.happenings)} happenings: --replay {path}")
        for happening in short.happenings:
            print(f"  {json.dumps(happening)}")


def main() -> int:
    """Return exit code 1 if a promise was broken, else 0."""
    parser = argparse.ArgumentParser(prog="python -m hil_tests.years", description=__doc__)
    parser.add_argument("--years", type=float, default=1)
    parser.add_argument("--days", type=float, default=DAYS, help="days of each story (%(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="seed of the first story; the others follow it")
    parser.add_argument("--intensity", type=float, default=1, help="multiplies the fault rates of faults.py")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--replay", metavar="SEED|FILE", help="run one story and print its trace")
    parser.add_argument("--times", type=int, default=1, help="with --replay: run it so often, and compare the traces")
    parser.add_argument("--keep", metavar="NAME", help="with --replay: cut a failing story and keep it as a test")
    parser.add_argument("--step", action="store_true", help="with --replay: execute every period, skip nothing")
    parser.add_argument("--costs", action="store_true", help="print the cost of a charger-year and exit")
    parser.add_argument("--promises", action="store_true", help="print the promises that are checked and exit")
    options = parser.parse_args()
    if options.promises:
        print("\n".join(PROMISES))
        return 0
    if options.costs:
        print_costs()
        return 0
    if options.replay and options.times > 1:
        return _repeat(_story(options.replay, options), options)
    told = _replay(_story(options.replay, options), options) if options.replay else run(options)
    for one in told:
        for broken in one.broken:
            print(f"seed {one.story.seed}, {broken.at_s} s: {broken.promise}\n    {broken.what}")
    print("\n".join(summary(told)))
    if not options.replay:
        print(f"report: {write_report(told, BUILD)}")
        _cut(told)
    return 1 if any(one.broken for one in told) else 0
