"""`make mutants`, `python -m hil_tests.mutants [--count N] [--seed N]`: do the rooms' own tests notice a mistake?

Of all places where the rooms could have a mistake a sample is drawn by the seed, which is printed: the same seed draws the
same ones of the same tree. Each is made in a copy of the tree, where the tests that come by run, the module's own ones
first. Prints each mistake that no test has noticed, with the reason if it is argued (argued.toml). Exits 1 if fewer than
90 % were noticed, argued or not.
"""

import argparse
import os
import random
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from queue import SimpleQueue
from typing import TypeVar

from hil_tests.fixtures.progress import bar
from hil_tests.mutants.argued import FILE, Argued, argued, reason
from hil_tests.mutants.copies import CHECKOUT, Copy, exclusive_lock
from hil_tests.mutants.operators import Mutant, difference, mutants
from hil_tests.mutants.rooms import ROOMS, draw, report, room_of

COUNT = 500
KILLED_LEAST = 0.9
WORKERS = os.cpu_count() or 1

Task = TypeVar("Task")
Answer = TypeVar("Answer")


def files_below(begin: str, names: str = "*.py") -> list[str]:
    """The paths of the checkout that begin so."""
    folder = CHECKOUT / begin.partition("/")[0]
    paths = (str(file.relative_to(CHECKOUT)) for file in folder.rglob(names))
    return sorted(path for path in paths if path.startswith(begin))


def all_mutants(begins: list[str]) -> list[Mutant]:
    """Of all sampled files whose paths begin so, in the order of their places."""
    paths = {path for begin in begins for path in files_below(begin) if room_of(path)}
    return [mutant for path in sorted(paths) for mutant in mutants(path, (CHECKOUT / path).read_text())]


def by_all(copies: list[Copy], what: str, tasks: list[Task], ask: Callable[[Copy, Task], Answer]) -> list[Answer]:
    """The answers to all tasks, in their order; each is asked of a copy that has nothing else to do."""
    free: SimpleQueue[Copy] = SimpleQueue()
    for one in copies:
        free.put(one)
    done: list[object] = []

    def answer(task: Task) -> Answer:
        taken = free.get()
        try:
            return ask(taken, task)
        finally:
            done.append(task)
            free.put(taken)

    with bar(what, len(tasks), lambda: len(done)), ThreadPoolExecutor(len(copies)) as threads:
        return list(threads.map(answer, tasks))


def survivors(sample: list[Mutant], reasons: list[Argued]) -> list[Mutant]:
    """Those that no test notices."""
    rooms = {room_of(mutant.path) for mutant in sample}
    paths = [path for room in ROOMS if room in rooms for path in files_below(room)]
    tests = [path for room, begin in ROOMS.items() if room in rooms for path in files_below(begin, "test_*.py")]
    with exclusive_lock(), ExitStack() as stack:
        copies = [stack.enter_context(Copy(str(number + 1))) for number in range(WORKERS)]
        for one in copies:
            one.mark(paths)
        measured = by_all(copies, "what tests reach", tests, Copy.measure)
        items = {item: seen for file in measured for item, seen in file.items.items() if item not in file.failed}
        print(*(f"not asked: {item}" for file in measured for item in file.failed), sep="\n", flush=True)
        for one in copies:
            one.unmark(paths)
        left = by_all(copies, "mutants", sample, lambda one, mutant: told(mutant, one.survives(mutant, items), reasons))
    return [mutant for mutant, survived in zip(sample, left, strict=True) if survived]


def told(mutant: Mutant, survived: bool, reasons: list[Argued]) -> bool:
    """The same, said at once: a long run is read while it goes on."""
    if survived:
        why = reason(mutant, reasons)
        print(f"\n{mutant.name}\n{difference(mutant)}", *[f"argued: {why}"] * bool(why), sep="\n", flush=True)
    return survived


def main() -> int:
    """Exit code 1 if too many survive."""
    parser = argparse.ArgumentParser(prog="python -m hil_tests.mutants", description=__doc__)
    parser.add_argument("--count", type=int, default=COUNT, help="mutants to run (%(default)s)")
    parser.add_argument("--seed", type=int, default=random.randrange(10_000), help="of the sample")
    parser.add_argument(
        "--rooms", nargs="+", default=list(ROOMS), help="what the paths begin with: firmware/link/mqtt.py"
    )
    parser.add_argument("--replay", nargs="+", metavar="NAME", help="these mutants alone, as a report names them")
    asked = parser.parse_args()
    started_s = time.monotonic()
    made = all_mutants(asked.rooms)
    if asked.replay:
        made = [mutant for mutant in made if mutant.name in asked.replay]
    if not made:
        parser.error("there is no such mutant")
    sample = draw(made, asked.count, asked.seed)
    print(f"seed {asked.seed}: {len(sample)} of {len(made)} mutants", flush=True)
    reasons = argued(FILE.read_text())
    left = survivors(sample, reasons)
    print(f"\nseed {asked.seed}, {(time.monotonic() - started_s) / 60:.1f} minutes")
    print(*report(sample, left, reasons), sep="\n")
    return 0 if len(left) <= (1 - KILLED_LEAST) * len(sample) else 1


if __name__ == "__main__":
    sys.exit(main())
