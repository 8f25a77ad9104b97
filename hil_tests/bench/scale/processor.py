"""The processor time of processes, and how long they waited for a processor.

On a shared machine the wall time depends on other programs more than on the measured ones.
"""

import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import psycopg

from hil_tests.bench.cloud.load import TICKS
from hil_tests.fixtures.postgresql import Server


class Scheduled(NamedTuple):
    """Totals of some processes so far, all threads together (https://docs.kernel.org/scheduler/sched-stats.html)."""

    running_ms: float
    waiting_ms: float  # ready to run, while other programs had the processors

    @classmethod
    def of(cls, pids: Iterable[int]) -> "Scheduled":
        """Read the totals of those processes that still run."""
        running_ns = waiting_ns = 0
        for pid in pids:
            for task in Path(f"/proc/{pid}/task").glob("*/schedstat"):
                with suppress(OSError):  # it has just ended
                    ran, waited, _ = map(int, task.read_text().split())
                    running_ns += ran
                    waiting_ns += waited
        return cls(running_ns / 1e6, waiting_ns / 1e6)

    def since(self, before: "Scheduled") -> "Scheduled":
        return Scheduled(self.running_ms - before.running_ms, self.waiting_ms - before.waiting_ms)


def machine_cpu_s() -> float:
    """Return the processor time of all processes of the machine so far, with the kernel's work for them."""
    user, nice, system, _idle, _iowait, interrupts, soft_interrupts = map(
        int, Path("/proc/stat").read_text().split(maxsplit=8)[1:8]
    )
    return (user + nice + system + interrupts + soft_interrupts) / TICKS


def descendants_cpu_s() -> float:
    """Return the processor time of this process and its descendants, including those that ended and were waited for."""
    fields_of: dict[int, list[str]] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it has ended meanwhile
            fields_of[int(folder.name)] = _fields(folder)
    ours, ticks = {os.getpid()}, 0
    while ours:
        ticks += sum(sum(map(int, fields_of[pid][11:15])) for pid in ours)
        ours = {pid for pid, fields in fields_of.items() if int(fields[1]) in ours}
    return ticks / TICKS


def server_pids(server: Server) -> list[int]:
    """Return the ids of the server's present processes."""
    with psycopg.connect(server.url) as connection:
        parent = int(_fields(Path(f"/proc/{connection.info.backend_pid}"))[1])
    found = [parent]
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it has ended meanwhile
            if int(_fields(folder)[1]) == parent:
                found.append(int(folder.name))
    return found


def server_s(server: Server) -> float:
    """Return the user and system time of all the server's processes, including those that ended."""
    with psycopg.connect(server.url) as connection:
        parent = int(_fields(Path(f"/proc/{connection.info.backend_pid}"))[1])
    ticks = 0
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            fields = _fields(folder)
        except OSError:  # it has ended meanwhile
            continue
        if int(folder.name) == parent:
            ticks += sum(map(int, fields[11:15]))
        elif int(fields[1]) == parent:
            ticks += sum(map(int, fields[11:13]))
    return ticks / TICKS


def _fields(folder: Path) -> list[str]:
    """Return the fields of the process's stat, from its state on."""
    return (folder / "stat").read_text().rpartition(")")[2].split()
