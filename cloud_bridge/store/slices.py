"""Work of upkeep in slices: transactions that end when their time is spent, however much is left.

While one lasts, the recorder and every other writer of a SQLite file wait. How much can be done in that time depends on the
disk, the size of the tables and what else the machine does, so the time is measured, and looked at after every step. A step
is a few hundred rows: the last one ends some milliseconds late.
"""

import time
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from typing import NamedTuple, TypeVar

from sqlalchemy import Connection

# A quarter of what upkeep may keep others waiting (200 ms): a step, the commit and a busy machine come on top.
SLICE_S = 0.05
PAUSE_S = 0.005  # in which writers of other processes get in, who find SQLite locked and look again and again

_Part = TypeVar("_Part")
Writing = Callable[[], AbstractContextManager[Connection]]  # Database.writing_slice
Step = Callable[[Connection], bool]  # does a little; False: that was the last


class Timing(NamedTuple):
    """What slices go by."""

    now_s: Callable[[], float] = time.monotonic
    sleep: Callable[[float], object] = time.sleep


TIMING = Timing()


def in_slices(writing: Writing, step: Step, timing: Timing = TIMING) -> None:
    """Until all is done; `writing` makes the transactions. Raises SQLAlchemyError; what was done in earlier slices stays
    done."""
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
    """A step for each part. Nothing of them is read from the database in the meantime."""
    left = iter(parts)

    def step(connection: Connection) -> bool:
        for part in left:
            do(connection, part)
            return True
        return False

    return step
