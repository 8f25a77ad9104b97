"""Processes that work side by side, and how much they have done together, for the bar on the terminal."""

from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import Value
from multiprocessing.sharedctypes import Synchronized

_counter: "Synchronized[int]" = Value("i", 0)


def pool(processes: int) -> ProcessPoolExecutor:
    """What they count is counted here."""
    return ProcessPoolExecutor(processes, initializer=_use, initargs=(_counter,))


def one_more() -> None:
    with _counter.get_lock():
        _counter.value += 1


def done() -> int:
    return _counter.value


def done_since() -> Callable[[], int]:
    """What is done from now on."""
    before = done()
    return lambda: done() - before


def _use(counter: "Synchronized[int]") -> None:
    global _counter
    _counter = counter
