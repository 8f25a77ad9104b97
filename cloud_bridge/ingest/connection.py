"""The socket of one unit, its MqttSession, and the broker's reader and writer on it. Runs on the event loop."""

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

MAX_UNSENT_BYTES = 64 * 1024  # for a unit that does not read what it is sent
RECORD_PACKETS = 4

OnEvent = Callable[["MqttConnection", Event | MalformedPacket], None]
OnChange = Callable[["MqttConnection"], None]


class MqttConnection(asyncio.Protocol):
    """Calls `on_event` for every packet, and `on_lost` once if the connection was made.

    It begins when the socket is accepted. Over TLS it is made only after the handshake.
    """

    session_type = MqttSession
    max_unsent_bytes = MAX_UNSENT_BYTES
    transport: asyncio.Transport  # from connection_made on
    is_made = False
    network = ""  # where it comes from, client_address.network_of
    credentials_ms: int | None = None  # when its secret was changed last, as of just before it was compared
    as_evidence: Connection | None = None  # of two units with one identity, once accepted
    waiting_login: asyncio.Task[None] | None = None  # while its CONNECT waits for its turn
    broker_task: asyncio.Task[None] | None = None  # the broker's side of it, once accepted

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        accepted: socket.socket,
        on_event: OnEvent,
        on_lost: OnChange,
        over_tls: bool = False,
    ) -> None:
        self.session = self.session_type(loop.time(), over_tls)
        self.answered = asyncio.Event()  # with a CONNACK, or never again
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
        """End it at once, also in the middle of the handshake."""
        if self.is_made:
            self.transport.abort()
            return
        with suppress(OSError):  # it has ended already
            self._socket.shutdown(socket.SHUT_RDWR)  # the handshake fails with the end of the stream

    def accept(self, unit_id: str, keep_alive_s: int, connect_body: bytes) -> tuple[StreamReaderAdapter, "UnitWriter"]:
        """The unit is who it says. Returns what the broker reads from and writes to, the CONNECT ahead."""
        self.session.accept(unit_id, keep_alive_s)
        self._to_broker = asyncio.StreamReader()
        self._to_broker.set_transport(self.transport)  # stops reading the socket while the broker is behind
        self._to_broker.feed_data(packets.whole(packets.CONNECT << 4, connect_body))
        return StreamReaderAdapter(self._to_broker), UnitWriter(self)

    def refuse(self, return_code: int) -> None:
        """Answer the CONNECT with the reason, and close."""
        self.write(packets.connack(return_code))
        self.transport.close()

    def committed(self, packet_id: int | None) -> partial[None]:
        """To be called when the message is committed, or at once when it is dropped on purpose."""
        if self.session.is_full and not self._paused and not self.transport.is_closing():
            self._paused = True
            self.transport.pause_reading()
        return partial(self._acknowledge, packet_id)

    def pass_on(self, packet: bytes) -> None:
        """To the broker."""
        if self._to_broker is not None:
            self._to_broker.feed_data(packet)

    # Called by the broker.

    def answer(self, data: bytes) -> None:
        """Its first word is the CONNACK; what the unit sent meanwhile is taken after that."""
        self.write(data)
        if self.session.state is State.ACCEPTED:
            self.session.open(self._loop.time())
            self.answered.set()
            self._loop.call_soon(self._take_events)

    def write(self, data: bytes) -> None:
        """To the unit. A unit that does not read is cut off."""
        if self.transport.is_closing():
            return
        if self.transport.get_write_buffer_size() > self.max_unsent_bytes:
            self.transport.abort()
            return
        self.transport.write(data)

    def write_several(self, several: list[bytes]) -> None:
        """As `write`, packets that belong together: in full segments, and RECORD_PACKETS in a record of TLS, which costs 22
        bytes, and of which a unit reads nothing before all of it has come.
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
    """The broker's pen: what it writes goes out through the connection's own bounds."""

    def __init__(self, connection: MqttConnection) -> None:
        self._connection = connection

    def write(self, data: bytes) -> None:
        self._connection.answer(data)

    async def drain(self) -> None:
        """Nothing to wait for: `MqttConnection.write` bounds what is unsent."""

    def get_peer_info(self) -> tuple[str, int] | None:
        peer = self._connection.transport.get_extra_info("peername")
        return None if peer is None else (peer[0], peer[1])

    def get_ssl_info(self) -> ssl.SSLObject | None:
        return cast("ssl.SSLObject | None", self._connection.transport.get_extra_info("ssl_object"))

    async def close(self) -> None:
        self._connection.transport.close()
