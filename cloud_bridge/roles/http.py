"""The port for HTTP: pages and interface, or only health and totals."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from socket import socket

from fastapi import FastAPI

from cloud_bridge.app_state import AppState
from cloud_bridge.listening_sockets import open_sockets
from cloud_bridge.roles.port_busy import port_busy
from cloud_bridge.roles.process import Duty, collect_less_garbage, connection_budget, do_beside, end_by_signal
from cloud_bridge.web.http_protocol import PageConnections
from cloud_bridge.web.server import PageServer


class HttpPort:
    """Listens from the start; answers in `serve`."""

    def __init__(self, server: PageServer, listeners: list[socket]) -> None:
        self.port: int = listeners[0].getsockname()[1]
        self._server = server
        self._listeners = listeners

    async def serve(self, duties: Sequence[Duty]) -> None:
        """Serve, with the duties beside it, until a signal of process.ENDING. The error of a duty also ends it, and is
        raised."""
        collect_less_garbage()
        serving = asyncio.ensure_future(self._server.serve(sockets=self._listeners))
        try:
            await do_beside(duties, _end_of(serving))
        finally:
            self._server.stop()
            await serving


async def _end_of(serving: "asyncio.Future[None]") -> None:
    """Wait for the server to end. If this is cancelled, the server goes on, so that it can close its connections
    properly."""
    await asyncio.shield(serving)


@contextmanager
def listen(app_state: AppState, create: Callable[[AppState], FastAPI]) -> Iterator[HttpPort]:
    """Open the port; `create` makes the application. From now on a signal of process.ENDING ends `serve`, even before
    it has begun: whoever learns that we are ready may send one at once. Raises PortBusy.
    """
    settings = app_state.settings
    try:
        listeners = open_sockets(settings.host, settings.http_port)
    except OSError as error:
        raise port_busy("CHARGEKEEPER_HTTP_PORT", settings.http_port, error) from error
    with ExitStack() as closing:
        for listener in listeners:
            closing.enter_context(listener)
        connections = PageConnections(connection_budget(), app_state.counters, settings.proxies)
        server = PageServer(create(app_state), connections, app_state.counters, settings.proxies)
        end_by_signal(server.stop)
        yield HttpPort(server, listeners)
