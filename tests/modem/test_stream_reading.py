"""Is all received data read exactly once, and is a loss never taken for data?"""

import errno

import pytest

from tests.modem.far_end import GET, NASTY, START, arrive, connected, errno_of
from tests.modem.scripted import OK, line


def test_bytes_that_look_like_anything_arrive_untouched():
    stream, port, _, far_end = connected()
    arrive(port, far_end, NASTY)
    assert stream.read(len(NASTY)) == NASTY


def test_more_than_one_handful():
    stream, port, _, far_end = connected()
    data = bytes([place % 251 for place in range(5000)])
    arrive(port, far_end, data)
    assert stream.read(5000) == data
    assert port.sent.count(GET) == 4


def test_reading_waits_for_what_is_announced():
    stream, port, clock, far_end = connected()
    arrive(port, far_end, b"hello", delay_ms=700)
    assert stream.read(5) == b"hello"
    assert clock.ms == 700


def test_a_lost_announcement_costs_two_seconds():
    stream, port, clock, far_end = connected()
    far_end.waiting = b"hello"
    assert stream.read(5) == b"hello"
    assert clock.ms == 2000


def test_a_read_has_a_deadline_and_may_be_tried_again():
    stream, port, clock, far_end = connected()
    stream.settimeout(5)
    assert errno_of(stream.read, 1) == errno.ETIMEDOUT
    assert clock.ms == 5000
    arrive(port, far_end, b"x")
    assert stream.read(1) == b"x"


def test_without_a_timeout_nothing_waits_for_ever():
    stream, _, clock, _ = connected()
    stream.settimeout(None)
    assert errno_of(stream.read, 1) == errno.ETIMEDOUT
    assert clock.ms == 600_000


def test_not_blocking():
    stream, port, clock, far_end = connected()
    stream.setblocking(False)
    buffer = bytearray(4)
    assert stream.read(1) is None
    assert stream.readinto(buffer) is None
    arrive(port, far_end, b"abc")
    assert stream.readinto(buffer) == 3
    assert bytes(buffer) == b"abc\x00"
    arrive(port, far_end, b"de")
    assert stream.read(5) == b"de"
    assert stream.read(5) is None
    assert clock.ms == 0


def test_blocking_again_keeps_the_timeout():
    """umqtt.simple makes the socket blocking after each message, which would remove any timeout."""
    stream, _, clock, _ = connected()
    stream.settimeout(3)
    stream.setblocking(False)
    stream.setblocking(True)
    assert errno_of(stream.read, 1) == errno.ETIMEDOUT
    assert clock.ms == 3000


def test_what_came_before_the_end_is_read_before_the_end():
    stream, port, _, far_end = connected()
    far_end.waiting = b"last words"
    port.says("0, CLOSED")
    assert stream.read(100) == b"last words"
    assert stream.read(100) == b""
    assert stream.readinto(bytearray(1)) == 0


def test_a_modem_that_has_forgotten_the_connection_ends_it():
    """Other implementations looped forever: CIPRXGET returns an error after the other side closed."""
    stream, port, clock, _ = connected()
    port.answers[GET] = line("+CME ERROR: 3")
    port.says("0, CLOSED")
    assert stream.read(10) == b""
    assert port.sent.count(GET) == 1


def test_reading_nothing():
    stream, port, _, _ = connected()
    assert stream.readinto(bytearray(0)) == 0
    assert stream.read(0) == b""
    assert port.sent == [START]


LOSSES = [
    ("a byte of the payload", b"\r\n+CIPRXGET: 2,0,6,0\r\nABCDE\r\nOK\r\n"),
    ("three bytes of the payload", b"\r\n+CIPRXGET: 2,0,6,0\r\nABC\r\nOK\r\n"),
    ("so many bytes that the result is eaten", b"\r\n+CIPRXGET: 2,0,20,0\r\nABC\r\nOK\r\n"),
    ("a digit of the count", b"\r\n+CIPRXGET: 2,0,2,0\r\nABCDEFGHIJKL\r\nOK\r\n"),
    ("the count", b"\r\n+CIPRXGET: 2,0,,0\r\nABCDEF\r\nOK\r\n"),
    ("the field behind the count", b"\r\n+CIPRXGET: 2,0,6,\r\nABCDEF\r\nOK\r\n"),
    ("the first byte of the header", b"\r\nCIPRXGET: 2,0,6,0\r\nABCDEF\r\nOK\r\n"),
    ("the name of the header", b"\r\n+CIPRXET: 2,0,6,0\r\nABCDEF\r\nOK\r\n"),
    ("the header", b"ABCDEF\r\nOK\r\n"),
    ("the whole answer but its result", OK),
    ("the line end behind the header", b"\r\n+CIPRXGET: 2,0,6,0ABCDEF\r\nOK\r\n"),
]


@pytest.mark.parametrize("name, answer", LOSSES, ids=[row[0] for row in LOSSES])
def test_lost_bytes_end_the_connection(name, answer):
    stream, port, clock, _ = connected()
    port.answers[GET] = answer
    port.says("+CIPRXGET: 1,0")
    assert errno_of(stream.read, 6) == errno.EIO
    assert errno_of(stream.read, 6) == errno.EIO
    assert errno_of(stream.write, b"x") == errno.EIO
    stream.close()
