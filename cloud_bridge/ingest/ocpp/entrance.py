"""The listening sockets of the OCPP door, and the connections that are not authenticated yet.

    accepted (unproven) --request--> waiting for its login --accepted--> a charger's connection
        |                               |
        +-- the oldest is closed if there are too many, or too many of one network

The rules and numbers are those of the MQTT listener (listener.py). A connection from a proxy may be any charger's, so
until its request has arrived only the total limit applies to it.
"""

import asyncio
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from websockets.asyncio.server import Server

from cloud_bridge.acceptor import Acceptor
from cloud_bridge.client_address import Proxies, network_of
from cloud_bridge.connection_limits import Budget, Crowd
from cloud_bridge.counters import Counters
from cloud_bridge.ingest.certificate import Certificate
from cloud_bridge.ingest.listener import TLS_TIMES
from cloud_bridge.ingest.ocpp.connection import OcppConnection
from cloud_bridge.listening_sockets import open_sockets

LEAVE_WITHIN_S = 5.0  # for all connections to end, when we stop


class Entrance:
    """Accepts connections and passes them to `server`. Created and used on one event loop."""

    def __init__(self, server: Server, budget: Budget, counters: Counters, proxies: Proxies) -> None:
        self.connections: set[OcppConnection] = set()
        self._server = server
        self._budget = budget
        self._counters = counters
        self._proxies = proxies
        self._loop = asyncio.get_running_loop()
        self._unproven = Crowd[OcppConnection](budget.unproven, budget.unproven_of_network)  # until their request
        self._waiting = Crowd[OcppConnection](budget.logins, budget.logins_of_network)  # until it is decided
        self._acceptors: list[Acceptor] = []
        self._certificate: Certificate | None = None
        self._openings: set[asyncio.Task[None]] = set()

    def listen(self, host: str, port: int, certificate: Certificate | None) -> int:
        """Start accepting; with a certificate, over TLS only. Return the port, which the system chooses if `port` is 0.
        Raises OSError."""
        sockets = open_sockets(host, port)
        bound: int = sockets[0].getsockname()[1]
        take = partial(self._take, None if certificate is None else certificate.context)
        self._acceptors.append(Acceptor(sockets, take, self._has_room, self._counters, self._is_busy))
        self._certificate = certificate or self._certificate
        return bound

    def look(self) -> None:
        """Load a new certificate if the files have changed."""
        if self._certificate is not None:
            self._certificate.look()

    @contextmanager
    def login(self, connection: OcppConnection) -> Iterator[None]:
        """Count the connection as waiting for its login during the block. Its request has arrived."""
        self._unproven.leave(connection)
        self._turn_out(self._waiting.enter(connection, connection.network))
        try:
            yield
        finally:
            self._waiting.leave(connection)
            self._resume()

    async def close(self) -> None:
        """Stop listening, close all connections, and wait up to LEAVE_WITHIN_S for them to end."""
        for acceptor in self._acceptors:
            acceptor.close()
        for connection in list(self.connections):
            connection.abort()
        if waited_for := {*self._server.handlers.values(), *self._openings}:
            await asyncio.wait(waited_for, timeout=LEAVE_WITHIN_S)

    def _has_room(self) -> bool:
        """Return whether one more connection fits, perhaps by closing one that is not authenticated."""
        return len(self.connections) < self._budget.units or bool(len(self._unproven) or len(self._waiting))

    def _is_busy(self) -> bool:
        """Return whether the largest number of logins is waiting. New connections then wait in the backlog, as in the
        MQTT listener (listener.py)."""
        return len(self._unproven) + len(self._waiting) >= self._budget.logins

    def _take(self, context: ssl.SSLContext | None, accepted: socket.socket, address: str) -> None:
        if len(self.connections) >= self._budget.units:
            self._turn_out(self._unproven.oldest_out() or self._waiting.oldest_out())
        network = None if address in self._proxies else network_of(address)
        connection = OcppConnection(self._server, accepted, address, network)
        self.connections.add(connection)
        self._turn_out(self._unproven.enter(connection, network))
        opening = self._loop.create_task(self._open(connection, accepted, context))
        self._openings.add(opening)
        opening.add_done_callback(self._openings.discard)

    def _turn_out(self, connection: OcppConnection | None) -> None:
        if connection is not None:
            self._counters.closed_crowded += 1
            connection.abort()

    async def _open(self, connection: OcppConnection, accepted: socket.socket, context: ssl.SSLContext | None) -> None:
        over_tls = {} if context is None else TLS_TIMES
        try:
            await self._loop.connect_accepted_socket(lambda: connection, accepted, ssl=context, **over_tls)
        except OSError:  # the handshake failed, or we have aborted it
            self._counters.failed_handshakes += 1
        else:
            await connection.wait_closed()
        finally:
            self.connections.discard(connection)
            self._unproven.leave(connection)
            self._resume()

    def _resume(self) -> None:
        for acceptor in self._acceptors:
            acceptor.resume()


class SocketServer(Server):
    """The library's server for sockets that Entrance accepts."""

    def is_serving(self) -> bool:
        return True
