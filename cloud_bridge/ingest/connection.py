"""One connection of a unit: cuts the stream into whole packets and sorts them. gate.py holds its states."""

import asyncio
import ssl
from functools import partial
from typing import Protocol, cast

from amqtt.adapters import StreamReaderAdapter, WriterAdapter

from cloud_bridge.ingest import packets
from cloud_bridge.ingest.packets import Connect, MalformedPacket, PacketTooLarge, Publish
from cloud_bridge.wire import MAX_PAYLOAD_BYTES

MAX_PACKET_BYTES = MAX_PAYLOAD_BYTES + 256  # and its topic
MAX_UNWRITTEN = 200  # messages of one unit that the store has not committed; then its socket is not read
MAX_UNSENT_BYTES = 64 * 1024  # for a unit that does not read what it is sent

TO_BROKER = frozenset({packets.PUBACK, packets.SUBSCRIBE, packets.UNSUBSCRIBE, packets.PINGREQ, packets.DISCONNECT})


class Keeper(Protocol):
    """What a connection needs of the gate."""

    def joined(self, connection: "UnitConnection") -> None: ...
    def asks(self, connection: "UnitConnection", connect: Connect, body: bytes) -> None: ...
    def publishes(self, connection: "UnitConnection", publish: Publish) -> None: ...
    def misbehaves(self, connection: "UnitConnection", error: MalformedPacket) -> None: ...
    def left(self, connection: "UnitConnection") -> None: ...


class UnitConnection(asyncio.Protocol):
    """From accept to close. All of it runs on the event loop."""

    unit_id = ""  # known and proven once open
    checked_ms = 0  # when its secret was compared, by the wall clock
    broker_task: asyncio.Task[None] | None = None  # the broker's side of it, while open
    transport: asyncio.Transport  # from connection_made on

    def __init__(self, keeper: Keeper, loop: asyncio.AbstractEventLoop, connect_within_s: float) -> None:
        self.heard_s = loop.time()
        self.idle_limit_s = connect_within_s
        self.answered = asyncio.Event()  # with a CONNACK, or never again
        self._keeper = keeper
        self._loop = loop
        self._buffer = bytearray()
        self._asked = False  # the CONNECT was seen
        self._open = False  # and answered by the broker
        self._to_broker: asyncio.StreamReader | None = None  # once the secret was right
        self._unwritten = 0
        self._paused = False

    # Called by the event loop.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self._keeper.joined(self)

    def data_received(self, data: bytes) -> None:
        self.heard_s = self._loop.time()
        self._buffer += data
        if self._open or not self._asked:
            self._take_packets()
        elif len(self._buffer) > MAX_PACKET_BYTES:
            self._keeper.misbehaves(self, PacketTooLarge("before the CONNACK"))

    def connection_lost(self, error: Exception | None) -> None:
        self.answered.set()
        if self._to_broker is not None:
            self._to_broker.feed_eof()
        self._keeper.left(self)

    # Called by the gate.

    def open(self, unit_id: str, connect_body: bytes) -> tuple[StreamReaderAdapter, "UnitWriter"]:
        """The unit is who it says. Returns what the broker reads from and writes to, the CONNECT ahead."""
        self.unit_id = unit_id
        self._to_broker = asyncio.StreamReader()
        self._to_broker.set_transport(self.transport)  # stops reading the socket while the broker is behind
        self._to_broker.feed_data(packets.whole(packets.CONNECT << 4, connect_body))
        return StreamReaderAdapter(self._to_broker), UnitWriter(self)

    def answer(self, data: bytes) -> None:
        """From the broker. Its first word is the CONNACK; what the unit sent meanwhile is taken after that."""
        self.write(data)
        if not self._open:
            self._open = True
            self.answered.set()
            self._loop.call_soon(self._take_packets)

    def refuse(self, return_code: int) -> None:
        """Answer the CONNECT with the reason, and close."""
        self.write(packets.connack(return_code))
        self.transport.close()

    def acknowledge(self, packet_id: int | None) -> None:
        """The message is committed (or was dropped on purpose): say so, and read on if the socket had to wait."""
        if packet_id is not None:
            self.write(packets.puback(packet_id))
        self._unwritten -= 1
        if self._paused and self._unwritten < MAX_UNWRITTEN // 2 and not self.transport.is_closing():
            self._paused = False
            self.transport.resume_reading()

    def acknowledgement(self, packet_id: int | None) -> partial[None]:
        """`acknowledge` for later; counts against the unit until then."""
        self._unwritten += 1
        if self._unwritten >= MAX_UNWRITTEN and not self._paused and not self.transport.is_closing():
            self._paused = True
            self.transport.pause_reading()
        return partial(self.acknowledge, packet_id)

    def write(self, data: bytes) -> None:
        """To the unit. A unit that does not read is cut off."""
        if self.transport.is_closing():
            return
        if self.transport.get_write_buffer_size() > MAX_UNSENT_BYTES:
            self.transport.abort()
            return
        self.transport.write(data)

    def _take_packets(self) -> None:
        """All whole packets that have come in."""
        at = 0
        try:
            if not self._asked and self._buffer[0] != packets.CONNECT << 4:
                raise MalformedPacket("[MQTT-3.1.0-1] the first packet is not a CONNECT")
            while not self.transport.is_closing():
                frame = packets.next_frame(self._buffer, at, MAX_PACKET_BYTES)
                if frame is None:
                    break
                self._take(self._buffer[at], bytes(self._buffer[frame.body_at : frame.end_at]))
                at = frame.end_at
                if not self._open:  # that was the CONNECT, now being checked
                    break
        except MalformedPacket as error:
            self._keeper.misbehaves(self, error)
        del self._buffer[:at]

    def _take(self, first_byte: int, body: bytes) -> None:
        packet_type = first_byte >> 4
        if not self._asked:
            self._asked = True
            self._keeper.asks(self, packets.parse_connect(body), body)
        elif packet_type == packets.PUBLISH:
            self._keeper.publishes(self, packets.parse_publish(first_byte, body))
        elif packet_type in TO_BROKER and self._to_broker is not None:
            self._to_broker.feed_data(packets.whole(first_byte, body))
        else:
            raise MalformedPacket(f"a packet of type {packet_type}, which no unit sends")


class UnitWriter(WriterAdapter):
    """The broker's pen: what it writes goes out through the connection's own bounds."""

    def __init__(self, connection: UnitConnection) -> None:
        self._connection = connection

    def write(self, data: bytes) -> None:
        self._connection.answer(data)

    async def drain(self) -> None:
        """Nothing to wait for: `UnitConnection.write` bounds what is unsent."""

    def get_peer_info(self) -> tuple[str, int] | None:
        peer = self._connection.transport.get_extra_info("peername")
        return None if peer is None else (peer[0], peer[1])

    def get_ssl_info(self) -> ssl.SSLObject | None:
        return cast("ssl.SSLObject | None", self._connection.transport.get_extra_info("ssl_object"))

    async def close(self) -> None:
        self._connection.transport.close()
