"""An event loop in a thread of its own, for code that is written as plain steps, such as a test."""

import asyncio
import threading
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")
CALL_WITHIN_S = 60


class Background:
    """Runs coroutines and calls on its loop and hands back what they return or raise."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="rig", daemon=True)
        self._thread.start()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Waits for a coroutine."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(CALL_WITHIN_S)

    def call(self, function: Callable[..., T], *arguments: Any) -> T:
        """Waits for a plain call made on the loop's thread."""

        async def work() -> T:
            return function(*arguments)

        return self.run(work())

    def close(self) -> None:
        """Ends the loop and its thread."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
