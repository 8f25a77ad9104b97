"""Hours of a simulated modem in seconds: an event loop whose clock jumps, and a port and a clock for blocking code on it.

The simulator lives on the loop. The code under test blocks, as on the board; each of its waits runs the loop until bytes
come or the time is over. When nothing is to be done the loop's clock jumps to the next timer, so only work takes time.
"""

import asyncio
import selectors
from collections.abc import Callable
from typing import Any

# A socket of this machine may need a moment of real time; a long jump waits for it, so as not to jump past an answer.
LONG_JUMP_S = 0.5
MOMENT_S = 0.002
USUAL_BAUD = 115_200


class _Jumping(selectors.DefaultSelector):
    def __init__(self) -> None:
        super().__init__()
        self.now_s = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """What is ready now; else the clock moves by `timeout`."""
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
        """Virtual seconds."""
        return self._jumping.now_s

    def inside(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """Calls a function as if from the loop, which it may need to be running."""

        async def call() -> Any:
            return function(*arguments)

        return self.run_until_complete(call())

    def finish(self) -> None:
        """Ends every task that is left, and the loop."""
        left = asyncio.all_tasks(self)
        for task in left:
            task.cancel()
        if left:
            self.run_until_complete(asyncio.gather(*left, return_exceptions=True))
        self.run_until_complete(asyncio.sleep(0))  # a socket that was closed is gone a turn later
        self.close()


class Enough(BaseException):
    """What was waited for has happened, or the time is up: it ends code that would run for ever."""


class Clock:
    """now_ms and sleep_ms of virtual time. `watch` is called in every wait, and may raise Enough."""

    def __init__(self, loop: VirtualLoop, watch: Callable[[], None] = lambda: None) -> None:
        self.loop = loop
        self.watch = watch

    def now_ms(self) -> int:
        """Since the beginning."""
        return int(self.loop.time() * 1000)

    def sleep_ms(self, ms: int) -> None:
        """Lets the world go on."""
        self.watch()
        self.loop.run_until_complete(asyncio.sleep(ms / 1000))


class Port:
    """The client's end of a line without delay. The modem's end: `receive` takes what the modem says, `send` is called.

    `baud` is what the client has set.
    """

    def __init__(self, clock: Clock, send: Callable[[bytes], None]) -> None:
        self.baud = USUAL_BAUD
        self._clock = clock
        self._send = send
        self._inbox = bytearray()
        self._waiting = False

    def receive(self, chunk: bytes) -> None:
        """Bytes from the modem."""
        self._inbox += chunk
        if self._waiting:
            self._clock.loop.stop()

    def read(self) -> bytes:
        """What is there."""
        self._clock.watch()
        if not self._inbox:
            self._clock.loop.run_until_complete(asyncio.sleep(0))
        taken = bytes(self._inbox)
        self._inbox.clear()
        return taken

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """All of it, at once."""
        self._clock.loop.inside(self._send, bytes(data))

    def wait(self, timeout_ms: int) -> bool:
        """Until bytes are there; False when `timeout_ms` have passed."""
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
        """Bytes pass as fast as ever; who cares for the speed reads `baud`."""
        self.baud = baud

    def close(self) -> None:
        """Nothing to give back."""
