"""The gate in front of the embedded broker: it owns the sockets, and nothing reaches the broker unchecked.

amqtt 0.12.1 takes a connection over before it has checked the password, keeps a session for every failed login, has
no limit of packet size, time or idleness, loses a packet whose header straddles its keepalive deadline, and lets wills
pass its access list (all measured). So every connection goes through these states here first:

    waiting ---CONNECT---> checking ---secret right, older connection gone---> open ---> closed
       | 20 s, or no MQTT     | refused: CONNACK with the reason                 | idle for 1.5 keepalives, malformed,
       v                      v                                                  | end of file, newer connection
     closed                 closed

While it is open, what the unit publishes is stamped and taken in right here, at the first hop, and acknowledged when
it is committed. It is never routed: nobody may subscribe to it. All else (subscriptions, pings, acknowledged
commands) goes to the broker, packet by packet.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from amqtt.adapters import ReaderAdapter, WriterAdapter
from sqlalchemy.exc import SQLAlchemyError

from cloud_bridge.clock import Clock
from cloud_bridge.contact import own_topic
from cloud_bridge.counters import Counters
from cloud_bridge.ingest import packets
from cloud_bridge.ingest.canary import CANARY_ID
from cloud_bridge.ingest.certificate import Certificate
from cloud_bridge.ingest.connection import UnitConnection
from cloud_bridge.ingest.credentials import Credentials
from cloud_bridge.ingest.intake import Intake
from cloud_bridge.ingest.packets import Connect, MalformedPacket, PacketTooLarge, Publish
from cloud_bridge.ingest.quarantine import Quarantine
from cloud_bridge.live import Live
from cloud_bridge.wire import UNIT_ID

CONNECT_WITHIN_S = 20.0  # from accept to CONNECT: an old modem shakes hands for 10 s
HANDSHAKE_WITHIN_S = 60.0  # TLS over GPRS with a microcontroller at the other end
TAKE_OVER_WITHIN_S = 5.0  # for the broker to let go of the older connection
IDLE_FACTOR = 1.5  # of the keepalive, section 3.1.2.10 of the standard
IDLE_LIMIT_S = 3600.0  # for a unit that asks for no keepalive; it has something to say every 300 s
LOGINS_AT_ONCE = 2  # the others wait their turn, so that pages are answered while a whole fleet comes back
TURN_WITHIN_S = 300.0
LOOK_EVERY_S = 1.0
LOOK_BACK_MS = 60_000  # for secrets taken away since the last look: longer than any login is under way
MAX_CONNECTIONS = 10_000

Handover = Callable[[ReaderAdapter, WriterAdapter], Awaitable[None]]  # returns when the broker is done with it

_log = logging.getLogger(__name__)


class Gate:
    """Listens, checks, stamps. Created and used on one event loop."""

    def __init__(
        self,
        intake: Intake,
        credentials: Credentials,
        live: Live,
        quarantine: Quarantine,
        counters: Counters,
        clock: Clock,
        hand_over: Handover,
    ) -> None:
        self._intake = intake
        self._credentials = credentials
        self._live = live
        self._quarantine = quarantine
        self._counters = counters
        self._clock = clock
        self._hand_over = hand_over
        self._loop = asyncio.get_running_loop()
        self._turns = asyncio.Semaphore(LOGINS_AT_ONCE)
        self._servers: list[asyncio.Server] = []
        self._certificate: Certificate | None = None
        self._reaper: asyncio.Task[None] | None = None
        self._all: set[UnitConnection] = set()
        self._open: dict[str, UnitConnection] = {}
        self._checks: set[asyncio.Task[None]] = set()
        self._looked_ms = clock.now_ms()  # for secrets taken away

    async def listen(self, host: str, port: int, certificate: Certificate | None = None) -> int:
        """Accept units from now on, with a certificate only over TLS. May be called for several ports.

        Returns the port, chosen by the system when 0. Raises OSError.
        """
        server = await self._loop.create_server(
            lambda: UnitConnection(self, self._loop, CONNECT_WITHIN_S),
            host,
            port,
            ssl=None if certificate is None else certificate.context,
            ssl_handshake_timeout=None if certificate is None else HANDSHAKE_WITHIN_S,
        )
        self._servers.append(server)
        self._certificate = certificate or self._certificate
        if self._reaper is None:
            self._reaper = self._loop.create_task(self._reap())
        bound: int = server.sockets[0].getsockname()[1]
        return bound

    async def close(self) -> None:
        """Stop listening, close every connection, and wait until the broker has let go of them."""
        for server in self._servers:
            server.close()
        if self._reaper is not None:
            self._reaper.cancel()
        tasks = {connection.broker_task for connection in self._open.values() if connection.broker_task}
        for connection in list(self._all):
            connection.transport.close()
        if waited_for := tasks | self._checks:
            await asyncio.wait(waited_for, timeout=TAKE_OVER_WITHIN_S)

    @property
    def connections(self) -> int:
        return len(self._all)

    def is_connected(self, unit_id: str) -> bool:
        """Whether the unit has a connection open. Says nothing about contact: half-open ones look the same."""
        return unit_id in self._open

    # Called by the connections.

    def joined(self, connection: UnitConnection) -> None:
        self._all.add(connection)
        if len(self._all) > MAX_CONNECTIONS:
            self._counters.refused_full += 1
            connection.transport.abort()

    def asks(self, connection: UnitConnection, connect: Connect, body: bytes) -> None:
        connection.idle_limit_s = TURN_WITHIN_S
        check = self._loop.create_task(self._take_turn(connection, connect, body))
        self._checks.add(check)
        check.add_done_callback(self._checks.discard)

    def publishes(self, connection: UnitConnection, publish: Publish) -> None:
        if publish.qos == 2:
            raise MalformedPacket("QoS 2, which the wire format does not use")
        unit_id = connection.unit_id
        written = connection.acknowledgement(publish.packet_id)
        kind = own_topic(unit_id, publish.topic)
        if publish.retain or kind is None:
            # MQTT 3.1.1 cannot say no to a PUBLISH [MQTT-3.3.5-2]: it is acknowledged, and dropped.
            if kind is None:
                self._counters.dropped_foreign_topic += 1
            else:
                self._counters.dropped_retained += 1
            written()
            return
        now_ms = self._clock.now_ms()
        if unit_id == CANARY_ID:
            taken = self._intake.take_canary(now_ms, written)
        else:
            taken = self._intake.take(unit_id, kind, publish.payload, now_ms, publish.redelivered, written)
        if not taken:  # MQTT sends it again only on another connection [MQTT-4.4.0-1]
            connection.transport.abort()

    def misbehaves(self, connection: UnitConnection, error: MalformedPacket) -> None:
        if isinstance(error, PacketTooLarge):
            self._counters.closed_too_large += 1
        else:
            self._counters.closed_malformed += 1
        _log.info("closed a connection of %s: %s", connection.unit_id or "a stranger", error)
        connection.transport.abort()

    def left(self, connection: UnitConnection) -> None:
        self._all.discard(connection)
        self._no_longer_open(connection)

    # From CONNECT to open.

    async def _take_turn(self, connection: UnitConnection, connect: Connect, body: bytes) -> None:
        async with self._turns:
            if not connection.transport.is_closing():
                await self._check(connection, connect, body)
            if connection.broker_task is not None:  # its turn ends with the broker's CONNACK
                answered = self._loop.create_task(connection.answered.wait())
                await asyncio.wait({connection.broker_task, answered}, return_when=asyncio.FIRST_COMPLETED)
                answered.cancel()

    async def _check(self, connection: UnitConnection, connect: Connect, body: bytes) -> None:
        connection.checked_ms = self._clock.now_ms()
        refusal = self._form_refusal(connect) or await self._login_refusal(connect)
        if refusal:
            connection.refuse(refusal)
            return
        unit_id = connect.client_id
        while (older := self._open.get(unit_id)) is not None:
            await self._take_over(older)
        if connection.transport.is_closing():
            return
        self._open[unit_id] = connection
        self._counters.logins += 1
        self._mark_connected(unit_id, True)
        connection.idle_limit_s = connect.keep_alive_s * IDLE_FACTOR or IDLE_LIMIT_S
        at = connect.keep_alive_at  # the gate keeps the keepalive; to the broker it is off
        reader, writer = connection.open(unit_id, body[:at] + b"\0\0" + body[at + 2 :])
        connection.broker_task = self._loop.create_task(self._serve(connection, reader, writer))

    def _form_refusal(self, connect: Connect) -> int:
        """The CONNACK code for a CONNECT that cannot be right whatever the secret; 0 if it can."""
        if connect.level != 4 or connect.protocol != "MQTT":
            self._counters.refused_protocol += 1
            return packets.WRONG_PROTOCOL
        if connect.user_name != connect.client_id:
            self._counters.refused_client_id += 1
            return packets.ID_REJECTED
        if connect.will_topic is not None and (
            connect.will_topic != f"cp/{connect.client_id}/lwt" or connect.will_retain
        ):
            self._counters.refused_will += 1
            return packets.NOT_AUTHORISED
        return 0

    async def _login_refusal(self, connect: Connect) -> int:
        if not UNIT_ID.match(connect.client_id):
            self._counters.refused_unknown_unit += 1
            return packets.NOT_AUTHORISED
        try:
            right = await self._credentials.check(connect.client_id, connect.password or "")
        except SQLAlchemyError as error:
            self._counters.refused_store += 1
            _log.warning("cannot read who may log in: %s", error)
            return packets.UNAVAILABLE
        if right is None:
            self._counters.refused_unknown_unit += 1
            self._quarantine.saw(connect.client_id, self._clock.now_ms())
        elif not right:
            self._counters.refused_wrong_secret += 1
        else:
            return 0
        _log.info("refused a login as %s", connect.client_id)
        return packets.NOT_AUTHORISED

    def _no_longer_open(self, connection: UnitConnection) -> None:
        if self._open.get(connection.unit_id) is connection:
            del self._open[connection.unit_id]
            self._mark_connected(connection.unit_id, False)

    def _mark_connected(self, unit_id: str, connected: bool) -> None:
        if unit_id != CANARY_ID:  # which is no unit
            self._live.unit(unit_id).connected = connected

    async def _take_over(self, older: UnitConnection) -> None:
        """A unit has one connection: the newest that proved itself. The broker must be done with the older first."""
        self._counters.take_overs += 1
        older.transport.abort()
        if older.broker_task is not None:
            await asyncio.wait({older.broker_task}, timeout=TAKE_OVER_WITHIN_S)
        self._no_longer_open(older)  # another login may have been quicker: its connection must not be forgotten

    async def _serve(self, connection: UnitConnection, reader: ReaderAdapter, writer: WriterAdapter) -> None:
        try:
            await self._hand_over(reader, writer)
        except Exception:  # the broker's own faults end this connection and nothing else
            _log.exception("the broker failed on the connection of %s", connection.unit_id)
        finally:
            connection.transport.close()

    async def _reap(self) -> None:
        """Close what has said nothing for too long; the broker would wait for ever."""
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            now_s = self._loop.time()
            for connection in [one for one in self._all if now_s - one.heard_s > one.idle_limit_s]:
                if connection.unit_id:
                    self._counters.closed_idle += 1
                else:
                    self._counters.closed_no_connect += 1
                connection.transport.abort()
            if self._certificate is not None:
                self._certificate.look()
            await self._close_revoked()

    async def _close_revoked(self) -> None:
        """A secret that was changed or taken away ends what was opened with it."""
        now_ms = self._clock.now_ms()
        try:
            changed = await self._credentials.changed(self._looked_ms - LOOK_BACK_MS)
        except SQLAlchemyError as error:  # looked at again in a second; nobody logs in meanwhile either
            _log.warning("cannot read who was revoked: %s", error)
            return
        self._looked_ms = now_ms
        for unit_id, changed_ms in changed.items():
            connection = self._open.get(unit_id)
            if connection is not None and connection.checked_ms <= changed_ms:
                self._counters.closed_revoked += 1
                connection.transport.abort()
