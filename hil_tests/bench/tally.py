"""Parallel processes with a common count of what they have done, for the progress bar."""

from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import Value
from multiprocessing.sharedctypes import Synchronized

_counter: "Synchronized[int]" = Value("i", 0)


def pool(processes: int) -> ProcessPoolExecutor:
    """Return a pool whose processes count into this process's counter."""
    return ProcessPoolExecutor(processes, initializer=_use, initargs=(_counter,))


def one_more() -> None:
    with _counter.get_lock():
        _counter.value += 1


def done() -> int:
    return _counter.value


def done_since() -> Callable[[], int]:
    """Return a function that counts what is done from now on."""
    before = done()
    return lambda: done() - before


def _use(counter: "Synchronized[int]") -> None:
    global _counter
    _counter = counter
