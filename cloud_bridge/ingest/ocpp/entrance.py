"""The listening sockets of the door, and everybody who has come in and proved nothing yet.

    accepted (unproven) --its request--> waits for its login --let in--> a charger's connection
        |                                   |
        +-- the oldest is turned out where there are too many, or too many of one network

By the same rules and numbers as at the door for MQTT (listener.py). A connection from a proxy is one of many chargers: until
its request has told whose it is, it is limited altogether alone.
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

LEAVE_WITHIN_S = 5.0  # for all connections, when we stop


class Entrance:
    """Created and used on one event loop. Whoever comes in is handed to `server` with his first byte."""

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
        """Accept from now on, with a certificate only over TLS. Returns the port, chosen by the system when 0. Raises
        OSError."""
        sockets = open_sockets(host, port)
        bound: int = sockets[0].getsockname()[1]
        take = partial(self._take, None if certificate is None else certificate.context)
        self._acceptors.append(Acceptor(sockets, take, self._has_room, self._counters, self._is_busy))
        self._certificate = certificate or self._certificate
        return bound

    def look(self) -> None:
        """Whether there is a new certificate."""
        if self._certificate is not None:
            self._certificate.look()

    @contextmanager
    def login(self, connection: OcppConnection) -> Iterator[None]:
        """Its request has come, from this network, and is being decided about."""
        self._unproven.leave(connection)
        self._turn_out(self._waiting.enter(connection, connection.network))
        try:
            yield
        finally:
            self._waiting.leave(connection)
            self._resume()

    async def close(self) -> None:
        """Stop listening, and end every connection."""
        for acceptor in self._acceptors:
            acceptor.close()
        for connection in list(self.connections):
            connection.abort()
        if waited_for := {*self._server.handlers.values(), *self._openings}:
            await asyncio.wait(waited_for, timeout=LEAVE_WITHIN_S)

    def _has_room(self) -> bool:
        """For one more, or one that has proved nothing will make room for it."""
        return len(self.connections) < self._budget.units or bool(len(self._unproven) or len(self._waiting))

    def _is_busy(self) -> bool:
        """As many wait for their login as may: who comes now waits outside, as at the door for MQTT (listener.py)."""
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
        except OSError:  # of the handshake, whoever ended it
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
    """The library's, for sockets that are accepted elsewhere."""

    def is_serving(self) -> bool:
        return True
