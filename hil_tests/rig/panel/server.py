"""Serve the panel on the loopback interface, in the unit's event loop."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Iterator

import uvicorn

from hil_tests.rig.panel.app import create_app
from hil_tests.rig.panel.cloud_side import CloudSide
from hil_tests.rig.unit import Unit
from hil_tests.sim.car_account import CarAccount


class _Server(uvicorn.Server):
    """A server that leaves the signals to the program that started the rig."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture no signals."""
        yield


@contextlib.asynccontextmanager
async def serving(
    unit: Unit, port: int, account: CarAccount | None = None, cloud: CloudSide | None = None
) -> AsyncIterator[str]:
    """Serve while the context is open, and yield the address. Raises OSError if the port is taken."""
    listener = socket.create_server(("127.0.0.1", port))
    stopping = asyncio.Event()
    app = create_app(unit, stopping, account, cloud)
    server = _Server(uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=1))
    task = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        stopping.set()
        server.should_exit = True
        await task
