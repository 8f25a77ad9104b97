"""The MQTT 3.1.1 packets of a unit, and those of a broker that a unit can receive. Pure.

hil_tests/fixtures/mqtt_unit.py has what all units of tests have in common. This module adds the rest of the firmware's
CONNECT, and a parser for bytes in pieces of any size.
"""

import struct
from typing import NamedTuple

from hil_tests.fixtures.mqtt_unit import CONNECT, PUBACK, PUBLISH, SUBSCRIBE, packet

CONNACK = 0x20
SUBACK = 0x90
DISCONNECT = b"\xe0\0"
CONNECT_FLAGS = 0xCE  # user name, password, will with QoS 1, clean session
QOS_1, DUP = 0x02, 0x08
SUBSCRIPTION_FAILED = 0x80
MAX_PACKET_BYTES = 65_536  # larger than any packet that a broker sends to a unit


class ProtocolError(Exception):
    """The broker sent something that no broker may send to these units."""


class Packet(NamedTuple):
    """A complete packet."""

    first_byte: int
    body: bytes

    @property
    def kind(self) -> int:
        """The packet type, without the flags of a PUBLISH."""
        return self.first_byte & 0xF0

    @property
    def packet_id(self) -> int:
        """The packet id of a PUBACK or SUBACK."""
        return int.from_bytes(self.body[:2])


def field(value: str) -> bytes:
    """Encode a string with its length."""
    return struct.pack(">H", len(value.encode())) + value.encode()


def connect(unit_id: str, secret: str, keepalive_s: int) -> bytes:
    """Return CONNECT as the firmware sends it: a clean session, and a will on the unit's own lwt topic."""
    body = b"\0\x04MQTT\x04" + bytes((CONNECT_FLAGS,)) + struct.pack(">H", keepalive_s) + field(unit_id)
    return packet(CONNECT, body + field(f"cp/{unit_id}/lwt") + field("offline") + field(unit_id) + field(secret))


def subscribe(unit_id: str, packet_id: int) -> bytes:
    """Return SUBSCRIBE for the unit's commands with QoS 1."""
    return packet(SUBSCRIBE, struct.pack(">H", packet_id) + field(f"cp/{unit_id}/command") + b"\1")


def puback_for(received: Packet) -> bytes:
    """Return the PUBACK for a PUBLISH of the broker, or b"" for QoS 0. Raises ProtocolError."""
    if not received.first_byte & 0x06:
        return b""
    at = 2 + int.from_bytes(received.body[:2])
    packet_id = received.body[at : at + 2]
    if len(packet_id) != 2:
        raise ProtocolError("a PUBLISH without a packet id")
    return packet(PUBACK, packet_id)


def next_packet(buffer: bytearray) -> Packet | None:
    """Remove and return the first complete packet of the buffer; None if there is none yet. Raises ProtocolError."""
    size = 0
    for at in range(1, 5):
        if len(buffer) <= at:
            return None
        size |= (buffer[at] & 0x7F) << 7 * (at - 1)
        if buffer[at] < 0x80:
            break
    else:
        raise ProtocolError("a length of more than four bytes")
    if size > MAX_PACKET_BYTES:
        raise ProtocolError(f"a packet of {size} bytes")
    end = at + 1 + size
    if len(buffer) < end:
        return None
    received = Packet(buffer[0], bytes(buffer[at + 1 : end]))
    if received.kind not in (CONNACK, PUBLISH, PUBACK, SUBACK):
        raise ProtocolError(f"a packet that begins with {received.first_byte:02x}")
    del buffer[:end]
    return received
