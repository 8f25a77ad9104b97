"""An event loop whose time is virtual: where nothing is ready it does not wait, it moves on to what is due next.

It has a network of its own: a connection to a port of this loop is two ends in memory. Nothing here opens a socket, starts a
thread or sleeps, so what runs on it is decided by its seed alone.
"""

import asyncio
import asyncio.base_events
from collections.abc import Callable
from concurrent.futures import Executor
from typing import Any

Protocols = Callable[[], asyncio.BaseProtocol]


class Stalled(RuntimeError):
    """Nothing is ready and nothing is due: the world has come to its end before the story has."""


class VirtualLoop(asyncio.base_events.BaseEventLoop):
    """`time` begins at 0."""

    _scheduled: list[asyncio.TimerHandle]  # of asyncio's own loop, by time

    def __init__(self) -> None:
        super().__init__()
        self._now_s = 0.0
        self._clock_resolution = 1e-6  # more than two floats are apart after ten years
        self._selector = self
        self._ports: dict[int, Protocols] = {}

    # What asyncio asks of a loop.

    def time(self) -> float:
        return self._now_s

    def select(self, timeout: float | None) -> list[Any]:
        """In the place of a selector: there is nothing to watch, so the time is over at once."""
        if timeout is None:
            raise Stalled
        self._now_s += timeout
        if self._scheduled and timeout > 0:  # exactly, whatever was rounded
            self._now_s = max(self._now_s, min(self._scheduled[0].when(), self._now_s + 1e-6))
        return []

    def _process_events(self, event_list: list[Any]) -> None:
        """None come from outside."""

    def _write_to_self(self) -> None:
        """Nobody else is there who could call."""

    def run_in_executor(self, executor: Executor | None, func: Callable[..., Any], *args: Any) -> asyncio.Future[Any]:  # type: ignore[override]
        """At once, on this thread."""
        done = self.create_future()
        try:
            done.set_result(func(*args))
        except Exception as error:
            done.set_exception(error)
        return done

    async def create_connection(  # type: ignore[override]
        self, protocol_factory: Protocols, host: str, port: int, **_: Any
    ) -> tuple[asyncio.Transport, asyncio.BaseProtocol]:
        """Raises ConnectionRefusedError where nobody listens."""
        if port not in self._ports:
            raise ConnectionRefusedError(port)
        near, far = MemoryTransport(self), MemoryTransport(self)
        near.far, far.far = far, near
        near.protocol, far.protocol = protocol_factory(), self._ports[port]()
        far.protocol.connection_made(far)
        near.protocol.connection_made(near)
        return near, near.protocol

    # What is its own.

    def listen(self, port: int, protocol_factory: Protocols | None) -> None:
        """Take connections to this port from now on; None: refuse them."""
        if protocol_factory is None:
            self._ports.pop(port, None)
        else:
            self._ports[port] = protocol_factory


class MemoryTransport(asyncio.Transport):
    """One end of a connection. What is written arrives at the far end in the next turn of the loop."""

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
        """The far end reads what was written before, and then the end."""
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
        """Its readers are never behind."""

    def resume_reading(self) -> None:
        """As above."""

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """There is no buffer."""

    def get_protocol(self) -> asyncio.BaseProtocol:
        return self.protocol  # type: ignore[no-any-return]

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        self.protocol = protocol
