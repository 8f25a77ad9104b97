"""A bar on the terminal while long work goes on; nothing where nobody looks: a file, a pipe, CI."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

LOOK_S = 0.5


@contextmanager
def bar(what: str, total: int, done: Callable[[], int]) -> Iterator[None]:
    """Shows how much of `total` is `done`, which is asked on a thread of its own."""
    screen = Console(stderr=True)
    columns = (TextColumn(what), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TimeRemainingColumn())
    over = threading.Event()
    with Progress(*columns, console=screen, disable=not screen.is_terminal) as progress:
        task = progress.add_task(what, total=total)

        def follow() -> None:
            while not over.wait(LOOK_S):
                progress.update(task, completed=done())

        looking = threading.Thread(target=follow, name="progress", daemon=True)
        looking.start()
        try:
            yield
        finally:
            over.set()
            looking.join()
            progress.update(task, completed=done())
