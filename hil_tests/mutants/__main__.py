"""Do the tests of the rooms notice a mistake? `make mutants`, `python -m hil_tests.mutants [--count N] [--seed N]`.

The seed, which is printed, draws a sample of all mutants. The same seed draws the same sample of the same tree. Each
mutant is made in a copy of the tree, where the tests run that call the mutated function, the module's own tests first.
Each survivor is printed, with the reason if it is argued (argued.toml). The exit code is 1 if less than 90 % were
killed.
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
    """Return the paths in the checkout that begin with `begin`."""
    folder = CHECKOUT / begin.partition("/")[0]
    paths = (str(file.relative_to(CHECKOUT)) for file in folder.rglob(names))
    return sorted(path for path in paths if path.startswith(begin))


def all_mutants(begins: list[str]) -> list[Mutant]:
    """Return the mutants of all sampled files whose paths begin with one of these, sorted by place."""
    paths = {path for begin in begins for path in files_below(begin) if room_of(path)}
    return [mutant for path in sorted(paths) for mutant in mutants(path, (CHECKOUT / path).read_text())]


def by_all(copies: list[Copy], what: str, tasks: list[Task], ask: Callable[[Copy, Task], Answer]) -> list[Answer]:
    """Return the answers to all tasks, in the order of the tasks. Each task goes to the next free copy."""
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
    """Return the mutants that survive all tests."""
    rooms = {room_of(mutant.path) for mutant in sample}
    paths = [path for room in ROOMS if room in rooms for path in files_below(room)]
    tests = [path for room, begin in ROOMS.items() if room in rooms for path in files_below(begin, "test_*.py")]
    with exclusive_lock(), ExitStack() as stack:
        copies = [stack.enter_context(Copy(str(number + 1))) for number in range(WORKERS)]
        for one in copies:
            one.mark(paths)
        measured = by_all(copies, "functions that tests call", tests, Copy.measure)
        items = {item: seen for file in measured for item, seen in file.items.items() if item not in file.failed}
        print(*(f"not asked: {item}" for file in measured for item in file.failed), sep="\n", flush=True)
        for one in copies:
            one.unmark(paths)
        left = by_all(copies, "mutants", sample, lambda one, mutant: told(mutant, one.survives(mutant, items), reasons))
    return [mutant for mutant, survived in zip(sample, left, strict=True) if survived]


def told(mutant: Mutant, survived: bool, reasons: list[Argued]) -> bool:
    """Return `survived`, and print a survivor at once, because a run takes long."""
    if survived:
        why = reason(mutant, reasons)
        print(f"\n{mutant.name}\n{difference(mutant)}", *[f"argued: {why}"] * bool(why), sep="\n", flush=True)
    return survived


def main() -> int:
    """Return exit code 1 if too many mutants survive, else 0."""
    parser = argparse.ArgumentParser(prog="python -m hil_tests.mutants", description=__doc__)
    parser.add_argument("--count", type=int, default=COUNT, help="mutants to run (%(default)s)")
    parser.add_argument("--seed", type=int, default=random.randrange(10_000), help="seed of the sample")
    parser.add_argument(
        "--rooms", nargs="+", default=list(ROOMS), help="beginnings of paths, such as firmware/link/mqtt.py"
    )
    parser.add_argument("--replay", nargs="+", metavar="NAME", help="only these mutants, by the names in a report")
    asked = parser.parse_args()
    started_s = time.monotonic()
    made = all_mutants(asked.rooms)
    if asked.replay:
        made = [mutant for mutant in made if mutant.name in asked.replay]
    if not made:
        parser.error("no mutant matches")
    sample = draw(made, asked.count, asked.seed)
    print(f"seed {asked.seed}: {len(sample)} of {len(made)} mutants", flush=True)
    reasons = argued(FILE.read_text())
    left = survivors(sample, reasons)
    print(f"\nseed {asked.seed}, {(time.monotonic() - started_s) / 60:.1f} minutes")
    print(*report(sample, left, reasons), sep="\n")
    return 0 if len(left) <= (1 - KILLED_LEAST) * len(sample) else 1


if __name__ == "__main__":
    sys.exit(main())
