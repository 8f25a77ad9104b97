"""What the process of every role has: open files, an end by signal, rare collections."""

import asyncio
import gc
import resource
import signal
import sys
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

from cloud_bridge.connection_limits import Budget, divide

ENDING = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)  # the last when a terminal is closed

# Of asyncio.to_thread, by which each duty works, and commands and open pages beside them. Its own number goes by
# processors: on two of them six slow duties would keep all others waiting.
THREADS = 32

Duty = Coroutine[Any, Any, object]  # goes on for ever


def raise_file_limit() -> None:
    """Every connection is an open file, and the soft limit is often 1,024: up to the hard one, which is the operator's."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def connection_budget() -> Budget:
    """For the files that this process may open."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return divide(soft if soft != resource.RLIM_INFINITY else sys.maxsize)


def have_threads() -> None:
    """For the running event loop; before anything is done in one."""
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(THREADS, "work"))


def end_by_signal(end: Callable[[], None]) -> None:
    for number in ENDING:
        if signal.getsignal(number) is not signal.SIG_IGN:  # as nohup has it for SIGHUP
            asyncio.get_running_loop().add_signal_handler(number, end)


async def do_beside(duties: Sequence[Duty], work: Duty) -> None:
    """The duties until the work is done. The error of a duty ends the work, and is raised."""
    tasks = [asyncio.ensure_future(duty) for duty in duties]
    working = asyncio.ensure_future(work)
    try:
        await asyncio.wait({working, *tasks}, return_when=asyncio.FIRST_COMPLETED)
        for task in (working, *tasks):
            if task.done():
                task.result()
    finally:
        for task in (working, *tasks):
            task.cancel()
        for task in (working, *tasks):
            with suppress(asyncio.CancelledError, Exception):  # the first error is being raised
                await task


def collect_less_garbage() -> None:
    """A full collection walks over every unit and session and stops the process for that long. What is there now stays
    for good, and what comes later is freed by reference counting but for a few cycles."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 50, 100)
