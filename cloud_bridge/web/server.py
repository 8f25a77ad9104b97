"""uvicorn with sockets that the bridge accepts itself."""

import asyncio
import socket
import sys
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import uvicorn
from fastapi import FastAPI
from uvicorn.config import STARTUP_FAILURE

from cloud_bridge.acceptor import Acceptor
from cloud_bridge.counters import Counters
from cloud_bridge.web.http_protocol import MAX_HEAD_BYTES, LimitedH11Protocol, PageConnections

GOODBYE_S = 3  # time to finish responses at shutdown
UNREAD_WITHIN_S = 60  # time for a client to acknowledge sent data; then the kernel closes the connection


class PageServer(uvicorn.Server):
    """Serves the app on the connections that PageConnections admits. `proxies` are trusted for X-Forwarded-For."""

    def __init__(
        self, app: FastAPI, connections: PageConnections, counters: Counters, proxies: tuple[str, ...]
    ) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                log_config=None,  # logs.py has set up logging
                log_level="warning",
                server_header=False,
                timeout_graceful_shutdown=GOODBYE_S,
                http=LimitedH11Protocol,
                ws="none",
                h11_max_incomplete_event_size=MAX_HEAD_BYTES,
                proxy_headers=bool(proxies),
                forwarded_allow_ips=list(proxies),
            )
        )
        self._connections = connections
        self._counters = counters
        self._openings: set[asyncio.Task[Any]] = set()

    @contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Do nothing: uvicorn would end the process by the signal before the recorder has committed the waiting messages."""
        yield

    def stop(self) -> None:
        self.should_exit = True

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start accepting connections. Raises SystemExit if the app cannot start."""
        await self.lifespan.startup()
        if self.lifespan.should_exit:
            sys.exit(STARTUP_FAILURE)
        listening = sockets or []
        for one in listening:  # accepted sockets inherit both options
            # asyncio sets it only on sockets that it created. Without it, each page waits 40 ms between head and body for the
            # browser's delayed acknowledgement (measured).
            one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            one.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNREAD_WITHIN_S * 1000)
        acceptor = Acceptor(listening, self._take, self._connections.has_room, self._counters)
        self._connections.on_left = acceptor.resume
        self.servers = [acceptor]  # type: ignore[list-item]  # uvicorn closes it like a server
        self.started = True

    def _take(self, accepted: socket.socket, address: str) -> None:
        protocol = LimitedH11Protocol(
            self._connections,
            self._connections.network(address),
            config=self.config,
            server_state=self.server_state,
            app_state=self.lifespan.state,
        )
        loop = asyncio.get_running_loop()
        opening = loop.create_task(loop.connect_accepted_socket(lambda: protocol, accepted))
        self._openings.add(opening)
        opening.add_done_callback(self._openings.discard)
