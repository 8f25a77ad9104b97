"""How long a process waits because the computer has no processor free for it, as Linux counts it (proc(5)).

A thread that is stopped, sleeps, or waits for a file or a lock does not wait for a processor, and neither does one that
runs.
"""

import contextlib
from pathlib import Path
from typing import NamedTuple


class Thread(NamedTuple):
    """What was read about one thread."""

    ran_ns: int
    waited_ns: int  # of waits that have ended
    is_ready: bool  # it runs, or waits for a processor
    since_s: float  # when `ran_ns` was first seen with this value


class Waits:
    """The waits of one process; the pid may change between calls."""

    def __init__(self) -> None:
        self._threads: dict[str, Thread] = {}

    def longest_s(self, pid: int, now_s: float) -> float:
        """Return the longest wait of a thread: the sum of its waits that ended since the last call, or a wait in
        progress.

        0 for a process that has ended, and where the kernel does not count waits.
        """
        before, self._threads = self._threads, {}
        longest_s = 0.0
        with contextlib.suppress(OSError):
            for folder in Path(f"/proc/{pid}/task").iterdir():
                thread = _read(folder, now_s)
                known = before.get(folder.name, thread)
                if thread.is_ready and thread.ran_ns == known.ran_ns:
                    thread = thread._replace(since_s=known.since_s)
                self._threads[folder.name] = thread
                longest_s = max(longest_s, (thread.waited_ns - known.waited_ns) / 1e9, now_s - thread.since_s)
        return longest_s


def _read(folder: Path, now_s: float) -> Thread:
    ran_ns, waited_ns, _ = map(int, (folder / "schedstat").read_text().split())
    state = (folder / "stat").read_text().rpartition(")")[2].split()[0]
    return Thread(ran_ns, waited_ns, state == "R", now_s)
