"""Is each known problem of umqtt.simple 1.3.4 fixed?"""

import errno

import pytest
from umqtt.simple import MQTTException

from firmware.link.mqtt import INCOMING_MAX, LAST_PACKET_ID, Mqtt
from firmware.link.mqtt import Broker as BrokerAddress
from firmware.link.packet_socket import CONNECT_MS, OPERATION_MS, PACKET_MAX
from tests.firmware.link.fake_clock import FakeClock

CONNACK = b"\x20\x02\x00\x00"


class Broker:
    """A transport with a broker at its far end: `answer(packet)` returns the reply to each write."""

    def __init__(self, clock, answer=None):
        self.clock = clock
        self.written = []
        self.coming = b""
        self.ended = False
        self.closed = False
        self.timeout_s = None
        self.connect_ms = 0
        self.answer = answer or self.polite

    def polite(self, packet):
        kind = packet[0] & 0xF0
        if kind == 0x10:
            return CONNACK
        if kind == 0xC0:
            return b"\xd0\0"
        if kind == 0x30 and packet[0] & 0x06:
            topic_end = 4 + (packet[2] << 8 | packet[3]) if packet[1] < 0x80 else 5 + (packet[3] << 8 | packet[4])
            return b"\x40\x02" + packet[topic_end : topic_end + 2]
        return b""

    def connect(self, host, port, timeout_ms):
        self.address = (host, port)
        self.clock.now += self.connect_ms

    def settimeout(self, seconds):
        self.timeout_s = seconds

    def write(self, data):
        self.written.append(bytes(data))
        self.coming += self.answer(bytes(data))
        return len(data)

    def read(self, most):
        if self.coming:
            piece, self.coming = self.coming[:1], self.coming[1:]  # one byte at a time: the worst case of TCP
            return piece
        if self.ended:
            return b""
        if not self.timeout_s:
            return None
        self.clock.now += int(self.timeout_s * 1000)
        raise OSError(errno.ETIMEDOUT)

    def close(self):
        self.closed = True


def connected(answer=None):
    clock = FakeClock()
    broker = Broker(clock)
    mqtt = Mqtt(broker, clock, BrokerAddress("broker", 1883, "CP1", "secret"), 600)
    mqtt.connect()
    broker.written = []
    if answer:
        broker.answer = answer
    return mqtt, broker, clock


def test_a_packet_is_one_write():
    mqtt, broker, _ = connected()
    mqtt.publish("cp/CP1/heartbeat", b'{"n":1}', qos=1)
    assert [len(packet) for packet in broker.written] == [2 + 2 + 16 + 2 + 7]


def test_connect_is_one_write_and_names_are_the_modems_to_resolve():
    clock = FakeClock()
    broker = Broker(clock)
    mqtt = Mqtt(broker, clock, BrokerAddress("broker.example", 1883, "CP1", "secret"), 600)
    mqtt.set_last_will("cp/CP1/lwt", b"offline", qos=1)
    mqtt.connect()
    assert len(broker.written) == 1
    assert broker.address == ("broker.example", 1883)


def test_a_network_that_is_slow_to_connect_leaves_time_for_the_login():
    clock = FakeClock()
    broker = Broker(clock)
    broker.connect_ms = CONNECT_MS - 1
    Mqtt(broker, clock, BrokerAddress("broker", 1883, "CP1", "secret"), 600).connect()


def test_packet_ids_wrap():
    mqtt, broker, _ = connected()
    mqtt.pid = 65534
    for expected in (65535, 1, 2):
        mqtt.publish("t", b"x", qos=1)
        assert mqtt.pid == expected


def test_publishes_go_on_beyond_the_last_packet_id():
    mqtt, broker, _ = connected()
    mqtt.pid = LAST_PACKET_ID - 10
    for _ in range(30):
        mqtt.publish("t", b"x", qos=1)
        broker.written.clear()


def test_a_missed_acknowledgement_is_answered_by_the_same_packet_again():
    def deaf_once(packet):
        broker.answer = broker.polite
        return b""

    mqtt, broker, _ = connected()
    broker.answer = deaf_once
    mqtt.publish("t", b"x", qos=1)
    first, again = broker.written
    assert first[0] == 0x32 and again[0] == 0x3A  # DUP
    assert first[1:] == again[1:]  # the same id
    mqtt.publish("t", b"y", qos=1)
    assert broker.written[2][0] == 0x32 and mqtt.pid == 2


def test_two_missed_acknowledgements_end_it_within_their_deadlines():
    mqtt, broker, clock = connected(lambda packet: b"")
    with pytest.raises(OSError) as missed:
        mqtt.publish("t", b"x", qos=1)
    assert missed.value.args[0] == errno.ETIMEDOUT
    assert len(broker.written) == 2
    assert clock.now <= 2 * OPERATION_MS


def test_a_packet_that_went_out_half_is_ended_before_it_is_sent_again():
    """Otherwise the broker takes the beginning of the second packet for the end of the first, and acknowledges the mixture."""
    mqtt, broker, clock = connected()
    stream = b""

    def write(data):
        nonlocal stream
        if not stream:
            stream += bytes(data[:5])
            clock.now += OPERATION_MS  # the modem's buffer is full until the deadline
            return 5
        stream += bytes(data)
        broker.coming += b"\x40\x02\x00\x01"
        return len(data)

    broker.write = write
    mqtt.publish("t", b"x", qos=1)
    once = b"\x32\x06\x00\x01t\x00\x01x"
    assert stream == once + b"\x3a" + once[1:]


@pytest.mark.parametrize("half", [b"\x40", b"\x40\x02", b"\x40\x02\x00", b"\x30\x05\x00\x01t"])
def test_half_a_packet_ends_it_without_another_try(half):
    mqtt, broker, clock = connected(lambda packet: half)
    with pytest.raises(OSError):
        mqtt.publish("t", b"x", qos=1)
    assert len(broker.written) == 1 and clock.now <= OPERATION_MS


def test_the_deadline_stands_after_check_msg():
    mqtt, _, clock = connected(lambda packet: b"")
    mqtt.check_msg()
    with pytest.raises(OSError):
        mqtt.publish("t", b"x", qos=1)
    assert clock.now <= 2 * OPERATION_MS


def test_a_ping_waits_for_its_answer():
    mqtt, broker, clock = connected()
    broker.coming = b"\x40\x02\x00\x07" + b"\x30\x05\x00\x01tok"
    clock.now = 1000
    mqtt.ping()
    assert broker.written == [b"\xc0\0"] and mqtt.heard_ms == 1000
    assert mqtt.incoming == [(b"t", b"ok")]


def test_a_ping_that_nobody_answers_ends_it():
    mqtt, _, clock = connected(lambda packet: b"")
    with pytest.raises(OSError):
        mqtt.ping()
    assert clock.now <= OPERATION_MS


def test_what_comes_in_waits_bounded_and_is_acknowledged():
    mqtt, broker, _ = connected()
    for number in range(INCOMING_MAX + 2):
        broker.coming += bytes((0x32, 6, 0, 1, 116, 0, 1 + number, 120))
    for _ in range(INCOMING_MAX + 2):
        mqtt.check_msg()
    assert mqtt.incoming == [(b"t", b"x")] * INCOMING_MAX and mqtt.dropped == 2
    assert [packet[:1] for packet in broker.written] == [b"\x40"] * (INCOMING_MAX + 2)


def test_acknowledgements_of_others_do_not_keep_it_waiting_for_ever():
    def wrong_id(packet):
        broker.coming = b"\x40\x02\xff\xff" * 3
        clock.now += 1000
        return b""

    mqtt, broker, clock = connected()
    broker.answer = wrong_id
    with pytest.raises(OSError):
        mqtt.publish("t", b"x", qos=1)


def test_the_end_of_the_stream_is_an_oserror():
    mqtt, broker, _ = connected(lambda packet: b"")
    broker.ended = True
    with pytest.raises(OSError):
        mqtt.publish("t", b"x", qos=1)
    with pytest.raises(OSError):
        mqtt.check_msg()


@pytest.mark.parametrize(
    "garbage",
    [
        b"\xff\xff\xff\xff",
        b"\x00\x00",
        b"\x20\x03\x00\x00",
        b"HTTP/1.1 400",
        b"\x40\x03\x00\x01",
        b"\x30" + b"\xff" * 40,  # a length without an end
        b"\x30\x03\x00\x09t",  # a topic longer than its packet
    ],
)
def test_a_broker_that_answers_garbage_is_an_oserror(garbage):
    mqtt, _, _ = connected(lambda packet: garbage)
    with pytest.raises(OSError):
        mqtt.publish("t", b"x", qos=1)


def test_a_refused_login_keeps_its_return_code():
    clock = FakeClock()
    mqtt = Mqtt(
        Broker(clock, lambda packet: b"\x20\x02\x00\x05"), clock, BrokerAddress("broker", 1883, "CP1", "wrong"), 600
    )
    with pytest.raises(MQTTException) as refused:
        mqtt.connect()
    assert refused.value.args[0] == 5


def test_a_packet_of_256_mb_ends_the_connection_and_not_the_memory():
    mqtt, broker, _ = connected()
    broker.coming = b"\x30\xff\xff\xff\x7f"
    with pytest.raises(OSError):
        mqtt.check_msg()


def publish_of(size, qos):
    """Return a PUBLISH to us with this many bytes after its fixed header."""
    length = b""
    left = size
    while True:
        length += bytes([left & 0x7F | (0x80 if left > 0x7F else 0)])
        left >>= 7
        if not left:
            break
    head = b"\x00\x0acp/CP1/cmd" + (b"\x12\x34" if qos else b"")
    return bytes([0x31 | qos << 1]) + length + head + b"x" * (size - len(head))


@pytest.mark.parametrize(
    "size, qos", [(PACKET_MAX + 1, 0), (PACKET_MAX + 1, 1), (3_700, 0), (3_700, 1), (16_383, 1), (16_384, 1)]
)
def test_a_message_that_is_too_long_is_read_past_acknowledged_and_counted(size, qos):
    mqtt, broker, _ = connected()
    broker.coming = publish_of(size, qos) + b"\x30\x05\x00\x01tok"
    mqtt.check_msg()
    assert broker.written == ([b"\x40\x02\x12\x34"] if qos else [])
    mqtt.check_msg()
    assert mqtt.incoming == [(b"t", b"ok")]
    assert mqtt.dropped == 1


@pytest.mark.parametrize("call", ["publish", "subscribe", "ping"])
def test_a_message_that_is_too_long_ends_no_wait(call):
    mqtt, broker, _ = connected()

    def answer(packet):
        if packet[0] & 0xF0 == 0x80:
            return publish_of(3_700, 1) + b"\x90\x03" + packet[2:4] + b"\x01"
        return (publish_of(3_700, 1) if packet[0] & 0xF0 != 0x40 else b"") + broker.polite(packet)

    broker.answer = answer
    getattr(mqtt, call)(*{"publish": ("t", b"x", False, 1), "subscribe": ("t", 1), "ping": ()}[call])
    assert mqtt.dropped == 1
    assert b"\x40\x02\x12\x34" in b"".join(broker.written)


@pytest.mark.parametrize("topic_bytes", [0xFFFF, 3_000])
def test_a_long_message_whose_topic_is_longer_ends_the_connection(topic_bytes):
    mqtt, broker, _ = connected()
    broker.coming = b"\x32\xb4\x17" + topic_bytes.to_bytes(2, "big") + b"x" * 70_000
    with pytest.raises(OSError):
        mqtt.check_msg()


def test_nothing_to_read_costs_no_time():
    mqtt, _, clock = connected()
    mqtt.check_msg()
    assert clock.now == 0


def test_a_late_acknowledgement_is_read_to_its_end():
    mqtt, broker, _ = connected()
    broker.coming = b"\x40\x02\x00\x07" + b"\x30\x05\x00\x01tok"
    mqtt.check_msg()
    mqtt.check_msg()
    assert mqtt.incoming == [(b"t", b"ok")]


def test_what_is_too_long_to_send_is_refused_whole():
    mqtt, broker, _ = connected()
    with pytest.raises(OSError):
        mqtt.publish("t", b"x" * PACKET_MAX, qos=1)
    assert broker.written == []


def test_goodbye_closes_even_if_nobody_listens():
    mqtt, broker, _ = connected()

    def broken(packet):
        raise OSError(errno.ECONNRESET)

    broker.answer = broken
    mqtt.disconnect()
    assert broker.closed


def test_goodbye_after_a_write_that_timed_out():
    """After a timeout, the transport may still read the buffer of the write."""
    mqtt, broker, _ = connected()
    seen = []

    def stuck(data):
        seen.append(memoryview(data))
        raise OSError(errno.ETIMEDOUT)

    broker.write = stuck
    with pytest.raises(OSError):
        mqtt.publish("t", b"x", qos=1)
    mqtt.disconnect()
    assert broker.closed
