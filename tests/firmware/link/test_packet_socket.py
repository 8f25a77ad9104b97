"""Does a packet leave in one write, and does a read get all its bytes or an error, in time?"""

import errno

import pytest

from firmware.link.packet_socket import CONNECT_MS, EPROTO, OPERATION_MS, PACKET_MAX, PacketSocket
from tests.firmware.link.fake_clock import FakeClock


class Transport:
    """Gives what `comes` has, in turn (None: nothing now, after 1 s), and takes `takes` bytes at a time."""

    def __init__(self, *comes, takes=10000):
        self.clock = FakeClock()
        self.comes, self.takes = list(comes), takes
        self.timeouts, self.written, self.connected, self.is_closed = [], [], None, False

    def connect(self, *target):
        self.connected = target
        self.clock.now += 5000

    def settimeout(self, seconds):
        self.timeouts.append(seconds)

    def read(self, most):
        if not self.comes:
            self.clock.now += 1000
            return None
        piece = self.comes.pop(0)
        if piece is None:
            self.clock.now += 1000
            return None
        if len(piece) > most:
            self.comes.insert(0, piece[most:])
        return piece[:most]

    def write(self, data):
        self.written.append(bytes(data[: self.takes]))
        if not self.takes:
            self.clock.now += 1000
            return None
        return min(self.takes, len(data))

    def close(self):
        self.is_closed = True


def begun(*comes, takes=10000):
    transport = Transport(*comes, takes=takes)
    socket = PacketSocket(transport, transport.clock)
    socket.begin()
    return socket, transport


def errno_of(call, *arguments):
    with pytest.raises(OSError) as refused:
        call(*arguments)
    return refused.value.args[0]


def test_the_time_of_a_slow_connection_is_its_own():
    socket, transport = begun()
    socket.connect(("broker.example", 8883))
    assert transport.connected == ("broker.example", 8883, CONNECT_MS)
    socket.write(b"x")
    socket.send()
    assert transport.timeouts == [OPERATION_MS / 1000]


def test_pieces_leave_as_one_packet_when_something_is_read_or_they_are_sent():
    socket, transport = begun(b"ab")
    socket.write("head")
    socket.write(b"body and more", 4)
    socket.write(bytearray(b"!"))
    assert transport.written == []
    assert socket.read(2) == b"ab" and transport.written == [b"headbody!"]
    socket.send()
    assert transport.written == [b"headbody!"]


def test_what_is_not_taken_at_once_is_sent_until_the_time_is_over():
    socket, transport = begun(takes=4)
    socket.write(b"headbody!")
    socket.send()
    assert transport.written == [b"head", b"body", b"!"]
    socket.write(b"late")
    transport.takes = 0
    assert errno_of(socket.send) == errno.ETIMEDOUT and transport.clock.now == OPERATION_MS
    transport.takes = 100
    socket.begin(1)
    socket.write(b"r")
    socket.send()
    assert transport.written[-1] == b"later", "the rest goes ahead of what is written next"


@pytest.mark.parametrize("size, fits", [(PACKET_MAX, True), (PACKET_MAX + 1, False)])
def test_a_packet_is_bounded_both_ways(size, fits):
    socket, transport = begun(bytes(size))
    if fits:
        socket.write(bytes(size))
        assert socket.read(size) == bytes(size) and transport.written == [bytes(size)]
    else:
        assert errno_of(socket.write, bytes(size)) == errno.ENOBUFS
        socket.send()
        assert transport.written == [], "nothing of it is left"
        assert errno_of(socket.read, size) == errno.ENOBUFS


def test_a_read_gets_all_its_bytes_however_they_come():
    socket, transport = begun(b"a", None, b"bc", b"defg")
    assert socket.read(4) == b"abcd"
    assert (socket.received, socket.last_byte) == (4, ord("d"))
    assert socket.read(0) == b"" and socket.read(3) == b"efg" and socket.received == 7


@pytest.mark.parametrize("within_ms", [1000, 5000])
def test_a_read_is_given_up_when_its_time_is_over(within_ms):
    socket, transport = begun(b"a")
    socket.begin(within_ms)
    assert errno_of(socket.read, 2) == errno.ETIMEDOUT and transport.clock.now == within_ms
    assert transport.timeouts[0] == within_ms / 1000 and transport.timeouts[-1] == 1.0


def test_without_blocking_it_looks_once_and_waits_only_for_the_rest():
    socket, transport = begun(None, b"a", None, b"b")
    socket.setblocking(False)
    assert socket.read(2) is None and transport.timeouts == [0]
    assert socket.read(2) == b"ab" and transport.timeouts[1:] == [
        0,
        (OPERATION_MS - 1000) / 1000,
        (OPERATION_MS - 2000) / 1000,
    ]
    socket.setblocking(True)
    transport.comes = [b"c"]
    assert socket.read(1) == b"c" and transport.timeouts[-1] > 0


def test_the_end_of_the_stream_and_a_field_that_is_longer_than_its_packet_are_errors():
    socket, _ = begun(b"a", b"")
    assert errno_of(socket.read, 2) == errno.ECONNRESET
    assert errno_of(socket.read, -1) == EPROTO


def test_what_was_not_sent_is_forgotten_with_the_connection():
    socket, transport = begun()
    socket.write(b"x")
    socket.close()
    socket.send()
    assert transport.is_closed and transport.written == []
