"""What processes have taken of the processors, and for how long they have waited for one: on a machine that others use too,
the time on the wall says more of them than of us.
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
    """Of some processes so far, all threads together (https://docs.kernel.org/scheduler/sched-stats.html)."""

    running_ms: float
    waiting_ms: float  # ready to run, while others had the processors

    @classmethod
    def of(cls, pids: Iterable[int]) -> "Scheduled":
        """Those that still run."""
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
    """Of all processes of the machine so far, and of its kernel for them."""
    user, nice, system, _idle, _iowait, interrupts, soft_interrupts = map(
        int, Path("/proc/stat").read_text().split(maxsplit=8)[1:8]
    )
    return (user + nice + system + interrupts + soft_interrupts) / TICKS


def descendants_cpu_s() -> float:
    """Of this process and of all that it has started, and these in turn; those that have ended and were waited for too."""
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
    """All its processes now."""
    with psycopg.connect(server.url) as connection:
        parent = int(_fields(Path(f"/proc/{connection.info.backend_pid}"))[1])
    found = [parent]
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it has ended meanwhile
            if int(_fields(folder)[1]) == parent:
                found.append(int(folder.name))
    return found


def server_s(server: Server) -> float:
    """User and system time of all the server's processes, those that have ended too."""
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
    """Of the process, from its state on."""
    return (folder / "stat").read_text().rpartition(")")[2].split()
