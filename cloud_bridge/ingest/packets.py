"""Parsing and building of the MQTT 3.1.1 packets that the listener needs. Pure: bytes in, values out.

Numbers in brackets are normative statements of the OASIS standard of 2014-10-29.
"""

from typing import NamedTuple

CONNECT, PUBLISH, PUBACK = 1, 3, 4
SUBSCRIBE, UNSUBSCRIBE, PINGREQ, DISCONNECT = 8, 10, 12, 14
PINGRESP = b"\xd0\0"
_RESERVED, _WILL, _WILL_RETAIN, _PASSWORD, _USER_NAME = 0x01, 0x04, 0x20, 0x40, 0x80  # flags of a CONNECT, 3.1.2.3
BRIDGE = 0x80  # bit of the protocol level, set by a bridge that wants RETAIN flags unchanged (mosquitto's try_private)

# CONNACK return codes, table 3.1
ACCEPTED, WRONG_PROTOCOL, ID_REJECTED, UNAVAILABLE, BAD_LOGIN, NOT_AUTHORISED = range(6)


class MalformedPacket(ValueError):
    """The bytes are not valid MQTT; the connection must be closed [MQTT-4.8.0-1]."""


class PacketTooLarge(MalformedPacket):
    """A packet is longer than the limit."""


class Frame(NamedTuple):
    """The position of a complete packet in a buffer; `end_at` is exclusive."""

    body_at: int
    end_at: int


class Connect(NamedTuple):
    """The fields of a CONNECT, except for the clean session flag, which only the broker needs."""

    protocol: str
    level: int
    keep_alive_s: int
    keep_alive_at: int  # the position of its two bytes in the body
    client_id: str
    will_topic: str | None
    will_retain: bool
    user_name: str | None
    password: str | None


class Publish(NamedTuple):
    topic: str
    payload: bytes
    packet_id: int | None  # None with QoS 0
    qos: int
    redelivered: bool  # the DUP flag
    retain: bool


def next_frame(buffer: bytes | bytearray, at: int, limit: int) -> Frame | None:
    """Return the packet that starts at `at`, or None until all of it has arrived. Raises PacketTooLarge if it is longer
    than `limit`, and MalformedPacket."""
    length = 0
    for place in range(4):  # remaining length, section 2.2.3: seven bits a byte, lowest first, at most four
        length_at = at + 1 + place
        if length_at >= len(buffer):
            return None
        byte = buffer[length_at]
        length |= (byte & 0x7F) << (7 * place)
        if byte < 0x80:
            break
    else:
        raise MalformedPacket("remaining length of more than four bytes")
    if length > limit:
        raise PacketTooLarge(f"{length} bytes")
    body_at = length_at + 1
    return Frame(body_at, body_at + length) if len(buffer) >= body_at + length else None


def parse_connect(body: bytes) -> Connect:
    """Parse the body of a CONNECT (section 3.1). Raises MalformedPacket."""
    protocol, at = _text(body, 0)
    level, at = _number(body, at, 1)
    flags, at = _number(body, at, 1)
    keep_alive_at = at
    keep_alive_s, at = _number(body, at, 2)
    if level & ~BRIDGE != 4 or protocol != "MQTT":  # another version may lay out the rest differently
        return Connect(protocol, level, keep_alive_s, keep_alive_at, "", None, False, None, None)
    if flags & _RESERVED:
        raise MalformedPacket("[MQTT-3.1.2-3] the reserved flag is set")
    client_id, at = _text(body, at)
    will_topic: str | None = None
    user_name: str | None = None
    password: str | None = None
    if flags & _WILL:
        will_topic, at = _text(body, at)
        _, at = _field(body, at)
    if flags & _USER_NAME:
        user_name, at = _text(body, at)
    if flags & _PASSWORD:
        password, at = _text(body, at)
    if at != len(body):
        raise MalformedPacket("bytes after the CONNECT's last field")
    retain = bool(flags & _WILL_RETAIN)
    return Connect(protocol, level, keep_alive_s, keep_alive_at, client_id, will_topic, retain, user_name, password)


def parse_publish(first_byte: int, body: bytes) -> Publish:
    """Parse a PUBLISH (section 3.3). Raises MalformedPacket."""
    qos = (first_byte >> 1) & 3
    if qos == 3:
        raise MalformedPacket("[MQTT-3.3.1-4] both QoS bits are set")
    topic, at = _text(body, 0)
    packet_id: int | None = None
    if qos:
        packet_id, at = _number(body, at, 2)
        if packet_id == 0:
            raise MalformedPacket("[MQTT-2.3.1-1] packet identifier 0")
    return Publish(topic, body[at:], packet_id, qos, bool(first_byte & 8), bool(first_byte & 1))


def parse_subscribe(body: bytes, has_qos: bool = True) -> tuple[int, list[str]]:
    """Return packet id and topic filters of a SUBSCRIBE that has passed `check_for_broker`, or of an UNSUBSCRIBE if
    `has_qos` is False."""
    packet_id, at = _number(body, 0, 2)
    filters: list[str] = []
    while at < len(body):
        topic_filter, at = _text(body, at)
        filters.append(topic_filter)
        at += has_qos
    return packet_id, filters


def check_for_broker(first_byte: int, body: bytes) -> None:
    """Check that a packet for the broker conforms to the standard, since amqtt does not. Raises MalformedPacket."""
    packet_type = first_byte >> 4
    subscribes = packet_type in (SUBSCRIBE, UNSUBSCRIBE)
    if first_byte & 0x0F != (2 if subscribes else 0):
        raise MalformedPacket("[MQTT-2.2.2-2] reserved flags")
    at = 0
    if packet_type == PUBACK or subscribes:
        packet_id, at = _number(body, at, 2)
        if packet_id == 0:
            raise MalformedPacket("[MQTT-2.3.1-1] packet identifier 0")
    if subscribes and at == len(body):
        raise MalformedPacket("[MQTT-3.8.3-3], [MQTT-3.10.3-2] no topic filter")
    while subscribes and at < len(body):
        topic_filter, at = _text(body, at)
        if not topic_filter:
            raise MalformedPacket("[MQTT-4.7.3-1] an empty topic filter")
        if packet_type == SUBSCRIBE:
            qos, at = _number(body, at, 1)
            if qos > 2:
                raise MalformedPacket("[MQTT-3-8.3-4] QoS above 2, or reserved bits")
    if at != len(body):
        raise MalformedPacket("bytes after the packet's last field")


def whole(first_byte: int, body: bytes) -> bytes:
    """Return a packet with this first byte and body."""
    header = bytearray((first_byte,))
    length = len(body)
    while length >= 0x80:
        header.append(length & 0x7F | 0x80)
        length >>= 7
    header.append(length)
    return bytes(header) + body


def publish(topic: str, payload: bytes, retain: bool = False) -> bytes:
    """Return a PUBLISH with QoS 0."""
    name = topic.encode()
    return whole(PUBLISH << 4 | retain, len(name).to_bytes(2, "big") + name + payload)


def puback(packet_id: int) -> bytes:
    return b"\x40\x02" + packet_id.to_bytes(2)


def suback(packet_id: int, filters: int) -> bytes:
    """Return a SUBACK that grants QoS 0 for every filter."""
    return whole(0x90, packet_id.to_bytes(2) + bytes(filters))


def unsuback(packet_id: int) -> bytes:
    return b"\xb0\x02" + packet_id.to_bytes(2)


def connack(return_code: int) -> bytes:
    """Return a CONNACK without Session Present. For units it is used only to refuse: the broker, which has the session,
    sends the CONNACK that accepts."""
    return bytes((0x20, 2, 0, return_code))


def _number(body: bytes, at: int, size: int) -> tuple[int, int]:
    end = at + size
    if end > len(body):
        raise MalformedPacket("ends inside a number")
    return int.from_bytes(body[at:end]), end


def _field(body: bytes, at: int) -> tuple[bytes, int]:
    size, at = _number(body, at, 2)
    end = at + size
    if end > len(body):
        raise MalformedPacket("ends inside a field")
    return body[at:end], end


def _text(body: bytes, at: int) -> tuple[str, int]:
    field, end = _field(body, at)
    try:
        text = field.decode()
    except UnicodeDecodeError as error:
        raise MalformedPacket("[MQTT-1.5.3-1] a text that is not UTF-8") from error
    if "\0" in text:
        raise MalformedPacket("[MQTT-1.5.3-2] a text with U+0000")
    return text, end
