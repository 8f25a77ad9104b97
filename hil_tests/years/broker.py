"""An MQTT broker in memory, with sessions, keepalive, wills, and QoS 1 in both directions.

It parses packets with the product's MqttSession (cloud_bridge/ingest/session.py). A unit's PUBLISH goes to the bridge,
and is acknowledged when the bridge has committed it.
"""

import asyncio
from collections.abc import Callable
from typing import Any, cast

from cloud_bridge.contact import own_topic
from cloud_bridge.ingest import packets
from cloud_bridge.ingest.packets import MalformedPacket
from cloud_bridge.ingest.session import ConnectReceived, ForBroker, MqttSession, PublishReceived
from hil_tests.bench.air import SEGMENT_BYTES
from hil_tests.years.bridge import Bridge
from hil_tests.years.virtual_loop import VirtualLoop

PORT = 1883
OPENING_SEGMENTS, CLOSING_SEGMENTS = 3, 4
REFUSED_SECRET, REFUSED_UNAVAILABLE = 4, 3


class Broker:
    """`secrets` are by unit ID. A command is sent once: if the connection ends before it arrives, it is lost."""

    def __init__(self, loop: VirtualLoop, bridge: Bridge) -> None:
        self.loop, self.bridge = loop, bridge
        self.secrets: dict[str, str] = {}
        self.accepted: dict[str, Connection] = {}
        self.open: set[Connection] = set()
        self.acknowledged: list[tuple[str, str, bytes]] = []  # unit, kind, payload
        self.wills = 0
        self.logins = 0
        self.carried = {"up": 0, "down": 0}  # bytes of MQTT
        self.pieces = 0  # segments of MQTT, both ways; with TLS, each would be one record
        self.air_bytes = 0  # bytes of MQTT, TCP headers and acknowledgements, and of opening and closing connections
        self.loses_acknowledgements = 0  # how many of the next PUBACKs are lost
        self.unavailable = False
        self.heard: Callable[[str, bytes], None] = lambda kind, payload: None

    def start(self) -> None:
        self.loop.listen(PORT, lambda: Connection(self))

    def stop(self) -> None:
        """End the broker process: reset its connections and refuse new ones."""
        self.loop.listen(PORT, None)
        for connection in tuple(self.open):
            connection.transport.abort()

    def send(self, unit_id: str, payload: bytes) -> bool:
        """Send a command. Return False if the unit is not connected."""
        connection = self.accepted.get(unit_id)
        if connection is None:
            return False
        connection.command(payload)
        return True


class Connection(asyncio.Protocol):
    """The connection of one unit."""

    transport: asyncio.Transport

    def __init__(self, broker: Broker) -> None:
        self._broker = broker
        self._loop = broker.loop
        self._session = MqttSession(self._loop.time())
        self._timer: asyncio.TimerHandle | None = None
        self._packet_id = 0
        self._subscribed: list[str] = []
        self._has_will = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self._broker.open.add(self)
        self._broker.air_bytes += OPENING_SEGMENTS * SEGMENT_BYTES
        self._watch()

    def data_received(self, data: bytes) -> None:
        self._broker.carried["up"] += len(data)
        self._broker.pieces += 1
        self._broker.air_bytes += SEGMENT_BYTES + len(data)  # no separate acknowledgement: the answer carries it
        try:
            self._session.receive(data, self._loop.time())
            while (
                not self.transport.is_closing() and (event := self._session.next_event(self._loop.time())) is not None
            ):
                self._happened(event)
        except MalformedPacket:
            self.transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        broker, unit_id = self._broker, self._session.unit_id
        broker.open.discard(self)
        broker.air_bytes += CLOSING_SEGMENTS * SEGMENT_BYTES
        if self._timer is not None:
            self._timer.cancel()
        if broker.accepted.get(unit_id) is self:
            del broker.accepted[unit_id]
        if self._has_will:
            broker.wills += 1  # a will does not count as contact
        self._session.end()

    def command(self, payload: bytes) -> None:
        self._packet_id = self._packet_id % 65_535 + 1
        topic = f"cp/{self._session.unit_id}/command".encode()
        body = len(topic).to_bytes(2) + topic + self._packet_id.to_bytes(2) + payload
        self._write(packets.whole(0x32, body))

    def _happened(self, event: Any) -> None:
        if isinstance(event, ConnectReceived):
            self._log_in(event)
        elif isinstance(event, PublishReceived):
            self._publish(event)
        elif isinstance(event, ForBroker):
            self._serve(event.packet)

    def _log_in(self, event: ConnectReceived) -> None:
        broker, connect = self._broker, event.connect
        if broker.unavailable or not broker.bridge.running:
            self._refuse(REFUSED_UNAVAILABLE)
        elif connect.password is None or broker.secrets.get(connect.client_id) != connect.password:
            self._refuse(REFUSED_SECRET)
        else:
            if older := broker.accepted.get(connect.client_id):
                older.transport.abort()
            broker.accepted[connect.client_id] = self
            broker.logins += 1
            self._has_will = connect.will_topic is not None
            self._session.accept(connect.client_id, connect.keep_alive_s)
            self._write(packets.connack(0))
            self._session.open(self._loop.time())

    def _refuse(self, return_code: int) -> None:
        self._write(packets.connack(return_code))
        self.transport.close()

    def _publish(self, event: PublishReceived) -> None:
        unit_id, published = self._session.unit_id, event.publish
        kind = own_topic(unit_id, published.topic)

        def committed() -> None:
            if kind is not None:
                self._broker.acknowledged.append((unit_id, kind, published.payload))
            puback = self._session.commit(published.packet_id)
            if self._broker.loses_acknowledgements:
                self._broker.loses_acknowledgements -= 1
                self.transport.abort()
            elif puback:
                self._write(puback)

        bridge = self._broker.bridge
        if kind is not None and bridge.running:
            self._broker.heard(kind, published.payload)
        if kind is None:
            committed()
        elif not bridge.running or not bridge.take(unit_id, kind, published.payload, published.redelivered, committed):
            self.transport.abort()

    def _serve(self, packet: bytes) -> None:
        kind = packet[0] >> 4
        if kind == packets.SUBSCRIBE:
            self._write(b"\x90\x03" + packet[2:4] + b"\x01")
        elif kind == packets.PINGREQ:
            self._write(b"\xd0\x00")
        elif kind == packets.DISCONNECT:
            self._has_will = False
            self.transport.close()

    def _write(self, data: bytes) -> None:
        self._broker.carried["down"] += len(data)
        self._broker.pieces += 1
        self._broker.air_bytes += 2 * SEGMENT_BYTES + len(data)
        self.transport.write(data)

    def _watch(self) -> None:
        """Close the connection if its keepalive has expired, and check again at the next deadline."""
        if self._session.is_overdue(self._loop.time()):
            self.transport.abort()
            return
        deadline_s = self._session._deadline_s
        self._timer = self._loop.call_at(max(deadline_s + 0.001, self._loop.time() + 1), self._watch)
