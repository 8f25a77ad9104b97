"""An event loop in a thread of its own, for code that is written as plain steps, such as a test."""

import asyncio
import inspect
import threading
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")
CALL_WITHIN_S = 60


class Background:
    """Runs coroutines and calls on its loop and hands back what they return or raise."""

    def __init__(self) -> None:
        self._runner = asyncio.Runner(loop_factory=asyncio.new_event_loop)
        self._loop = self._runner.get_loop()
        self._thread = threading.Thread(target=self._serve, name="rig", daemon=True)
        self._thread.start()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Waits for a coroutine."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(CALL_WITHIN_S)

    def call(self, function: Callable[..., T | Awaitable[T]], *arguments: Any) -> T:
        """Waits for a call made on the loop's thread, plain or not."""

        async def work() -> T:
            result = function(*arguments)
            return await result if inspect.isawaitable(result) else result

        return self.run(work())

    def close(self) -> None:
        """Ends the loop and its thread, and cancels what was still running on it."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    def _serve(self) -> None:
        """On the thread; its end too, because a test of pages has a loop of Playwright's on its own."""
        self._loop.run_forever()
        self._runner.close()
