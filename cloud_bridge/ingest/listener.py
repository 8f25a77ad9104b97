"""Listens in front of the embedded broker: it owns the sockets, and nothing reaches the broker unchecked.

amqtt 0.12.1 takes a connection over before it has checked the password, keeps a session for every failed login, has
no limit of packet size, time or idleness, loses a packet whose header straddles its keepalive deadline, and lets wills
pass its access list (all measured). So every connection is an MqttSession (session.py) here first, and is let in by
admission.py.

While it is open, what the unit publishes is stamped and taken in right here, at the first hop, and acknowledged when
it is committed. It is never routed: nobody may subscribe to it. All else (subscriptions, pings, acknowledged
commands) goes to the broker, packet by packet.
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

GOODBYE_WITHIN_S = 5.0  # of TLS; a peer that does not answer it would hold its file for longer
TAKE_OVER_WITHIN_S = 5.0  # for the broker to let go of the older connection
TLS_TIMES = {"ssl_handshake_timeout": CONNECT_OVER_TLS_WITHIN_S, "ssl_shutdown_timeout": GOODBYE_WITHIN_S}
LOGINS_AT_ONCE = 2  # the others wait their turn, so that pages are answered while a whole fleet comes back
LOOK_EVERY_S = 1.0
UNREAD_BYTES = 16 * 1024  # a quarter of what a unit may leave unread (connection.py): room for commands

HandOver = Callable[[ReaderAdapter, WriterAdapter], Awaitable[None]]  # returns when the broker is done with it

_log = logging.getLogger(__name__)


class MqttListener:
    """Listens, lets in, stamps. Created and used on one event loop.

    A connection is in `_unproven` until its CONNECT, and in `_waiting` until its secret is found to be right. Where one
    network has too many in either, or there are too many without a CONNECT, the oldest is closed; where too many wait for
    their login, none is accepted until one of them has its answer. Connections of units that have proved themselves are
    limited by the number of files alone, and close nobody.
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
        self._numbers = count(1)  # of connections that were let in
        self._changed_secrets = ChangedSecrets(admission.credentials)

    async def listen(self, host: str, port: int, certificate: Certificate | None = None) -> int:
        """Accept units from now on, with a certificate only over TLS. May be called for several ports.

        Returns the port, chosen by the system when 0. Raises OSError.
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
        """Stop listening, close every connection, and wait until the broker has let go of them."""
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
        """Whether the unit has a connection open. Says nothing about contact: half-open ones look the same."""
        return unit_id in self._accepted

    def send(self, unit_id: str, several: list[bytes]) -> bool:
        """Write packets to the unit together. False if it has no connection open, or UNREAD_BYTES of what was sent to
        it before are still here.
        """
        connection = self._accepted.get(unit_id)
        if connection is None or connection.transport.get_write_buffer_size() >= UNREAD_BYTES:
            return False
        connection.write_several(several)
        return True

    # What happens on a connection.

    def _has_room(self) -> bool:
        """For one more, or one that has proved nothing will make room for it."""
        return len(self._all) < self._budget.units or bool(len(self._unproven) or len(self._waiting))

    def _is_busy(self) -> bool:
        """As many wait for their login as may. Who comes now waits outside: to close the oldest for it would close those
        whose turn is next, and where a whole fleet comes back faster than it is let in, nobody would get in at all."""
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
        except OSError:  # of the handshake, whoever ended it
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
        """One more packet. A unit that sends too much is cut off, and what it sent is not acknowledged."""
        unit_id = connection.session.unit_id
        if unit_id == CANARY_ID or self._ingest.admits(unit_id, self._clock.now_ms()):
            return True
        connection.transport.abort()
        return False

    def _lost(self, connection: MqttConnection) -> None:
        self._all.discard(connection)
        self._unproven.leave(connection)
        self._waiting.leave(connection)
        if connection.waiting_login is not None:  # else the logins of a crowd that has gone would wait for ever longer
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
            # MQTT 3.1.1 cannot say no to a PUBLISH [MQTT-3.3.5-2]: it is acknowledged, and dropped.
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
        if not taken:  # MQTT sends it again only on another connection [MQTT-4.4.0-1]
            connection.transport.abort()

    def _violation(self, connection: MqttConnection, error: MalformedPacket) -> None:
        if isinstance(error, PacketTooLarge):
            self._counters.closed_too_large += 1
        else:
            self._counters.closed_malformed += 1
        _log.info("closed a connection of %s: %s", connection.session.unit_id or "a stranger", error)
        connection.transport.abort()

    # From CONNECT to open.

    async def _log_in(self, connection: MqttConnection, asked: ConnectReceived) -> None:
        async with self._turns:
            connection.waiting_login = None
            if not connection.transport.is_closing():
                await self._authenticate(connection, asked)
            if connection.broker_task is not None:  # its turn ends with the broker's CONNACK
                answered = self._loop.create_task(connection.answered.wait())
                await asyncio.wait({connection.broker_task, answered}, return_when=asyncio.FIRST_COMPLETED)
                answered.cancel()

    async def _authenticate(self, connection: MqttConnection, asked: ConnectReceived) -> None:
        with suppress(SQLAlchemyError):  # then the secret cannot be compared either
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
        """A unit has one connection: the newest that proved itself. The broker must be done with the older first."""
        self._counters.take_overs += 1
        older.transport.abort()
        if older.broker_task is not None:
            await asyncio.wait({older.broker_task}, timeout=TAKE_OVER_WITHIN_S)
        self._no_longer_accepted(older)  # another login may have been quicker: its connection must not be forgotten

    async def _serve(self, connection: MqttConnection, reader: ReaderAdapter, writer: WriterAdapter) -> None:
        try:
            await self._hand_over(reader, writer)
        except Exception:  # the broker's own faults end this connection and nothing else
            _log.exception("the broker failed on the connection of %s", connection.session.unit_id)
        finally:
            connection.transport.close()

    def _no_longer_accepted(self, connection: MqttConnection) -> None:
        unit_id = connection.session.unit_id
        if self._accepted.get(unit_id) is connection:
            del self._accepted[unit_id]
            self._mark_connected(unit_id, False)

    def _is_alive(self, unit_id: str) -> bool:
        """Whether it has been heard lately, and so is no half-open connection that its unit has long given up."""
        unit = self._ingest.live.find(unit_id)
        last_ms = None if unit is None or unit.offset_ms is None else unit.last_contact_ms
        return last_ms is not None and self._clock.now_ms() - last_ms <= ALIVE_MS

    def _mark_connected(self, unit_id: str, connected: bool) -> None:
        if unit_id != CANARY_ID:  # which is no unit
            self._ingest.live.unit(unit_id).connected = connected
            self._ingest.reports.connected(unit_id, connected)

    # By the clock.

    async def _reap(self) -> None:
        """Close what has let its time pass; the broker would wait for ever."""
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
        """A secret that was changed or taken away ends what was opened with it."""
        for unit_id, changed_ms in (await self._changed_secrets.look()).items():
            connection = self._accepted.get(unit_id)
            if connection is not None and connection.credentials_ms != changed_ms:
                self._counters.closed_revoked += 1
                connection.transport.abort()
