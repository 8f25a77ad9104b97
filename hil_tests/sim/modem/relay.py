"""One TCP connection of the modem: a real loopback socket, with the simulated air in between.

Without coverage nothing moves in either direction and neither side is notified: a half-open connection. It continues if
coverage returns in time.
"""

import asyncio
import contextlib
from collections.abc import Callable
from typing import Protocol

SEND_WINDOW_BYTES = 5840  # four segments; what the modem accepts before the far end has acknowledged any
RECEIVE_WINDOW_BYTES = 8192
SEGMENT_BYTES = 1460


class Carrier(Protocol):
    """Carries one segment, or its acknowledgement, through the air."""

    async def __call__(self) -> None: ...


class Relay:
    """Both directions of one open connection. The modem turns `on_data` and `on_closed` into URCs."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        cross: Carrier,
        on_data: Callable[[], None],
        on_closed: Callable[[], None],
    ) -> None:
        self._reader, self._writer, self._cross = reader, writer, cross
        self._on_data, self._on_closed = on_data, on_closed
        self._unsent = bytearray()
        self._received = bytearray()
        self._stirred = asyncio.Event()
        self._room = asyncio.Event()
        self._progress = asyncio.Event()  # something was acknowledged, or the connection has ended
        self.accepted_bytes = 0
        self.acknowledged_bytes = 0
        self.open = True
        self._tasks = [asyncio.create_task(self._uplink()), asyncio.create_task(self._downlink())]

    @property
    def unacknowledged_bytes(self) -> int:
        """Bytes taken from the UART and not yet acknowledged by the far end."""
        return self.accepted_bytes - self.acknowledged_bytes

    @property
    def waiting_bytes(self) -> int:
        """Bytes that have arrived and were not yet read over the UART."""
        return len(self._received)

    def send(self, chunk: bytes) -> int:
        """Accept as many bytes as the send window has room for. Return how many."""
        accepted = chunk[: max(0, SEND_WINDOW_BYTES - self.unacknowledged_bytes)]
        self._unsent += accepted
        self.accepted_bytes += len(accepted)
        self._stirred.set()
        return len(accepted)

    def take(self, limit: int) -> bytes:
        """Return up to `limit` of the bytes that have arrived."""
        taken = bytes(self._received[:limit])
        del self._received[:limit]
        self._room.set()
        return taken

    async def flushed(self) -> None:
        """Wait until all accepted bytes are acknowledged, or the connection has ended."""
        goal = self.accepted_bytes
        while self.open and self.acknowledged_bytes < goal:
            self._progress.clear()
            await self._progress.wait()

    def close(self) -> None:
        """Close from this side. The far end reads end of file."""
        self.abandon()
        self._writer.close()

    def abandon(self) -> None:
        """Drop the connection without notifying the far end, which keeps it open."""
        self.open = False
        self._progress.set()
        for task in self._tasks:
            if task is not asyncio.current_task():
                task.cancel()

    def reset(self) -> None:
        """Close the real socket of an abandoned connection."""
        self._writer.transport.abort()

    async def _uplink(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                await self._stirred.wait()
                self._stirred.clear()
                chunk = bytes(self._unsent)
                self._unsent.clear()
                await self._cross()
                self._writer.write(chunk)
                await self._writer.drain()
                await self._cross()
                self.acknowledged_bytes += len(chunk)
                self._progress.set()
        self._over()

    async def _downlink(self) -> None:
        with contextlib.suppress(OSError):
            while chunk := await self._reader.read(SEGMENT_BYTES):
                await self._cross()
                while len(self._received) >= RECEIVE_WINDOW_BYTES:
                    self._room.clear()
                    await self._room.wait()
                self._received += chunk
                self._on_data()
        await self._cross()
        self._over()

    def _over(self) -> None:
        if self.open:
            self.close()
            self._on_closed()
