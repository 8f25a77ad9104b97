"""The MQTT 3.1.1 endpoint for people's Home Assistants. Created and used on one event loop.

It is not a broker. Its messages are made from the store, like the pages, so they are the same with the embedded broker, with
mosquitto and on a cluster. The password is an API token. A connection may see and command what that token may over HTTP, and
loses access at the moment when the token, the role or the charge point is lost.

    accepted (unproven) --CONNECT--> its token is looked up --valid--> open: changes are sent every LOOK_S
        |                               |
        +-- closed, counted ------------+

All connections together cost two statements every LOOK_S. A connection is read in full if these show a change, and every
FULL_S because of what no row shows: a silence.
"""

import asyncio
import socket
import ssl
from collections.abc import Coroutine
from functools import partial
from typing import cast

from sqlalchemy.exc import SQLAlchemyError

from cloud_bridge.acceptor import Acceptor
from cloud_bridge.app_state import AppState
from cloud_bridge.client_address import network_of
from cloud_bridge.connection_limits import Crowd
from cloud_bridge.durations import HOUR_MS
from cloud_bridge.home import sight, topics
from cloud_bridge.home.connection import HomeConnection
from cloud_bridge.home.messages import order_message
from cloud_bridge.home.ordering import Ordered, Ordering
from cloud_bridge.ingest import packets
from cloud_bridge.ingest.certificate import Certificate
from cloud_bridge.ingest.connection import MqttConnection
from cloud_bridge.ingest.listener import TLS_TIMES
from cloud_bridge.ingest.packets import Connect, MalformedPacket, Publish
from cloud_bridge.ingest.session import ConnectReceived, Event, ForBroker, PublishReceived
from cloud_bridge.listening_sockets import open_sockets
from cloud_bridge.store.security_events import Kind
from cloud_bridge.store.tokens import FoundToken
from cloud_bridge.web.security.attempts import Attempts, token_limits

LOOK_S = 1.0
FULL_S = 10.0
MOST = 1000  # connections
MOST_UNPROVEN, MOST_OF_NETWORK = 200, 40
MOST_OF_TOKEN = 5  # beyond this, the oldest connection is closed
MOST_ORDERS = 4  # commands in progress for one connection; each may wait seconds for a broker
LOGINS_AT_ONCE = 2


class HomeDoor:
    """Listens, authenticates, sends updates, and passes commands on."""

    def __init__(self, app_state: AppState) -> None:
        self._app_state = app_state
        self._counters = app_state.counters
        self._loop = asyncio.get_running_loop()
        self._attempts = Attempts()
        self._ordering = Ordering(app_state)
        self._turns = asyncio.Semaphore(LOGINS_AT_ONCE)
        self._unproven = Crowd[HomeConnection](MOST_UNPROVEN, MOST_OF_NETWORK)
        self._all: set[HomeConnection] = set()
        self._open: dict[HomeConnection, None] = {}  # logged in, oldest first
        self._tasks: set[asyncio.Task[None]] = set()
        self._acceptors: list[Acceptor] = []
        self._certificate: Certificate | None = None

    def listen(self, host: str, port: int, certificate: Certificate | None = None) -> int:
        """Accept connections from now on; with a certificate, only over TLS. Return the port, which the system chooses if it
        is 0. Raises OSError."""
        sockets = open_sockets(host, port)
        bound: int = sockets[0].getsockname()[1]
        take = partial(self._take, None if certificate is None else certificate.context)
        self._acceptors.append(Acceptor(sockets, take, self._has_room, self._counters))
        self._certificate = certificate or self._certificate
        return bound

    async def run(self) -> None:
        """Run until cancelled."""
        await self._app_state.duties.every(LOOK_S, "home_assistant", self.look)

    def close(self) -> None:
        """Stop listening, and close all connections."""
        for acceptor in self._acceptors:
            acceptor.close()
        for connection in list(self._all):
            connection.abort()

    # Connections

    def _has_room(self) -> bool:
        return len(self._all) < MOST

    def _take(self, context: ssl.SSLContext | None, accepted: socket.socket, address: str) -> None:
        connection = HomeConnection(self._loop, accepted, self._happened, self._lost, context is not None)
        connection.network = network_of(address)
        self._all.add(connection)
        crowded = self._unproven.enter(connection, connection.network)
        if crowded is not None:
            self._counters.closed_crowded += 1
            crowded.abort()
        self._begin(self._opened(connection, accepted, context))

    async def _opened(
        self, connection: HomeConnection, accepted: socket.socket, context: ssl.SSLContext | None
    ) -> None:
        over_tls = {} if context is None else TLS_TIMES
        try:
            await self._loop.connect_accepted_socket(lambda: connection, accepted, ssl=context, **over_tls)
        except OSError:  # of the handshake, whichever side ended it
            self._counters.failed_handshakes += 1
        finally:
            if not connection.is_made:
                self._lost(connection)

    def _begin(self, work: Coroutine[None, None, None]) -> None:
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _lost(self, lost: MqttConnection) -> None:
        connection = cast(HomeConnection, lost)  # there are no others here
        self._all.discard(connection)
        self._open.pop(connection, None)
        self._unproven.leave(connection)
        for acceptor in self._acceptors:
            acceptor.resume()

    def _happened(self, at: MqttConnection, event: Event | MalformedPacket) -> None:
        connection = cast(HomeConnection, at)
        match event:
            case ConnectReceived():
                self._begin(self._log_in(connection, event.connect))
            case PublishReceived():
                self._published(connection, event.publish)
            case ForBroker():
                _answer(connection, event.packet)
            case MalformedPacket():
                self._counters.closed_malformed += 1
                connection.abort()

    # From CONNECT to open

    async def _log_in(self, connection: HomeConnection, connect: Connect) -> None:
        async with self._turns:
            token, limits = connect.password or "", token_limits(connection.network)
            now_ms = self._app_state.verified.now_ms()
            if connect.level & ~packets.BRIDGE != 4 or connect.protocol != "MQTT":
                self._counters.refused_protocol += 1
                connection.refuse(packets.WRONG_PROTOCOL)
            elif self._attempts.wait_ms(limits, now_ms):
                self._counters.refused_waiting += 1
                connection.refuse(packets.UNAVAILABLE)
            else:
                try:
                    found = await asyncio.to_thread(sight.whose, self._app_state, token)
                except SQLAlchemyError:
                    self._counters.refused_store += 1
                    connection.refuse(packets.UNAVAILABLE)
                    return
                if found is None:
                    self._counters.refused_wrong_secret += 1
                    self._attempts.failed(limits, now_ms)
                    self._app_state.security_log.note(Kind.WRONG_TOKEN, connection.network)
                    connection.refuse(packets.NOT_AUTHORISED)
                elif not connection.transport.is_closing():
                    self._let_in(connection, found, connect)

    def _let_in(self, connection: HomeConnection, found: FoundToken, connect: Connect) -> None:
        self._unproven.leave(connection)
        of_token = [one for one in self._open if one.token == connect.password]
        if len(of_token) >= MOST_OF_TOKEN:
            self._counters.closed_crowded += 1
            of_token[0].abort()
        if found.id != sight.OURS and (
            found.used_ms is None or self._app_state.verified.now_ms() - found.used_ms > HOUR_MS
        ):
            self._app_state.security_log.token_used(found.id)
        self._counters.home_logins += 1
        self._open[connection] = None
        connection.begin(found, connect)

    # Messages from Home Assistant

    def _published(self, connection: HomeConnection, publish: Publish) -> None:
        """Handle a PUBLISH, and acknowledge it in any case, because MQTT 3.1.1 cannot refuse one. Besides commands, Home
        Assistant publishes its own status, and clears the topic of a device that was deleted in it."""
        ordered = topics.order_in(publish.topic)
        if ordered is not None and ordered[0] in connection.units and not publish.retain:
            if connection.orders < MOST_ORDERS:
                connection.orders += 1
                self._begin(self._order(connection, Ordered(*ordered, publish.payload)))
            else:
                self._counters.home_orders_dropped += 1
        elif not publish.topic.startswith(f"{topics.DISCOVERY}/"):
            self._counters.dropped_foreign_topic += 1
        connection.committed(publish.packet_id)()

    async def _order(self, connection: HomeConnection, ordered: Ordered) -> None:
        """Carry out a command, or report why it was not sent."""
        try:
            said = await self._ordering.carry_out(connection.token, connection.network, ordered)
        finally:
            connection.orders -= 1
        if said is not None:
            connection.say(topics.of_unit(ordered.unit_id, "order"), order_message(said))
        else:
            connection.is_due = True

    # Periodic work

    async def look(self) -> None:
        """Send everybody what has changed. Raises SQLAlchemyError."""
        if self._certificate is not None:
            self._certificate.look()
        self._close_overdue()
        connections = list(self._open)
        if not connections:
            return
        try:
            await self._tell(connections)
        except SQLAlchemyError:
            self._counters.missed_looks += 1
            for connection in connections:
                connection.tell_away()
            raise

    def _close_overdue(self) -> None:
        """Close connections that have exceeded their time for CONNECT, or their keep-alive."""
        now_s = self._loop.time()
        for connection in [one for one in self._all if one.session.is_overdue(now_s)]:
            if connection in self._open:
                self._counters.closed_idle += 1
            else:
                self._counters.closed_no_connect += 1
            connection.abort()

    async def _tell(self, connections: list[HomeConnection]) -> None:
        """Send updates to these connections. Raises SQLAlchemyError."""
        tokens = {one.token for one in connections if one.found.id != sight.OURS}
        unit_ids = {unit_id for one in connections for unit_id in one.units}
        by_token, by_unit = await asyncio.to_thread(sight.versions, self._app_state, tokens, unit_ids)
        for connection in connections:
            known = by_token.get(connection.token) if connection.found.id != sight.OURS else ()
            if known is None:
                self._turn_out(connection)
                continue
            now_s = self._loop.time()
            versions = (known, [by_unit.get(unit_id) for unit_id in sorted(connection.units)])
            if connection.is_due or versions != connection.versions or now_s - connection.read_s >= FULL_S:
                connection.is_due = False
                await self._tell_in_full(connection)
                connection.versions, connection.read_s = versions, now_s

    async def _tell_in_full(self, connection: HomeConnection) -> None:
        found = await asyncio.to_thread(sight.whose, self._app_state, connection.token)
        if found is None:
            self._turn_out(connection)
            return
        seen = await asyncio.to_thread(sight.look, self._app_state, found.token)
        if not connection.transport.is_closing():
            connection.tell(seen.messages, seen.units, seen.former)

    def _turn_out(self, connection: HomeConnection) -> None:
        """Close a connection whose token is no longer valid."""
        self._counters.closed_revoked += 1
        connection.abort()


def _answer(connection: HomeConnection, packet: bytes) -> None:
    frame = packets.next_frame(packet, 0, len(packet))
    body = packet[frame.body_at :] if frame is not None else b""
    match packet[0] >> 4:
        case packets.SUBSCRIBE:
            connection.subscribe(body)
        case packets.UNSUBSCRIBE:
            connection.unsubscribe(body)
        case packets.PINGREQ:
            connection.write(packets.PINGRESP)
        case packets.DISCONNECT:
            connection.transport.close()
