"""umqtt.simple over a modem's stream, hardened: what is known to bite in 1.3.4 is closed here and nowhere else.

- Each packet is one write and each wait has a deadline, which `check_msg` does not lift (wire.py).
- Packet ids wrap at 65,535: the original counts on, its 65,536th publish waits for an acknowledgement that cannot come.
- A missed acknowledgement is answered by the same packet again, with DUP; a second one ends the connection.
- A ping waits for its answer: the original throws PINGRESP away, so a half-open connection looks well for ever.
- What a broker says is never an AssertionError or an IndexError: it is an OSError, and the connection is over.
- A message that is longer than we can hold is read past, acknowledged and counted: a retained one would come again at each
  connection. A packet of a kind we did not ask for ends the connection.
- A PUBACK that comes too late for its publish is read to its end, so what follows is understood.
- What comes in waits in `incoming`: no code of ours runs, and none can raise, in the middle of a packet.
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
DUP = 0x08  # in the first byte of a PUBLISH; umqtt.simple puts whatever `retain` holds there
LAST_PACKET_ID = 65535
PIECES_MAX = 8  # of an update, which came while something else was waited for; more are asked for again
INCOMING_MAX = 4  # messages; more at a time are dropped and counted
SKIPPED_MAX = 262144  # bytes of one message; mosquitto's and our broker's own limits are below
PIECE = 256  # bytes of it at a time
SLOWEST_BYTE_MS = 2  # 500 bytes a second, a bad GPRS

Broker = namedtuple("Broker", "host port unit_id secret")  # where it is, and who we are to it


class Mqtt(simple.MQTTClient):
    """One connection; `refused` of CONNACK stays a simple.MQTTException, everything else that goes wrong an OSError."""

    def __init__(self, transport: "Transport", clock: "Clock", broker: Broker, keepalive_s: int) -> None:
        super().__init__(broker.unit_id, broker.host, broker.port, broker.unit_id, broker.secret, keepalive_s)
        self._wire = PacketSocket(transport, clock)
        self._clock = clock
        self._packet_at = 0  # bytes received before the packet that is being read
        self.heard_ms = 0  # when the broker last proved that it is there
        self.incoming: list[tuple[bytes, bytes]] = []  # (topic, payload), oldest first; whoever takes one removes it
        self.pieces: list[bytes] = []  # of an update, oldest first
        self.hears_pieces = False  # it has subscribed to them
        self.dropped = 0  # messages, of incoming or too long for it; whoever tells of it sets it back
        self.set_callback(self._receive)

    def connect(self, clean_session: bool = True) -> object:
        """TCP, CONNECT and CONNACK. Raises MQTTException(return code) when the broker refuses."""
        simple.socket = _OneSocket(self._wire)  # type: ignore[assignment, attr-defined]  # where umqtt.simple looks for sockets
        answer = self._run(super().connect, clean_session)
        self.heard_ms = self._clock.now_ms()
        return answer

    def publish(self, topic: str, msg: bytes, retain: int = False, qos: int = 0) -> None:
        """With QoS 1 returns once the broker has acknowledged. ETIMEDOUT when it missed two acknowledgements."""
        self._wrap_packet_id()
        try:
            self._run(super().publish, topic, msg, retain, qos)
        except OSError as error:
            if error.args[0] != errno.ETIMEDOUT or qos == 0 or self._wire.received != self._packet_at:
                raise
            self.pid -= 1  # the same packet again, under the same id
            self._run(super().publish, topic, msg, DUP | retain, qos)
        if qos:
            self.heard_ms = self._clock.now_ms()

    def subscribe(self, topic: str, qos: int = 0) -> object:
        """Raises MQTTException when the broker refuses."""
        self._wrap_packet_id()
        return self._run(super().subscribe, topic, qos)

    def ping(self) -> None:
        """Ask whether the broker is there; returns when it has answered."""
        self._run(self._ping)
        self.heard_ms = self._clock.now_ms()

    def check_msg(self) -> None:
        """Handle one packet if one has come; never waits for one."""
        if self._run(super().check_msg) == PUBACK:
            self._run(self._wire.read, 3)  # of a publish we gave up on

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
        """Say goodbye if the wire still takes it; closed in any case."""
        try:
            self._run(self._wire.write, b"\xe0\0")
        except OSError:
            pass  # it is over already, which is what was wanted
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
        """Of a PUBLISH, the only packet for which umqtt.simple asks. Raises _Skipped when it has been read past."""
        qos = self._wire.last_byte >> 1 & 3
        length = 0
        for shift in (0, 7, 14, 21):  # MQTT 3.1.1, 2.2.3: at most four bytes; the original reads on for ever
            byte = self._wire.read(1)[0]  # type: ignore[index]  # None only if it does not block
            length |= (byte & 0x7F) << shift
            if byte < 0x80:
                if length > PACKET_MAX:
                    self._skip(length, qos)
                return length
        raise OSError(EPROTO)

    def _skip(self, length: int, qos: int) -> None:
        """Read past the rest of a PUBLISH, and acknowledge it. Raises _Skipped, or OSError."""
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
    """A message was too long, and has been read past."""


class _OneSocket:
    """Stands where umqtt.simple looks for the socket module: its only socket is our wire, names are the modem's to resolve."""

    def __init__(self, wire: PacketSocket) -> None:
        self._wire = wire

    def socket(self) -> PacketSocket:
        return self._wire

    def getaddrinfo(self, host: str, port: int) -> "list[tuple[int, int, int, str, tuple[str, int]]]":
        return [(0, 0, 0, "", (host, port))]
