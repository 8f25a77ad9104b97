"""uvicorn's HTTP/1.1 protocol with deadlines and limits on connections, which uvicorn lacks.

A request has to be received completely within a deadline: first its head, then its body, whether or not it was answered
meanwhile. A connection without a complete request is idle. If there are too many idle connections, in total or from one
network, the oldest is closed. Connections with a request in progress have limits of their own. Connections from a proxy
(CHARGEKEEPER_PROXIES) carry many people's requests, so they are limited only in total.
"""

import asyncio
import ipaddress
from collections.abc import Callable, Sequence
from enum import Enum
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from cloud_bridge.client_address import network_of
from cloud_bridge.connection_limits import Budget, Crowd
from cloud_bridge.counters import Counters
from cloud_bridge.web.security.photo_uploads import takes_photo

HEAD_WITHIN_S = (
    20.0  # from the connection, and from the first byte of each further request. Further bytes do not extend it
)
BODY_WITHIN_S = 40.0  # from the end of the head: 64 kB at 13 kbit/s. Further bytes do not extend it
PHOTO_WITHIN_S = (
    180.0  # 10 MB at 450 kbit/s, or a photo that a phone has scaled down at 20 kbit/s. Further bytes do not extend it
)
MAX_HEAD_BYTES = 16 * 1024  # request line and headers; those of a browser are below 4 kB


class Part(Enum):
    """The part of a request that is being read."""

    HEAD = "head"
    BODY = "body"


class PageConnections:
    """The open connections of the pages and the HTTP interface."""

    def __init__(self, budget: Budget, counters: Counters, proxies: Sequence[str]) -> None:
        self._budget = budget
        self._counters = counters
        self._proxies = [ipaddress.ip_network(proxy) for proxy in proxies]
        self.on_left: Callable[[], None] = _nothing
        self._all = set[LimitedH11Protocol]()
        self._idle = Crowd[LimitedH11Protocol](budget.idle_pages, budget.pages_of_network // 2)
        self._busy = Crowd[LimitedH11Protocol](budget.pages, budget.pages_of_network)

    def has_room(self) -> bool:
        """Return True if one more connection fits, if necessary by closing an idle one."""
        return len(self._all) < self._budget.pages or len(self._idle) > 0

    def network(self, address: str) -> str | None:
        """Return the network that an address counts for, or None if it belongs to a proxy."""
        ip = ipaddress.ip_address(address.partition("%")[0])
        return None if any(ip in proxy for proxy in self._proxies) else network_of(address)

    def update(self, connection: "LimitedH11Protocol", is_busy: bool) -> None:
        """Count the connection as busy or idle from now on, and close the oldest one beyond the limit."""
        to, other = (self._busy, self._idle) if is_busy else (self._idle, self._busy)
        other.leave(connection)
        self._close(to.enter(connection, connection.network))

    def enter(self, connection: "LimitedH11Protocol") -> None:
        """Add a new connection, which is idle. If the total is reached, close the oldest idle one."""
        if len(self._all) >= self._budget.pages:
            self._close(self._idle.oldest_out())
        self._all.add(connection)
        self._close(self._idle.enter(connection, connection.network))

    def left(self, connection: "LimitedH11Protocol") -> None:
        self._all.discard(connection)
        self._idle.leave(connection)
        self._busy.leave(connection)
        self.on_left()

    def _close(self, connection: "LimitedH11Protocol | None") -> None:
        if connection is not None:
            self._counters.closed_pages_crowded += 1
            connection.transport.abort()


class LimitedH11Protocol(H11Protocol):
    """One connection. `network` is what PageConnections.network returns for its address."""

    def __init__(self, connections: PageConnections, network: str | None, **options: Any) -> None:
        super().__init__(**options)
        self.network = network
        self._page_connections = connections
        self._is_busy = False
        self._reading: Part | None = None
        self._deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._page_connections.enter(self)
        self._read(Part.HEAD)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._follow()

    def connection_lost(self, exc: Exception | None) -> None:
        self._read(None)
        self._page_connections.left(self)
        super().connection_lost(exc)

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._follow()

    def send_400_response(self, msg: str) -> None:
        """Answer bytes that are not HTTP. uvicorn sends this response in any state, and h11 raises for a second response. A
        request in progress is therefore treated as disconnected, and a response that has started is cut off."""
        if self.cycle is not None and not self.cycle.response_complete:
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        if self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            super().send_400_response(msg)
        else:
            self.transport.close()

    def _follow(self) -> None:
        """Update deadline and limits after the request may have progressed."""
        if self.transport.is_closing():
            return
        state, part = self.conn.their_state, None
        if state is h11.SEND_BODY:
            part = Part.BODY
        elif state is h11.IDLE and (self._reading is Part.HEAD or self.conn.trailing_data[0]):
            part = Part.HEAD  # before that byte, uvicorn's keep-alive timeout applies
        self._read(part)
        cycle = self.cycle
        is_busy = cycle is not None and not cycle.more_body and not cycle.response_complete
        if is_busy != self._is_busy:
            self._is_busy = is_busy
            self._page_connections.update(self, is_busy)

    def _read(self, part: Part | None) -> None:
        if part is self._reading:
            return
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
        self._reading = part
        if part is not None:
            self._deadline = self.loop.call_later(self._within_s(part), self.transport.abort)

    def _within_s(self, part: Part) -> float:
        if part is Part.HEAD:
            return HEAD_WITHIN_S
        return PHOTO_WITHIN_S if takes_photo(self.scope["method"], self.scope["path"]) else BODY_WITHIN_S


def _nothing() -> None:
    """Do nothing: the default of `on_left`."""
