"""One connection of a unit as a pure protocol, the server's side of MQTT 3.1.1: bytes and time in, events out.

    AWAITING_CONNECT --CONNECT--> AUTHENTICATING --accept--> ACCEPTED --CONNACK of the broker--> OPEN
           |                           |                        |                                 |
           +------------- end ---------+------------------------+---------------------------------+--> CLOSED

The session owns no socket and knows nobody's secret. Whoever does (listener.py) feeds it with `receive`, takes events
from `next_event` until there is none, and tells it what was decided. Bytes that come while a CONNECT is being checked
are kept, up to one packet, and cut into packets once the broker has answered.

TABLE says what may happen in which state. What it does not allow raises MalformedPacket when the unit did it, and
SessionError when we did.
"""

from enum import Enum
from typing import NamedTuple

from cloud_bridge.ingest import packets
from cloud_bridge.ingest.packets import Connect, MalformedPacket, PacketTooLarge, Publish
from cloud_bridge.wire import MAX_PAYLOAD_BYTES

MAX_PACKET_BYTES = MAX_PAYLOAD_BYTES + 256  # and its topic
MAX_UNCOMMITTED = 200  # messages of one unit that the store has not committed; then its socket is not read
CONNECT_WITHIN_S = 20.0  # from accept to CONNECT. No byte extends it
CONNECT_OVER_TLS_WITHIN_S = 60.0  # with the handshake, for which the firmware waits as long (link/secure.py)
ANSWER_WITHIN_S = 300.0  # from CONNECT to CONNACK: logins take turns when a whole fleet comes back
IDLE_FACTOR = 1.5  # of the keepalive, section 3.1.2.10 of the standard
IDLE_LIMIT_S = 3600.0  # for a unit that asks for no keepalive; it has something to say every 300 s

FOR_BROKER = frozenset({packets.PUBACK, packets.SUBSCRIBE, packets.UNSUBSCRIBE, packets.PINGREQ, packets.DISCONNECT})


class SessionError(Exception):
    """We did what the state does not allow: a mistake of ours."""


class State(Enum):
    AWAITING_CONNECT = "awaiting CONNECT"
    AUTHENTICATING = "authenticating"
    ACCEPTED = "accepted"
    OPEN = "open"
    CLOSED = "closed"


class Input(Enum):
    CONNECT = "CONNECT"  # of the unit
    PACKET = "packet"  # of the unit, any other
    ACCEPT = "accept"  # ours
    CONNACK = "CONNACK"  # of the broker
    END = "end"  # of either side


TABLE: dict[State, dict[Input, State]] = {
    State.AWAITING_CONNECT: {Input.CONNECT: State.AUTHENTICATING, Input.END: State.CLOSED},
    State.AUTHENTICATING: {Input.ACCEPT: State.ACCEPTED, Input.END: State.CLOSED},
    State.ACCEPTED: {Input.CONNACK: State.OPEN, Input.END: State.CLOSED},
    State.OPEN: {Input.PACKET: State.OPEN, Input.END: State.CLOSED},
    State.CLOSED: {Input.END: State.CLOSED},
}


class ConnectReceived(NamedTuple):
    """The unit asks to be let in. `body` is the CONNECT's, for the broker; its keepalive is off, since we keep it."""

    connect: Connect
    body: bytes


class PublishReceived(NamedTuple):
    """Not acknowledged yet; it counts in `uncommitted` until `commit`."""

    publish: Publish


class ForBroker(NamedTuple):
    """A whole packet that is the broker's business."""

    packet: bytes


Event = ConnectReceived | PublishReceived | ForBroker


class MqttSession:
    """From accept to close. Times are seconds of a monotonic clock."""

    max_packet_bytes = MAX_PACKET_BYTES

    def __init__(self, now_s: float, over_tls: bool = False) -> None:
        self.state = State.AWAITING_CONNECT
        self.unit_id = ""  # known and proven once accepted
        self.uncommitted = 0
        self._deadline_s = now_s + (CONNECT_OVER_TLS_WITHIN_S if over_tls else CONNECT_WITHIN_S)
        self._idle_limit_s = 0.0  # none before it is open
        self._buffer = bytearray()
        self._at = 0  # what lies before it has been taken

    # From the unit.

    def receive(self, data: bytes, now_s: float) -> None:
        """Keep what was read. Raises PacketTooLarge when the unit sends on and on before it is let in."""
        self._buffer += data
        if self.state is State.OPEN:
            self._deadline_s = now_s + self._idle_limit_s
        elif self.state is not State.AWAITING_CONNECT and len(self._buffer) > self.max_packet_bytes:
            raise PacketTooLarge("before the CONNACK")

    def next_event(self, now_s: float) -> Event | None:
        """The next whole packet; None until there is one, or while a CONNECT is being checked. Raises MalformedPacket."""
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
        """The unit is who it says."""
        self._follow(Input.ACCEPT)
        self.unit_id = unit_id
        self._idle_limit_s = keep_alive_s * IDLE_FACTOR or IDLE_LIMIT_S

    def open(self, now_s: float) -> None:
        """The broker's CONNACK goes out; from now on there may be events again."""
        self._follow(Input.CONNACK)
        self._deadline_s = now_s + self._idle_limit_s

    def commit(self, packet_id: int | None) -> bytes:
        """A message is committed, or was dropped on purpose. Returns its PUBACK; nothing with QoS 0."""
        self.uncommitted -= 1
        return b"" if packet_id is None else packets.puback(packet_id)

    def end(self) -> None:
        """The connection is over, whoever ended it."""
        self._follow(Input.END)

    @property
    def is_full(self) -> bool:
        """So much of this unit waits for its commit that no more should be read."""
        return self.uncommitted >= MAX_UNCOMMITTED

    def is_overdue(self, now_s: float) -> bool:
        """Whether the unit has let its time pass: to CONNECT, to be let in, or to say something."""
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
