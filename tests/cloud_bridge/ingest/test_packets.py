"""Does the listener parse MQTT by the standard, in whole packets and in pieces?"""

import pytest

from cloud_bridge.ingest import packets
from cloud_bridge.ingest.packets import Connect, Frame, MalformedPacket, PacketTooLarge, Publish

# CONNECT of the id "cp-1" with a will, written by hand from section 3.1.
CONNECT_BODY = b"\0\x04MQTT\x04\xc6\x00\x3c\0\x04cp-1\0\x0bcp/cp-1/lwt\0\x03off\0\x04cp-1\0\x06secret"


def test_a_connect() -> None:
    assert packets.parse_connect(CONNECT_BODY) == Connect(
        "MQTT", 4, 60, 8, "cp-1", "cp/cp-1/lwt", False, "cp-1", "secret"
    )
    assert CONNECT_BODY[8:10] == (60).to_bytes(2)


def test_a_connect_of_another_version_is_read_as_far_as_the_version() -> None:
    five = packets.parse_connect(b"\0\x04MQTT\x05\x02\x00\x3c\x00\0\x04cp-1")
    assert (five.protocol, five.level, five.client_id) == ("MQTT", 5, "")
    old = packets.parse_connect(b"\0\x06MQIsdp\x03\x02\x00\x3c\0\x04cp-1")
    assert (old.protocol, old.level) == ("MQIsdp", 3)


@pytest.mark.parametrize("length", range(len(CONNECT_BODY)))
def test_a_connect_that_ends_early_is_malformed(length: int) -> None:
    with pytest.raises(MalformedPacket):
        packets.parse_connect(CONNECT_BODY[:length])


def test_a_publish() -> None:
    body = b"\0\x11cp/cp-1/heartbeat\x00\x07{}"
    assert packets.parse_publish(0x3A, body) == Publish("cp/cp-1/heartbeat", b"{}", 7, 1, True, False)
    assert packets.parse_publish(0x31, b"\0\x01a") == Publish("a", b"", None, 0, False, True)


@pytest.mark.parametrize(
    ("first_byte", "body"),
    [
        (0x36, b"\0\x01a\0\x01"),  # both QoS bits
        (0x32, b"\0\x01a\0\x00"),  # packet identifier 0
        (0x32, b"\0\x01a\0"),
        (0x30, b"\0\x05a"),
        (0x30, b"\0\x01\xff"),
        (0x30, b"\0\x01\0"),
        (0x30, b""),
    ],
)
def test_a_malformed_publish(first_byte: int, body: bytes) -> None:
    with pytest.raises(MalformedPacket):
        packets.parse_publish(first_byte, body)


@pytest.mark.parametrize("size", [0, 1, 127, 128, 2000, 16383, 16384])
def test_a_packet_is_found_when_its_last_byte_is_there_and_not_before(size: int) -> None:
    packet = packets.whole(0x30, b"x" * size)
    stream = b"...." + packet
    assert packets.next_frame(stream, 4, 20_000) == Frame(len(stream) - size, len(stream))
    for end in {4, 5, len(stream) - 1} - {len(stream)}:
        if end < len(stream):
            assert packets.next_frame(stream[:end], 4, 20_000) is None


def test_a_length_of_five_bytes_is_malformed() -> None:
    with pytest.raises(MalformedPacket):
        packets.next_frame(b"\x30\xff\xff\xff\xff\x01", 0, 10**9)


def test_a_packet_is_too_large_before_it_has_arrived() -> None:
    with pytest.raises(PacketTooLarge):
        packets.next_frame(b"\x30\xff\xff\xff\x7f", 0, 4096)


def test_acknowledgements() -> None:
    assert packets.puback(0x1234) == b"\x40\x02\x12\x34"
    assert packets.connack(packets.NOT_AUTHORISED) == b"\x20\x02\x00\x05"
