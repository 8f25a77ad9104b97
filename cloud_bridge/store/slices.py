"""Upkeep work in slices: transactions that end when their time is used up, however much is left.

During a slice, the recorder and every other writer of a SQLite file wait. How much can be done in that time depends on
the disk, the size of the tables and the load of the machine, so the time is measured and checked after every step. A
step is a few hundred rows, so the last one ends some milliseconds late.
"""

import time
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from typing import NamedTuple, TypeVar

from sqlalchemy import Connection

# A quarter of the time for which upkeep may keep others waiting (200 ms): a step, the commit and a busy machine add to
# it.
SLICE_S = 0.05
PAUSE_S = 0.005  # lets in writers of other processes, which poll while SQLite is locked

_Part = TypeVar("_Part")
Writing = Callable[[], AbstractContextManager[Connection]]  # Database.writing_slice
Step = Callable[[Connection], bool]  # does a little of the work; False: that was the last step


class Timing(NamedTuple):
    """The clock and the pause that slices use."""

    now_s: Callable[[], float] = time.monotonic
    sleep: Callable[[float], object] = time.sleep


TIMING = Timing()


def in_slices(writing: Writing, step: Step, timing: Timing = TIMING) -> None:
    """Do all steps in slices; `writing` makes the transactions. Raises SQLAlchemyError; what was done in earlier slices
    remains."""
    while True:
        with writing() as connection:
            end_s = timing.now_s() + SLICE_S
            while is_more := step(connection):
                if timing.now_s() >= end_s:
                    break
        if not is_more:
            return
        timing.sleep(PAUSE_S)


def one_by_one(parts: Iterable[_Part], do: Callable[[Connection, _Part], object]) -> Step:
    """Make a step for each part. The parts must not be read from the database meanwhile."""
    left = iter(parts)

    def step(connection: Connection) -> bool:
        for part in left:
            do(connection, part)
            return True
        return False

    return step
