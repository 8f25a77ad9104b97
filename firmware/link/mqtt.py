"""An MQTT client: umqtt.simple 1.3.4 over a modem's stream, with workarounds for its known defects.

- Each packet is one write, and each wait has a deadline, which `check_msg` does not lift (packet_socket.py).
- Packet IDs wrap at 65,535. umqtt.simple counts on, so its 65,536th publish waits for an acknowledgement that cannot come.
- After a missed PUBACK, the same packet is sent again with DUP; a second missed PUBACK ends the connection.
- A ping waits for PINGRESP. umqtt.simple discards it, so that a half-open connection would go unnoticed forever.
- Invalid data from the broker raise OSError, never AssertionError or IndexError, and end the connection.
- A message longer than PACKET_MAX is skipped, acknowledged and counted; otherwise a retained one would arrive again with each
  connection. A packet of an unexpected type ends the connection.
- A PUBACK that arrives too late for its publish is read completely, so that the following packet is parsed correctly.
- Received messages are queued in `incoming`, so that no other code runs, and none can raise, while a packet is read.
"""

import errno
from collections import namedtuple

from umqtt import simple

from firmware.link.packet_socket import EPROTO, OPERATION_MS, PACKET_MAX, PacketSocket

if False:  # for mypy alone
    from collections.abc import Callable
    from typing import Any

    from firmware.clock import Clock
    from firmware.link.packet_socket import Transport

PUBACK, SUBACK = 0x40, 0x90
DUP = 0x08  # in the first byte of a PUBLISH, to which umqtt.simple adds the value of `retain`
LAST_PACKET_ID = 65535
PIECES_MAX = 8  # queued pieces of an update; further ones are dropped and requested again
INCOMING_MAX = 4  # queued messages; further ones are dropped and counted
SKIPPED_MAX = 262144  # bytes of a message that is skipped; the limits of mosquitto and of the bridge's broker are lower
PIECE = 256  # bytes that are read at a time while skipping
SLOWEST_BYTE_MS = 2  # 500 bytes/s, poor GPRS

Broker = namedtuple("Broker", "host port unit_id secret")  # its address, and the unit's credentials


class Mqtt(simple.MQTTClient):
    """One connection. A refusal by CONNACK or SUBACK raises simple.MQTTException, every other failure OSError."""

    def __init__(self, transport: "Transport", clock: "Clock", broker: Broker, keepalive_s: int) -> None:
        super().__init__(broker.unit_id, broker.host, broker.port, broker.unit_id, broker.secret, keepalive_s)
        self._wire = PacketSocket(transport, clock)
        self._clock = clock
        self._packet_at = 0  # bytes received before the packet that is being read
        self.heard_ms = 0  # time of the last packet from the broker
        self.incoming: list[tuple[bytes, bytes]] = []  # (topic, payload), oldest first; the reader removes them
        self.pieces: list[bytes] = []  # of an update, oldest first; the reader removes them
        self.hears_pieces = False  # subscribed to the pieces of an update
        self.dropped = 0  # messages that were too many or too long; the reader resets it when it reports them
        self.set_callback(self._receive)

    def connect(self, clean_session: bool = True) -> object:
        """Connect by TCP, send CONNECT, wait for CONNACK. Raises MQTTException(return code) if the broker refuses; OSError."""
        simple.socket = _OneSocket(self._wire)  # type: ignore[assignment, attr-defined]  # replaces its socket module
        answer = self._run(super().connect, clean_session)
        self.heard_ms = self._clock.now_ms()
        return answer

    def publish(self, topic: str, msg: bytes, retain: int = False, qos: int = 0) -> None:
        """Publish; with QoS 1, wait for the PUBACK. Raises OSError; ETIMEDOUT if the PUBACK is missed twice."""
        self._wrap_packet_id()
        try:
            self._run(super().publish, topic, msg, retain, qos)
        except OSError as error:
            if error.args[0] != errno.ETIMEDOUT or qos == 0 or self._wire.received != self._packet_at:
                raise
            self.pid -= 1  # send the same packet again, with the same ID
            self._run(super().publish, topic, msg, DUP | retain, qos)
        if qos:
            self.heard_ms = self._clock.now_ms()

    def subscribe(self, topic: str, qos: int = 0) -> object:
        """Subscribe, and wait for the SUBACK. Raises MQTTException if the broker refuses; OSError."""
        self._wrap_packet_id()
        return self._run(super().subscribe, topic, qos)

    def ping(self) -> None:
        """Send PINGREQ and wait for PINGRESP. Raises OSError."""
        self._run(self._ping)
        self.heard_ms = self._clock.now_ms()

    def check_msg(self) -> None:
        """Process one packet if one was received; do not wait for one. Raises OSError."""
        if self._run(super().check_msg) == PUBACK:
            self._run(self._wire.read, 3)  # for a publish that was given up

    def wait_msg(self) -> "int | None":
        self._packet_at = self._wire.received
        try:
            kind: int | None = super().wait_msg()
        except _Skipped:
            return None
        if kind in (None, PUBACK, SUBACK):
            return kind
        raise OSError(EPROTO)

    def disconnect(self) -> None:
        """Send DISCONNECT if possible, and close the connection. Raises nothing."""
        try:
            self._run(self._wire.write, b"\xe0\0")
        except OSError:
            pass  # the connection is closed already
        finally:
            self._wire.close()

    def _ping(self) -> None:
        super().ping()
        while True:
            kind, came = self.wait_msg(), self._wire.received - self._packet_at
            if kind == PUBACK:
                self._wire.read(3)
            elif kind is None and came == 2:  # PINGRESP is the only packet of two bytes
                return

    def _run(self, call: "Callable[..., Any]", *arguments: object) -> "Any":
        self._wire.begin()
        try:
            answer = call(*arguments)
            self._wire.send()
            return answer
        except (AssertionError, IndexError):
            raise OSError(EPROTO) from None

    def _recv_len(self) -> int:
        """Return the remaining length of a PUBLISH; umqtt.simple calls this for no other packet. Raises _Skipped if the packet
        was skipped, or OSError.
        """
        qos = self._wire.last_byte >> 1 & 3
        length = 0
        for shift in (0, 7, 14, 21):  # MQTT 3.1.1, 2.2.3: at most four bytes; umqtt.simple has no limit
            byte = self._wire.read(1)[0]  # type: ignore[index]  # None only if not blocking
            length |= (byte & 0x7F) << shift
            if byte < 0x80:
                if length > PACKET_MAX:
                    self._skip(length, qos)
                return length
        raise OSError(EPROTO)

    def _skip(self, length: int, qos: int) -> None:
        """Discard the rest of a PUBLISH, and acknowledge it. Raises _Skipped, or OSError."""
        if length > SKIPPED_MAX:
            raise OSError(errno.ENOBUFS)
        self._wire.begin(OPERATION_MS + length * SLOWEST_BYTE_MS)
        topic_bytes = int.from_bytes(self._wire.read(2) or b"", "big")
        self._wire.read(topic_bytes)
        packet_id = self._wire.read(2 if qos else 0) or b""
        length -= 2 + topic_bytes + len(packet_id)
        while length:
            length -= len(self._wire.read(min(length, PIECE)) or b"")
        if qos:
            self._wire.write(b"\x40\x02" + packet_id)
        self.dropped += 1
        raise _Skipped

    def _receive(self, topic: bytes, payload: bytes) -> None:
        self.heard_ms = self._clock.now_ms()
        if topic.endswith(b"/piece"):
            if len(self.pieces) < PIECES_MAX:
                self.pieces.append(payload)
        elif len(self.incoming) < INCOMING_MAX:
            self.incoming.append((topic, payload))
        else:
            self.dropped += 1

    def _wrap_packet_id(self) -> None:
        if self.pid >= LAST_PACKET_ID:
            self.pid = 0


class _Skipped(Exception):
    """A message was too long and was discarded."""


class _OneSocket:
    """Replaces the socket module in umqtt.simple. Its only socket is the PacketSocket; the modem resolves host names."""

    def __init__(self, wire: PacketSocket) -> None:
        self._wire = wire

    def socket(self) -> PacketSocket:
        return self._wire

    def getaddrinfo(self, host: str, port: int) -> "list[tuple[int, int, int, str, tuple[str, int]]]":
        return [(0, 0, 0, "", (host, port))]
