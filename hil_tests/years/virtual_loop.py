"""An event loop on virtual time: when nothing is ready, it advances the clock to the next timer instead of waiting.

Its network is in memory: a connection to a port of this loop is a pair of transports. The loop opens no sockets, starts
no threads and never sleeps, so the seed alone decides what happens.
"""

import asyncio
import asyncio.base_events
import heapq
from collections import deque
from collections.abc import Callable
from concurrent.futures import Executor
from typing import Any

CANCELLED_MAX = 200  # cancelled timers kept in the heap

Protocols = Callable[[], asyncio.BaseProtocol]


class Stalled(RuntimeError):
    """Nothing is ready and no timer is set, so the story cannot continue to its end."""


class VirtualLoop(asyncio.base_events.BaseEventLoop):
    """`time` begins at 0 and is in seconds."""

    # Attributes of BaseEventLoop:
    _scheduled: list[Any]  # timers, by time
    _ready: deque[Any]
    _stopping: bool
    _timer_cancelled_count: int

    def __init__(self) -> None:
        super().__init__()
        self._now_s = 0.0
        self._clock_resolution = 1e-6  # more than the distance of two floats after ten years
        self._ports: dict[int, Protocols] = {}

    # The interface of an asyncio loop.

    def time(self) -> float:
        return self._now_s

    def _run_once(self) -> None:
        """Run what is ready, or advance to the next timer. Replaces asyncio's own method, which polls sockets."""
        ready, scheduled = self._ready, self._scheduled
        if self._timer_cancelled_count > CANCELLED_MAX:
            self._drop_cancelled()
        while scheduled and scheduled[0]._cancelled:
            heapq.heappop(scheduled)._scheduled = False
            self._timer_cancelled_count -= 1
        if not ready and not self._stopping:
            if not scheduled:
                raise Stalled
            self._now_s = max(self._now_s, scheduled[0]._when)
        over_s = self._now_s + self._clock_resolution
        while scheduled and scheduled[0]._when < over_s:
            timer = heapq.heappop(scheduled)
            timer._scheduled = False
            ready.append(timer)
        for _ in range(len(ready)):
            handle = ready.popleft()
            if not handle._cancelled:
                handle._run()

    def _drop_cancelled(self) -> None:
        """Remove cancelled timers that are not due yet."""
        for timer in self._scheduled:
            timer._scheduled = not timer._cancelled
        self._scheduled[:] = [timer for timer in self._scheduled if timer._scheduled]
        heapq.heapify(self._scheduled)
        self._timer_cancelled_count = 0

    def _write_to_self(self) -> None:
        """Do nothing: no other thread can call in."""

    def run_in_executor(self, executor: Executor | None, func: Callable[..., Any], *args: Any) -> asyncio.Future[Any]:  # type: ignore[override]
        """Call the function at once, on this thread."""
        done = self.create_future()
        try:
            done.set_result(func(*args))
        except Exception as error:
            done.set_exception(error)
        return done

    async def create_connection(  # type: ignore[override]
        self, protocol_factory: Protocols, host: str, port: int, **_: Any
    ) -> tuple[asyncio.Transport, asyncio.BaseProtocol]:
        """Connect to a port of this loop. Raise ConnectionRefusedError if nothing listens there."""
        if port not in self._ports:
            raise ConnectionRefusedError(port)
        near, far = MemoryTransport(self), MemoryTransport(self)
        near.far, far.far = far, near
        near.protocol, far.protocol = protocol_factory(), self._ports[port]()
        far.protocol.connection_made(far)
        near.protocol.connection_made(near)
        return near, near.protocol

    # Additions of this loop.

    def listen(self, port: int, protocol_factory: Protocols | None) -> None:
        """Accept connections to this port from now on, or refuse them if `protocol_factory` is None."""
        if protocol_factory is None:
            self._ports.pop(port, None)
        else:
            self._ports[port] = protocol_factory


class MemoryTransport(asyncio.Transport):
    """One end of a connection. Written data arrives at the far end in the next turn of the loop."""

    far: "MemoryTransport"
    protocol: Any

    def __init__(self, loop: VirtualLoop) -> None:
        super().__init__()
        self._loop = loop
        self._closing = False

    def write(self, data: bytes) -> None:  # type: ignore[override]
        if not self._closing:
            self._loop.call_soon(self.far.arrive, bytes(data))

    def arrive(self, data: bytes) -> None:
        if not self._closing:
            self.protocol.data_received(data)

    def close(self) -> None:
        """Close the connection. The far end first reads what was written, then the end of the stream."""
        if not self._closing:
            self._closing = True
            self._loop.call_soon(self.far.end)
            self._loop.call_soon(self.protocol.connection_lost, None)

    def end(self) -> None:
        if not self._closing:
            self.protocol.eof_received()
            self.close()

    def abort(self) -> None:
        self.close()

    def write_eof(self) -> None:
        self.close()

    def can_write_eof(self) -> bool:
        return True

    def is_closing(self) -> bool:
        return self._closing

    def get_write_buffer_size(self) -> int:
        return 0

    def pause_reading(self) -> None:
        """Do nothing: data is passed on as it arrives."""

    def resume_reading(self) -> None:
        """Do nothing, as reading is never paused."""

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """Do nothing: there is no write buffer."""

    def get_protocol(self) -> asyncio.BaseProtocol:
        return self.protocol  # type: ignore[no-any-return]

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        self.protocol = protocol
