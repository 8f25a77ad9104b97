"""The attackers in a separate process and session, which gets the processor time that others leave.

In reality they run on other machines. Linux puts each session into its own autogroup (sched(7)), and all autogroups have equal
shares: the nice value of a process or a thread only counts within its own group, and the bridge is in another. Therefore the
nice value of the whole group is raised.
"""

import multiprocessing
import os
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection
from pathlib import Path
from typing import NamedTuple

from hil_tests.fixtures.children import die_with_parent
from hil_tests.siege.attack import NICE, Attack, Target

END_WITHIN_S = 120.0
AUTOGROUP = Path("/proc/self/autogroup")


class AttackersFailed(Exception):
    """The process ended without a report, or did not end in time."""


class Report(NamedTuple):
    """What one attacker did, and the faults of the bridge that it found."""

    name: str
    counts: Counter[str]
    faults: list[str]


class AttackersApart:
    """Attackers that run until `end`."""

    def __init__(self, process: "multiprocessing.process.BaseProcess", pipe: "Connection[None, list[Report]]") -> None:
        self._process, self._pipe = process, pipe

    def end(self) -> list[Report]:
        """End the attack and return the reports. Raises AttackersFailed."""
        try:
            self._pipe.send(None)
            if self._pipe.poll(END_WITHIN_S):
                return self._pipe.recv()
        except (EOFError, OSError):
            raise AttackersFailed(f"the attackers' process ended: {self._process.exitcode}") from None
        raise AttackersFailed(f"the attackers did not end within {END_WITHIN_S:.0f} s")

    def kill(self) -> None:
        """Kill the process."""
        self._process.kill()
        self._process.join()
        self._pipe.close()


@contextmanager
def attacking(attackers: dict[str, Callable[[Attack], None]], target: Target, seed: int) -> Iterator[AttackersApart]:
    """Run all attackers, each on its own thread of one process."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_attack, args=(theirs, attackers, target, seed), name="attackers", daemon=True)
    process.start()
    theirs.close()
    apart = AttackersApart(process, ours)
    try:
        yield apart
    finally:
        apart.kill()


def _attack(
    pipe: "Connection[list[Report], None]", attackers: dict[str, Callable[[Attack], None]], target: Target, seed: int
) -> None:
    """Attack until a message comes through the pipe or its other end is closed. Runs in the process."""
    die_with_parent()
    os.setsid()
    with suppress(OSError):  # without autogroups, the nice value of each thread counts (attack.py)
        AUTOGROUP.write_text(str(NICE))
    over = threading.Event()
    attacks = [Attack(name, target, seed, over) for name in attackers]
    threads = [threading.Thread(target=one.run, args=(attackers[one.name],), name=one.name) for one in attacks]
    for thread in threads:
        thread.start()
    with suppress(EOFError):
        pipe.recv()
    over.set()
    for thread in threads:
        thread.join()
    pipe.send([Report(one.name, one.counts, one.faults) for one in attacks])
