"""The MQTT listener in front of the embedded broker. It owns the sockets, and nothing reaches the broker unchecked.

amqtt 0.12.1 takes over a connection before it has checked the password, keeps a session for every failed login, has no
limits on packet size, time or idleness, loses a packet whose header straddles its keepalive deadline, and does not
apply its access list to wills (all measured). So every connection starts as an MqttSession (session.py) here, and
admission.py decides about its login.

While a connection is open, PUBLISH packets of the unit are timestamped and processed here, and acknowledged when they
are committed. They are never routed to subscribers. All other packets (subscriptions, pings, PUBACKs for commands) go
to the broker, packet by packet.
"""

import asyncio
import logging
import socket
import ssl
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from itertools import count

from amqtt.adapters import ReaderAdapter, WriterAdapter
from sqlalchemy.exc import SQLAlchemyError

from cloud_bridge.acceptor import Acceptor
from cloud_bridge.client_address import network_of
from cloud_bridge.connection_limits import Budget, Crowd
from cloud_bridge.contact import own_topic
from cloud_bridge.duplicate_identity import ALIVE_MS, Connection
from cloud_bridge.ingest import packets
from cloud_bridge.ingest.admission import Admission
from cloud_bridge.ingest.canary import CANARY_ID
from cloud_bridge.ingest.certificate import Certificate
from cloud_bridge.ingest.changed_secrets import ChangedSecrets
from cloud_bridge.ingest.connection import MqttConnection
from cloud_bridge.ingest.inbound import Ingest
from cloud_bridge.ingest.packets import MalformedPacket, PacketTooLarge, Publish
from cloud_bridge.ingest.session import CONNECT_OVER_TLS_WITHIN_S, ConnectReceived, Event, ForBroker, PublishReceived
from cloud_bridge.listening_sockets import open_sockets

GOODBYE_WITHIN_S = 5.0  # for the TLS shutdown, so that a peer that does not answer holds no file descriptor
TAKE_OVER_WITHIN_S = 5.0  # for the broker to finish with the older connection
TLS_TIMES = {"ssl_handshake_timeout": CONNECT_OVER_TLS_WITHIN_S, "ssl_shutdown_timeout": GOODBYE_WITHIN_S}
LOGINS_AT_ONCE = 2  # further logins wait, so that pages are answered while a whole fleet reconnects
LOOK_EVERY_S = 1.0
UNREAD_BYTES = 16 * 1024  # a quarter of MAX_UNSENT_BYTES (connection.py), which leaves room for commands

HandOver = Callable[[ReaderAdapter, WriterAdapter], Awaitable[None]]  # returns when the broker is done with it

_log = logging.getLogger(__name__)


class MqttListener:
    """Accepts and authenticates connections, and timestamps messages. Created and used on one event loop.

    A connection is in `_unproven` until its CONNECT, and in `_waiting` until its secret has been verified. If one
    network has too many connections in either, or there are too many without a CONNECT, the oldest of them is closed.
    If too many logins are waiting, accepting stops until one is answered. Connections of authenticated units are
    limited by the number of file descriptors only.
    """

    def __init__(self, ingest: Ingest, admission: Admission, hand_over: HandOver, budget: Budget) -> None:
        self._ingest = ingest
        self._admission = admission
        self._counters = ingest.counters
        self._clock = ingest.clock
        self._hand_over = hand_over
        self._loop = asyncio.get_running_loop()
        self._turns = asyncio.Semaphore(LOGINS_AT_ONCE)
        self._budget = budget
        self._unproven = Crowd[MqttConnection](budget.unproven, budget.unproven_of_network)
        self._waiting = Crowd[MqttConnection](budget.logins, budget.logins_of_network)
        self._acceptors: list[Acceptor] = []
        self._certificate: Certificate | None = None
        self._reaper: asyncio.Task[None] | None = None
        self._all: set[MqttConnection] = set()
        self._accepted: dict[str, MqttConnection] = {}
        self._openings: set[asyncio.Task[None]] = set()
        self._logins: set[asyncio.Task[None]] = set()
        self._numbers = count(1)  # of accepted connections
        self._changed_secrets = ChangedSecrets(admission.credentials)

    async def listen(self, host: str, port: int, certificate: Certificate | None = None) -> int:
        """Start accepting connections; with a certificate, over TLS only. May be called for several ports.

        Return the port, which the system chooses if `port` is 0. Raises OSError.
        """
        sockets = open_sockets(host, port)
        bound: int = sockets[0].getsockname()[1]
        context = None if certificate is None else certificate.context
        take = partial(self._take, context)
        self._acceptors.append(Acceptor(sockets, take, self._has_room, self._counters, self._is_busy))
        self._certificate = certificate or self._certificate
        if self._reaper is None:
            self._reaper = self._loop.create_task(self._reap())
        return bound

    async def close(self) -> None:
        """Stop listening, close all connections, and wait until the broker has finished with them."""
        for acceptor in self._acceptors:
            acceptor.close()
        if self._reaper is not None:
            self._reaper.cancel()
        tasks = {connection.broker_task for connection in self._accepted.values() if connection.broker_task}
        for connection in list(self._all):
            if connection.is_made:
                connection.transport.close()
            else:
                connection.abort()
        if waited_for := tasks | self._logins | self._openings:
            await asyncio.wait(waited_for, timeout=TAKE_OVER_WITHIN_S)

    @property
    def connections(self) -> int:
        return len(self._all)

    def is_connected(self, unit_id: str) -> bool:
        """Return whether the unit has an open connection. This is no contact: a half-open connection looks the same."""
        return unit_id in self._accepted

    def send(self, unit_id: str, several: list[bytes]) -> bool:
        """Send packets to the unit together. Return False if it is not connected, or if UNREAD_BYTES of earlier data
        are still unsent.
        """
        connection = self._accepted.get(unit_id)
        if connection is None or connection.transport.get_write_buffer_size() >= UNREAD_BYTES:
            return False
        connection.write_several(several)
        return True

    # What happens on a connection.

    def _has_room(self) -> bool:
        """Return whether one more connection fits, perhaps by closing one that is not authenticated."""
        return len(self._all) < self._budget.units or bool(len(self._unproven) or len(self._waiting))

    def _is_busy(self) -> bool:
        """Return whether the largest number of logins is waiting. New connections then wait in the backlog. Closing the
        oldest instead would close those whose turn is next, so if a whole fleet reconnected faster than logins are
        checked, no unit would ever get in."""
        return len(self._unproven) + len(self._waiting) >= self._budget.logins

    def _take(self, context: ssl.SSLContext | None, accepted: socket.socket, address: str) -> None:
        if len(self._all) >= self._budget.units:
            self._turn_out(self._unproven.oldest_out() or self._waiting.oldest_out())
        over_tls = context is not None
        connection = MqttConnection(self._loop, accepted, self._happened, self._lost, over_tls)
        connection.network = network_of(address)
        self._all.add(connection)
        self._turn_out(self._unproven.enter(connection, connection.network))
        opening = self._loop.create_task(self._open(connection, accepted, context))
        self._openings.add(opening)
        opening.add_done_callback(self._openings.discard)

    async def _open(self, connection: MqttConnection, accepted: socket.socket, context: ssl.SSLContext | None) -> None:
        over_tls = {} if context is None else TLS_TIMES
        try:
            await self._loop.connect_accepted_socket(lambda: connection, accepted, ssl=context, **over_tls)
        except OSError:  # the handshake failed, or we have aborted it
            self._counters.failed_handshakes += 1
        finally:
            if not connection.is_made:
                self._lost(connection)

    def _turn_out(self, connection: MqttConnection | None) -> None:
        if connection is not None:
            self._counters.closed_crowded += 1
            connection.abort()

    def _happened(self, connection: MqttConnection, event: Event | MalformedPacket) -> None:
        if isinstance(event, PublishReceived):
            if self._may_send(connection):
                self._publish(connection, event.publish)
        elif isinstance(event, ForBroker):
            if self._may_send(connection):
                connection.pass_on(event.packet)
        elif isinstance(event, ConnectReceived):
            self._unproven.leave(connection)
            self._turn_out(self._waiting.enter(connection, connection.network))
            login = connection.waiting_login = self._loop.create_task(self._log_in(connection, event))
            self._logins.add(login)
            login.add_done_callback(self._logins.discard)
        elif isinstance(event, MalformedPacket):
            self._violation(connection, event)

    def _may_send(self, connection: MqttConnection) -> bool:
        """Return whether the unit may send one more packet. If not, it is disconnected, and the packet is not
        acknowledged."""
        unit_id = connection.session.unit_id
        if unit_id == CANARY_ID or self._ingest.admits(unit_id, self._clock.now_ms()):
            return True
        connection.transport.abort()
        return False

    def _lost(self, connection: MqttConnection) -> None:
        self._all.discard(connection)
        self._unproven.leave(connection)
        self._waiting.leave(connection)
        if connection.waiting_login is not None:  # or logins of closed connections would delay those of open ones
            connection.waiting_login.cancel()
        self._no_longer_accepted(connection)
        self._resume()

    def _resume(self) -> None:
        for acceptor in self._acceptors:
            acceptor.resume()

    def _publish(self, connection: MqttConnection, publish: Publish) -> None:
        unit_id, now_ms = connection.session.unit_id, self._clock.now_ms()
        committed = connection.committed(publish.packet_id)
        kind = own_topic(unit_id, publish.topic)
        if publish.retain or kind is None:
            # MQTT 3.1.1 cannot refuse a PUBLISH [MQTT-3.3.5-2], so it is acknowledged and dropped.
            if kind is None:
                self._counters.dropped_foreign_topic += 1
            else:
                self._counters.dropped_retained += 1
            committed()
            return
        if unit_id == CANARY_ID:
            taken = self._ingest.take_canary(now_ms, committed)
        else:
            taken = self._ingest.take(
                unit_id, kind, publish.payload, now_ms, publish.redelivered, committed, connection.as_evidence
            )
        if not taken:  # a client resends it only on a new connection [MQTT-4.4.0-1]
            connection.transport.abort()

    def _violation(self, connection: MqttConnection, error: MalformedPacket) -> None:
        if isinstance(error, PacketTooLarge):
            self._counters.closed_too_large += 1
        else:
            self._counters.closed_malformed += 1
        _log.info("%s: connection closed: %s", connection.session.unit_id or "unknown client", error)
        connection.transport.abort()

    # From CONNECT to open.

    async def _log_in(self, connection: MqttConnection, asked: ConnectReceived) -> None:
        async with self._turns:
            connection.waiting_login = None
            if not connection.transport.is_closing():
                await self._authenticate(connection, asked)
            if connection.broker_task is not None:  # the login ends with the broker's CONNACK
                answered = self._loop.create_task(connection.answered.wait())
                await asyncio.wait({connection.broker_task, answered}, return_when=asyncio.FIRST_COMPLETED)
                answered.cancel()

    async def _authenticate(self, connection: MqttConnection, asked: ConnectReceived) -> None:
        with suppress(SQLAlchemyError):  # `refusal` below will fail too, and report it
            connection.credentials_ms = await self._admission.credentials.changed_ms(asked.connect.client_id)
        if refusal := await self._admission.refusal(asked.connect, connection.network):
            connection.refuse(refusal)
            return
        unit_id = asked.connect.client_id
        if unit_id != CANARY_ID and not self._ingest.admits(unit_id, self._clock.now_ms()):
            connection.refuse(packets.UNAVAILABLE)
            return
        took_over = False
        while (older := self._accepted.get(unit_id)) is not None:
            took_over |= self._is_alive(unit_id)
            await self._take_over(older)
        if connection.transport.is_closing():
            return
        self._accepted[unit_id] = connection
        connection.as_evidence = Connection(next(self._numbers), took_over)
        self._waiting.leave(connection)
        self._resume()
        self._counters.logins += 1
        self._mark_connected(unit_id, True)
        reader, writer = connection.accept(unit_id, asked.connect.keep_alive_s, asked.body)
        connection.broker_task = self._loop.create_task(self._serve(connection, reader, writer))

    async def _take_over(self, older: MqttConnection) -> None:
        """Close the older connection of a unit and wait until the broker has finished with it. A unit has one
        connection, the newest that was authenticated."""
        self._counters.take_overs += 1
        older.transport.abort()
        if older.broker_task is not None:
            await asyncio.wait({older.broker_task}, timeout=TAKE_OVER_WITHIN_S)
        self._no_longer_accepted(older)  # unless another login has replaced it meanwhile

    async def _serve(self, connection: MqttConnection, reader: ReaderAdapter, writer: WriterAdapter) -> None:
        try:
            await self._hand_over(reader, writer)
        except Exception:  # a fault in amqtt ends only this connection
            _log.exception("%s: the embedded broker failed on this connection", connection.session.unit_id)
        finally:
            connection.transport.close()

    def _no_longer_accepted(self, connection: MqttConnection) -> None:
        unit_id = connection.session.unit_id
        if self._accepted.get(unit_id) is connection:
            del self._accepted[unit_id]
            self._mark_connected(unit_id, False)

    def _is_alive(self, unit_id: str) -> bool:
        """Return whether the unit was heard recently, so that its connection is not a half-open one that it has
        abandoned."""
        unit = self._ingest.live.find(unit_id)
        last_ms = None if unit is None or unit.offset_ms is None else unit.last_contact_ms
        return last_ms is not None and self._clock.now_ms() - last_ms <= ALIVE_MS

    def _mark_connected(self, unit_id: str, connected: bool) -> None:
        if unit_id != CANARY_ID:  # the canary is not a unit
            self._ingest.live.unit(unit_id).connected = connected
            self._ingest.reports.connected(unit_id, connected)

    # Periodic work.

    async def _reap(self) -> None:
        """Close overdue connections, on which the broker would wait without a limit. Run until cancelled."""
        await self._ingest.duties.every(LOOK_EVERY_S, "mqtt_sessions", self._reap_once)

    async def _reap_once(self) -> None:
        now_s = self._loop.time()
        for connection in [one for one in self._all if one.session.is_overdue(now_s)]:
            if connection.session.unit_id:
                self._counters.closed_idle += 1
            else:
                self._counters.closed_no_connect += 1
            connection.abort()
        await self._close_revoked()
        if self._certificate is not None:
            self._certificate.look()

    async def _close_revoked(self) -> None:
        """Close connections whose secret was changed or revoked after they were opened."""
        for unit_id, changed_ms in (await self._changed_secrets.look()).items():
            connection = self._accepted.get(unit_id)
            if connection is not None and connection.credentials_ms != changed_ms:
                self._counters.closed_revoked += 1
                connection.transport.abort()
