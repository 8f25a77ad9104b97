"""The protocol state of a unit's connection: the server's side of MQTT 3.1.1. Pure: bytes and time in, events out.

    AWAITING_CONNECT --CONNECT--> AUTHENTICATING --accept--> ACCEPTED --CONNACK of the broker--> OPEN
           |                           |                        |                                 |
           +------------- end ---------+------------------------+---------------------------------+--> CLOSED

The session has no socket and no credentials. The listener (listener.py) passes received bytes to `receive`, calls
`next_event` until there is none, and reports its decisions. Bytes that arrive while a CONNECT is being checked are
buffered, up to one packet, and parsed once the broker has answered.

TABLE lists the inputs that each state allows. Any other input raises MalformedPacket if it came from the unit, and
SessionError if it came from our own code.
"""

from enum import Enum
from typing import NamedTuple

from cloud_bridge.ingest import packets
from cloud_bridge.ingest.packets import Connect, MalformedPacket, PacketTooLarge, Publish
from cloud_bridge.wire import MAX_PAYLOAD_BYTES

MAX_PACKET_BYTES = MAX_PAYLOAD_BYTES + 256  # payload and topic
MAX_UNCOMMITTED = 200  # uncommitted messages of one unit; at this number its socket is not read
CONNECT_WITHIN_S = 20.0  # from accept to CONNECT; received bytes do not extend it
CONNECT_OVER_TLS_WITHIN_S = 60.0  # including the handshake, for which the firmware waits as long (link/secure.py)
ANSWER_WITHIN_S = 300.0  # from CONNECT to CONNACK: logins wait for a turn when a whole fleet reconnects
IDLE_FACTOR = 1.5  # times the keepalive, section 3.1.2.10 of the standard
IDLE_LIMIT_S = 3600.0  # for a unit without a keepalive; longer than the interval of any heartbeat

FOR_BROKER = frozenset({packets.PUBACK, packets.SUBSCRIBE, packets.UNSUBSCRIBE, packets.PINGREQ, packets.DISCONNECT})


class SessionError(Exception):
    """Our own code did something that the state does not allow: a bug."""


class State(Enum):
    AWAITING_CONNECT = "awaiting CONNECT"
    AUTHENTICATING = "authenticating"
    ACCEPTED = "accepted"
    OPEN = "open"
    CLOSED = "closed"


class Input(Enum):
    CONNECT = "CONNECT"  # from the unit
    PACKET = "packet"  # any other, from the unit
    ACCEPT = "accept"  # from the listener
    CONNACK = "CONNACK"  # from the broker
    END = "end"  # from either side


TABLE: dict[State, dict[Input, State]] = {
    State.AWAITING_CONNECT: {Input.CONNECT: State.AUTHENTICATING, Input.END: State.CLOSED},
    State.AUTHENTICATING: {Input.ACCEPT: State.ACCEPTED, Input.END: State.CLOSED},
    State.ACCEPTED: {Input.CONNACK: State.OPEN, Input.END: State.CLOSED},
    State.OPEN: {Input.PACKET: State.OPEN, Input.END: State.CLOSED},
    State.CLOSED: {Input.END: State.CLOSED},
}


class ConnectReceived(NamedTuple):
    """A login. `body` is the body of the CONNECT for the broker, with the keepalive set to 0, since the listener
    enforces it."""

    connect: Connect
    body: bytes


class PublishReceived(NamedTuple):
    """A PUBLISH that is not acknowledged yet. It counts in `uncommitted` until `commit`."""

    publish: Publish


class ForBroker(NamedTuple):
    """A complete packet to forward to the broker."""

    packet: bytes


Event = ConnectReceived | PublishReceived | ForBroker


class MqttSession:
    """The session of a connection, from accept to close. Times are seconds of a monotonic clock."""

    max_packet_bytes = MAX_PACKET_BYTES

    def __init__(self, now_s: float, over_tls: bool = False) -> None:
        self.state = State.AWAITING_CONNECT
        self.unit_id = ""  # set by `accept`, once it is authenticated
        self.uncommitted = 0
        self._deadline_s = now_s + (CONNECT_OVER_TLS_WITHIN_S if over_tls else CONNECT_WITHIN_S)
        self._idle_limit_s = 0.0  # applies once the session is open
        self._buffer = bytearray()
        self._at = 0  # the position in `_buffer` of the next packet

    # From the unit.

    def receive(self, data: bytes, now_s: float) -> None:
        """Buffer received data. Raises PacketTooLarge if the unit sends more than one packet before its CONNACK."""
        self._buffer += data
        if self.state is State.OPEN:
            self._deadline_s = now_s + self._idle_limit_s
        elif self.state is not State.AWAITING_CONNECT and len(self._buffer) > self.max_packet_bytes:
            raise PacketTooLarge("before the CONNACK")

    def next_event(self, now_s: float) -> Event | None:
        """Return the next complete packet, or None if there is none or a CONNECT is being checked. Raises
        MalformedPacket."""
        if self.state is State.AWAITING_CONNECT:
            if self._buffer and self._buffer[0] != packets.CONNECT << 4:
                raise MalformedPacket("[MQTT-3.1.0-1] the first packet is not a CONNECT")
        elif self.state is not State.OPEN:
            return None
        frame = packets.next_frame(self._buffer, self._at, self.max_packet_bytes)
        if frame is None:
            del self._buffer[: self._at]
            self._at = 0
            return None
        first_byte, body = self._buffer[self._at], bytes(self._buffer[frame.body_at : frame.end_at])
        self._at = frame.end_at
        packet_type = first_byte >> 4
        if packet_type == packets.PUBLISH and self.state is State.OPEN:
            return self._publish(first_byte, body)
        if packet_type == packets.CONNECT:
            return self._connect(body, now_s)
        if packet_type in FOR_BROKER:
            packets.check_for_broker(first_byte, body)
            self._follow(Input.PACKET)
            return ForBroker(packets.whole(first_byte, body))
        raise MalformedPacket(f"a packet of type {packet_type}, which no unit sends")

    # From us.

    def accept(self, unit_id: str, keep_alive_s: int) -> None:
        """Accept the authenticated unit. `keep_alive_s` is that of its CONNECT; 0 for none."""
        self._follow(Input.ACCEPT)
        self.unit_id = unit_id
        self._idle_limit_s = keep_alive_s * IDLE_FACTOR or IDLE_LIMIT_S

    def open(self, now_s: float) -> None:
        """Open the session: the broker's CONNACK is sent. `next_event` returns events again."""
        self._follow(Input.CONNACK)
        self._deadline_s = now_s + self._idle_limit_s

    def commit(self, packet_id: int | None) -> bytes:
        """Count a message as committed or dropped on purpose. Return its PUBACK, or b"" with QoS 0."""
        self.uncommitted -= 1
        return b"" if packet_id is None else packets.puback(packet_id)

    def end(self) -> None:
        """Close the session: the connection has ended."""
        self._follow(Input.END)

    @property
    def is_full(self) -> bool:
        """Whether so many messages are uncommitted that the socket should not be read."""
        return self.uncommitted >= MAX_UNCOMMITTED

    def is_overdue(self, now_s: float) -> bool:
        """Return whether the deadline has passed: for the CONNECT, for its answer, or for any packet."""
        return now_s > self._deadline_s

    def _connect(self, body: bytes, now_s: float) -> ConnectReceived:
        if self.state is State.OPEN:
            raise MalformedPacket("[MQTT-3.1.0-2] a second CONNECT")
        connect = packets.parse_connect(body)
        self._follow(Input.CONNECT)
        self._deadline_s = now_s + ANSWER_WITHIN_S
        at = connect.keep_alive_at
        return ConnectReceived(connect, body[:at] + b"\0\0" + body[at + 2 :])

    def _publish(self, first_byte: int, body: bytes) -> PublishReceived:
        publish = packets.parse_publish(first_byte, body)
        if publish.qos == 2:
            raise MalformedPacket("QoS 2, which the wire format does not use")
        self.uncommitted += 1
        return PublishReceived(publish)

    def _follow(self, happened: Input) -> None:
        if happened not in TABLE[self.state]:
            raise SessionError(f"{happened.value} while {self.state.value}")
        self.state = TABLE[self.state][happened]
