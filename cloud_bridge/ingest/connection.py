"""The connection of one unit: its socket, its MqttSession, and the reader and writer of the broker. Runs on the event
loop."""

import asyncio
import socket
import ssl
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import cast

from amqtt.adapters import StreamReaderAdapter, WriterAdapter

from cloud_bridge.duplicate_identity import Connection
from cloud_bridge.ingest import packets
from cloud_bridge.ingest.packets import MalformedPacket
from cloud_bridge.ingest.session import MAX_UNCOMMITTED, Event, MqttSession, State

MAX_UNSENT_BYTES = 64 * 1024  # buffered for a unit that does not read; beyond this it is disconnected
RECORD_PACKETS = 4  # packets in one TLS record (write_several)

OnEvent = Callable[["MqttConnection", Event | MalformedPacket], None]
OnChange = Callable[["MqttConnection"], None]


class MqttConnection(asyncio.Protocol):
    """The asyncio protocol of a unit's connection. Calls `on_event` for every packet, and `on_lost` once when the
    connection ends, if it was made.

    The object is created when the socket is accepted. Over TLS `connection_made` is called only after the handshake.
    """

    session_type = MqttSession
    max_unsent_bytes = MAX_UNSENT_BYTES
    transport: asyncio.Transport  # set by connection_made
    is_made = False
    network = ""  # of the peer, client_address.network_of
    credentials_ms: int | None = None  # when the unit's secret was last changed, read just before it was compared
    as_evidence: Connection | None = None  # for duplicate_identity.py, once accepted
    waiting_login: asyncio.Task[None] | None = None  # while its CONNECT waits to be checked
    broker_task: asyncio.Task[None] | None = None  # the broker's task for the connection, once accepted

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        accepted: socket.socket,
        on_event: OnEvent,
        on_lost: OnChange,
        over_tls: bool = False,
    ) -> None:
        self.session = self.session_type(loop.time(), over_tls)
        self.answered = asyncio.Event()  # the CONNACK was sent, or the connection was lost
        self._loop = loop
        self._socket = accepted
        self._on_event, self._on_lost = on_event, on_lost
        self._to_broker: asyncio.StreamReader | None = None
        self._paused = False

    # Called by the event loop.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self.is_made = True

    def data_received(self, data: bytes) -> None:
        try:
            self.session.receive(data, self._loop.time())
        except MalformedPacket as error:
            self._on_event(self, error)
        else:
            self._take_events()

    def connection_lost(self, error: Exception | None) -> None:
        self.session.end()
        self.answered.set()
        if self._to_broker is not None:
            self._to_broker.feed_eof()
        self._on_lost(self)

    # Called by the listener.

    def abort(self) -> None:
        """Close the connection at once, even during the TLS handshake."""
        if self.is_made:
            self.transport.abort()
            return
        with suppress(OSError):  # it is closed already
            self._socket.shutdown(socket.SHUT_RDWR)  # the handshake fails with end of file

    def accept(self, unit_id: str, keep_alive_s: int, connect_body: bytes) -> tuple[StreamReaderAdapter, "UnitWriter"]:
        """Accept the authenticated unit. Return the reader and writer for the broker; the reader starts with the
        CONNECT."""
        self.session.accept(unit_id, keep_alive_s)
        self._to_broker = asyncio.StreamReader()
        self._to_broker.set_transport(self.transport)  # for flow control: pauses reading while the broker is behind
        self._to_broker.feed_data(packets.whole(packets.CONNECT << 4, connect_body))
        return StreamReaderAdapter(self._to_broker), UnitWriter(self)

    def refuse(self, return_code: int) -> None:
        """Answer the CONNECT with a return code, and close the connection."""
        self.write(packets.connack(return_code))
        self.transport.close()

    def committed(self, packet_id: int | None) -> partial[None]:
        """Return the function to call when the message is committed, or at once if it is dropped on purpose. Pauses
        reading if too many messages are uncommitted."""
        if self.session.is_full and not self._paused and not self.transport.is_closing():
            self._paused = True
            self.transport.pause_reading()
        return partial(self._acknowledge, packet_id)

    def pass_on(self, packet: bytes) -> None:
        """Forward a packet to the broker."""
        if self._to_broker is not None:
            self._to_broker.feed_data(packet)

    # Called by the broker.

    def answer(self, data: bytes) -> None:
        """Send the broker's data to the unit. The first is the CONNACK; packets that the unit has sent meanwhile are
        processed after it."""
        self.write(data)
        if self.session.state is State.ACCEPTED:
            self.session.open(self._loop.time())
            self.answered.set()
            self._loop.call_soon(self._take_events)

    def write(self, data: bytes) -> None:
        """Send data to the unit. A unit that does not read is disconnected."""
        if self.transport.is_closing():
            return
        if self.transport.get_write_buffer_size() > self.max_unsent_bytes:
            self.transport.abort()
            return
        self.transport.write(data)

    def write_several(self, several: list[bytes]) -> None:
        """Send packets that belong together, in full TCP segments. RECORD_PACKETS packets share a TLS record: a record
        has an overhead of 22 bytes, and a unit can read none of it before all of it has arrived.
        """
        if self.transport.is_closing():
            return
        records = range(0, len(several), RECORD_PACKETS)
        self.transport.writelines([b"".join(several[at : at + RECORD_PACKETS]) for at in records])

    def _acknowledge(self, packet_id: int | None) -> None:
        if puback := self.session.commit(packet_id):
            self.write(puback)
        if self._paused and self.session.uncommitted < MAX_UNCOMMITTED // 2 and not self.transport.is_closing():
            self._paused = False
            self.transport.resume_reading()

    def _take_events(self) -> None:
        next_event, now_s = self.session.next_event, self._loop.time()
        try:
            while not self.transport.is_closing() and (event := next_event(now_s)) is not None:
                self._on_event(self, event)
        except MalformedPacket as error:
            self._on_event(self, error)


class UnitWriter(WriterAdapter):
    """The writer for the broker. Its data goes through MqttConnection, which bounds the unsent bytes."""

    def __init__(self, connection: MqttConnection) -> None:
        self._connection = connection

    def write(self, data: bytes) -> None:
        self._connection.answer(data)

    async def drain(self) -> None:
        """Return at once: `MqttConnection.write` bounds the unsent bytes."""

    def get_peer_info(self) -> tuple[str, int] | None:
        peer = self._connection.transport.get_extra_info("peername")
        return None if peer is None else (peer[0], peer[1])

    def get_ssl_info(self) -> ssl.SSLObject | None:
        return cast("ssl.SSLObject | None", self._connection.transport.get_extra_info("ssl_object"))

    async def close(self) -> None:
        self._connection.transport.close()
