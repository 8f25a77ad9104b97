"""Hours of a simulated modem in seconds: an event loop whose clock jumps, and a port and a clock for blocking code on
it.

The simulator runs on the loop. The code under test blocks, as on the board; each of its waits runs the loop until bytes
arrive or the time is over. When nothing is to do, the loop's clock jumps to the next timer, so only work takes time.
"""

import asyncio
import selectors
from collections.abc import Callable
from typing import Any

# A local socket may need a moment of real time. A long jump waits for it first, so that it cannot jump past an answer.
LONG_JUMP_S = 0.5
MOMENT_S = 0.002
USUAL_BAUD = 115_200


class _Jumping(selectors.DefaultSelector):
    def __init__(self) -> None:
        super().__init__()
        self.now_s = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Return what is ready now. If nothing is, advance the clock by `timeout`."""
        ready = super().select(0)
        if not ready and (timeout is None or timeout > LONG_JUMP_S):
            ready = super().select(MOMENT_S)
        if not ready and timeout:
            self.now_s += timeout
        return ready


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop on a clock that jumps."""

    def __init__(self) -> None:
        self._jumping = _Jumping()
        super().__init__(self._jumping)

    def time(self) -> float:
        """Return virtual seconds."""
        return self._jumping.now_s

    def inside(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """Call a function inside the running loop, which it may need."""

        async def call() -> Any:
            return function(*arguments)

        return self.run_until_complete(call())

    def finish(self) -> None:
        """Cancel all tasks, and close the loop."""
        left = asyncio.all_tasks(self)
        for task in left:
            task.cancel()
        if left:
            self.run_until_complete(asyncio.gather(*left, return_exceptions=True))
        self.run_until_complete(asyncio.sleep(0))  # a closed socket is gone one turn later
        self.close()


class Enough(BaseException):
    """Raised to end endless code: what was awaited has happened, or the time is up."""


class Clock:
    """now_ms and sleep_ms of virtual time. `watch` is called in every wait, and may raise Enough."""

    def __init__(self, loop: VirtualLoop, watch: Callable[[], None] = lambda: None) -> None:
        self.loop = loop
        self.watch = watch

    def now_ms(self) -> int:
        """Return the ms since the beginning."""
        return int(self.loop.time() * 1000)

    def sleep_ms(self, ms: int) -> None:
        """Let virtual time pass."""
        self.watch()
        self.loop.run_until_complete(asyncio.sleep(ms / 1000))


class Port:
    """The client's end of a line without delay. The modem's end calls `receive`, and is called through `send`.

    `baud` is what the client has set.
    """

    def __init__(self, clock: Clock, send: Callable[[bytes], None]) -> None:
        self.baud = USUAL_BAUD
        self._clock = clock
        self._send = send
        self._inbox = bytearray()
        self._waiting = False

    def receive(self, chunk: bytes) -> None:
        """Handle bytes from the modem."""
        self._inbox += chunk
        if self._waiting:
            self._clock.loop.stop()

    def read(self) -> bytes:
        """Return the bytes that have arrived."""
        self._clock.watch()
        if not self._inbox:
            self._clock.loop.run_until_complete(asyncio.sleep(0))
        taken = bytes(self._inbox)
        self._inbox.clear()
        return taken

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Send all bytes at once."""
        self._clock.loop.inside(self._send, bytes(data))

    def wait(self, timeout_ms: int) -> bool:
        """Wait for bytes. Return False after `timeout_ms`."""
        self._clock.watch()
        if not self._inbox:
            loop = self._clock.loop
            timer = loop.call_later(timeout_ms / 1000, loop.stop)
            self._waiting = True
            loop.run_forever()
            self._waiting = False
            timer.cancel()
        return bool(self._inbox)

    def set_baud(self, baud: int) -> None:
        """Store the speed. It does not change how fast bytes pass."""
        self.baud = baud

    def close(self) -> None:
        """Do nothing: there is nothing to release."""
