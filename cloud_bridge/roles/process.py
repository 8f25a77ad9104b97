"""What the process of every role needs: enough open files, an end by signal, rare garbage collections."""

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

ENDING = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)  # SIGHUP: when a terminal is closed

# Threads of asyncio.to_thread, which all duties, commands and open pages use. The default depends on the number of
# processors: on two of them, six slow duties would keep all others waiting.
THREADS = 32

Duty = Coroutine[Any, Any, object]  # runs for ever


def raise_file_limit() -> None:
    """Raise the soft limit of open files, often 1,024, to the hard limit, which the operator sets: every connection is
    an open file."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def connection_budget() -> Budget:
    """The number of connections that fit the files that this process may open."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return divide(soft if soft != resource.RLIM_INFINITY else sys.maxsize)


def have_threads() -> None:
    """Set the number of threads of the running event loop. To be called before any thread is used."""
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(THREADS, "work"))


def end_by_signal(end: Callable[[], None]) -> None:
    for number in ENDING:
        if signal.getsignal(number) is not signal.SIG_IGN:  # nohup has SIGHUP ignored
            asyncio.get_running_loop().add_signal_handler(number, end)


async def do_beside(duties: Sequence[Duty], work: Duty) -> None:
    """Run the duties until the work is done. The error of a duty ends the work, and is raised."""
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
    """Make full garbage collections rare: each walks over every unit and session and stops the process for that long.
    What exists now is never freed, and what is created later is freed by reference counting, except for a few
    cycles."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 50, 100)
