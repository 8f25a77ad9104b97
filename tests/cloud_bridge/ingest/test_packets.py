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


def connect(flags: int, *fields: bytes, level: int = 4, protocol: bytes = b"MQTT") -> bytes:
    """The body of a CONNECT with these flags and fields."""
    head = len(protocol).to_bytes(2) + protocol + bytes((level, flags)) + (60).to_bytes(2)
    return head + b"".join(len(one).to_bytes(2) + one for one in fields)


@pytest.mark.parametrize(
    ("flags", "fields", "will", "user_name", "password"),
    [
        (0x00, [], None, None, None),
        (0x02, [], None, None, None),
        (0x80, [b"name"], None, "name", None),
        (0x40, [b"secret"], None, None, "secret"),
        (0xC2, [b"name", b"secret"], None, "name", "secret"),
        (0x04, [b"topic", b"\xff\x00"], ("topic", False), None, None),
        (0x24, [b"topic", b""], ("topic", True), None, None),
        (0x1C, [b"topic", b"off"], ("topic", False), None, None),
        (0xE6, [b"topic", b"off", b"name", b"secret"], ("topic", True), "name", "secret"),
    ],
)
def test_a_connect_has_the_fields_that_its_flags_name(
    flags: int, fields: list[bytes], will: tuple[str, bool] | None, user_name: str | None, password: str | None
) -> None:
    found = packets.parse_connect(connect(flags, b"cp-1", *fields))
    assert found == Connect("MQTT", 4, 60, 8, "cp-1", will and will[0], bool(will and will[1]), user_name, password)
    with pytest.raises(MalformedPacket):
        packets.parse_connect(connect(flags, b"cp-1", *fields) + b"x")
    with pytest.raises(MalformedPacket, match="reserved"):
        packets.parse_connect(connect(flags | 1, b"cp-1", *fields))


def test_a_connect_of_a_bridge_is_one_of_its_version() -> None:
    assert packets.parse_connect(connect(0, b"b", level=0x84)) == Connect(
        "MQTT", 0x84, 60, 8, "b", None, False, None, None
    )
    assert packets.parse_connect(connect(0, b"b", level=0x83)).client_id == ""
    assert packets.parse_connect(connect(0, b"b", protocol=b"MQTX")).client_id == ""


@pytest.mark.parametrize(
    ("first_byte", "body"),
    [
        (0x40, b"\0\x07"),
        (0x82, b"\0\x07\0\x01a\x00"),
        (0x82, b"\0\x07\0\x01a\x02\0\x01b\x01"),
        (0xA2, b"\0\x07\0\x01a\0\x01b"),
        (0xC0, b""),
        (0xE0, b""),
    ],
)
def test_what_the_broker_may_get(first_byte: int, body: bytes) -> None:
    packets.check_for_broker(first_byte, body)
    with pytest.raises(MalformedPacket):
        packets.check_for_broker(first_byte, body + b"x")
    for length in range(len(body)):
        if (first_byte, length) not in {(0xA2, 5), (0x82, 6)}:  # then it names one filter, and is whole
            with pytest.raises(MalformedPacket):
                packets.check_for_broker(first_byte, body[:length])
    for other in range(16):
        if other != first_byte & 0x0F:
            with pytest.raises(MalformedPacket, match="reserved flags"):
                packets.check_for_broker(first_byte & 0xF0 | other, body)


@pytest.mark.parametrize(
    ("first_byte", "body"),
    [
        (0x40, b"\0\0"),
        (0x82, b"\0\0\0\x01a\0"),
        (0x82, b"\0\x07"),
        (0xA2, b"\0\x07"),
        (0x82, b"\0\x07\0\0\0"),
        (0xA2, b"\0\x07\0\0"),
        (0x82, b"\0\x07\0\x01a\x03"),
    ],
)
def test_what_the_broker_may_not_get(first_byte: int, body: bytes) -> None:
    with pytest.raises(MalformedPacket):
        packets.check_for_broker(first_byte, body)


def test_the_filters_of_a_subscription_and_of_its_end() -> None:
    assert packets.parse_subscribe(b"\x12\x34\0\x01a\x01\0\x02bc\0") == (0x1234, ["a", "bc"])
    assert packets.parse_subscribe(b"\0\x01\0\x01a\0\x02bc", has_qos=False) == (1, ["a", "bc"])


@pytest.mark.parametrize("limit", [0, 127, 128, 5000])
def test_a_packet_may_be_as_long_as_its_limit(limit: int) -> None:
    assert packets.next_frame(packets.whole(0x30, bytes(limit)), 0, limit) is not None
    with pytest.raises(PacketTooLarge):
        packets.next_frame(packets.whole(0x30, bytes(limit + 1)), 0, limit)
