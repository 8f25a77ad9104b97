"""Many OCPP 1.6 charge points over WebSockets in one process, which send only Heartbeat."""

import asyncio
import json
import time
from types import TracebackType
from typing import Any

import websockets


class OcppFleet:
    """The charge points, connected inside the `with` block, on their own event loop."""

    def __init__(self, port: int, units: int) -> None:
        self._port, self._units = port, units
        self._loop = asyncio.new_event_loop()
        self._connections: list[Any] = []

    def __enter__(self) -> "OcppFleet":
        self._loop.run_until_complete(self._connect())
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _at: TracebackType | None
    ) -> None:
        for connection in self._connections:
            connection.transport.abort()
        self._loop.run_until_complete(asyncio.sleep(0))
        self._loop.close()

    def press(self, window: int, seconds: float) -> int:
        """Keep `window` heartbeats of every unit unanswered for `seconds`. Return how many were answered."""
        return self._loop.run_until_complete(self._press(window, seconds))

    async def _connect(self) -> None:
        for number in range(self._units):
            self._connections.append(
                await websockets.connect(
                    f"ws://127.0.0.1:{self._port}/cp{number}",
                    subprotocols=[websockets.Subprotocol("ocpp1.6")],
                    compression=None,
                )
            )

    async def _press(self, window: int, seconds: float) -> int:
        end_s = time.monotonic() + seconds
        return sum(await asyncio.gather(*[_beat(one, window, end_s) for one in self._connections]))


async def _beat(connection: Any, window: int, end_s: float) -> int:
    sent = answered = 0
    while sent < window:
        await _send(connection, sent)
        sent += 1
    while answered < sent:
        await connection.recv()
        answered += 1
        if time.monotonic() < end_s:
            await _send(connection, sent)
            sent += 1
    return answered


async def _send(connection: Any, number: int) -> None:
    await connection.send(json.dumps([2, str(number), "Heartbeat", {}]))
