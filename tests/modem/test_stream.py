"""Is a connection opened, watched and closed like a socket?"""

import errno

import pytest

from modem.stream import Stream
from tests.modem.far_end import CLOSE, GET, START, arrive, connected, errno_of
from tests.modem.scripted import OK, SILENCE, line, scripted

POLL, POLL_CLOSE = 3, 4
READABLE, WRITABLE, FAILED, HUNG_UP = 1, 4, 8, 16


# Opening


def test_connecting_ends_with_connect_ok():
    stream, port, clock, _ = connected()
    assert port.sent == [START]
    assert clock.ms == 0


REFUSALS = [
    ("the other side refuses", OK + line("0, CONNECT FAIL"), errno.ECONNREFUSED),
    ("the modem refuses", line("+CME ERROR: 3"), errno.ECONNREFUSED),
    ("closed before it was open", OK + line("0, CLOSED"), errno.ECONNREFUSED),
    ("no data service any more", OK + line("+PDP: DEACT"), errno.ECONNABORTED),
    ("the modem restarts", OK + line("RDY"), errno.ECONNABORTED),
    ("nothing comes of it", OK, errno.ETIMEDOUT),
    ("the modem is silent", SILENCE, errno.EIO),
]


@pytest.mark.parametrize("name, answer, code", REFUSALS, ids=[row[0] for row in REFUSALS])
def test_why_a_connection_cannot_be_opened(name, answer, code):
    modem, _, clock = scripted({START: answer})
    stream = Stream(modem, clock)
    assert errno_of(stream.connect, "broker.example", 1883) == code
    assert clock.ms <= 80_000
    assert errno_of(stream.write, b"x") == code


def test_a_connection_left_over_from_before_is_not_taken_for_the_new_one():
    modem, port, clock = scripted(
        {START: [OK + line("0, ALREADY CONNECT"), OK + line("0, CONNECT OK")], CLOSE: line("0, CLOSE OK")}
    )
    Stream(modem, clock).connect("broker.example", 1883)
    assert port.sent == [START, CLOSE, START]


def test_what_came_of_the_attempt_before_is_not_what_comes_of_the_next():
    late = [(0, OK), (500, line("0, CONNECT OK"))]
    modem, port, clock = scripted({START: [OK + line("0, ALREADY CONNECT"), late], CLOSE: line("0, CLOSE OK")})
    stream = Stream(modem, clock)
    stream.connect("broker.example", 1883)
    assert clock.ms == 500 and stream.answered


def test_not_connected():
    modem, port, clock = scripted({})
    stream = Stream(modem, clock)
    assert errno_of(stream.read, 1) == errno.ENOTCONN
    assert errno_of(stream.write, b"x") == errno.ENOTCONN
    stream.close()
    assert port.sent == []


def test_a_connection_is_opened_once():
    stream, _, _, _ = connected()
    assert errno_of(stream.connect, "broker.example", 1883) == errno.EALREADY


def test_a_host_name_cannot_smuggle_a_command():
    modem, _, clock = scripted({})
    with pytest.raises(ValueError):
        Stream(modem, clock).connect('x","y', 1883)


def test_after_close_it_can_be_opened_again():
    stream, port, _, far_end = connected()
    stream.close()
    stream.close()
    assert port.sent == [START, CLOSE]
    assert errno_of(stream.read, 1) == errno.ENOTCONN
    stream.connect("broker.example", 1883)
    arrive(port, far_end, b"again")
    assert stream.read(5) == b"again"


@pytest.mark.parametrize("word, answered", [("CONNECT OK", True), ("CONNECT FAIL", True), ("CLOSED", False)])
def test_somebody_answered_an_attempt_or_nobody_did(word, answered):
    modem, _, clock = scripted({START: OK + line("0, " + word), CLOSE: line("0, CLOSE OK")})
    stream = Stream(modem, clock)
    try:
        stream.connect("broker.example", 1883)
    except OSError:
        pass
    assert stream.answered == answered


# What MicroPython's select and tls call


def test_readiness():
    stream, port, clock, far_end = connected()
    assert stream.ioctl(POLL, READABLE | WRITABLE) == WRITABLE
    arrive(port, far_end, b"abc")
    assert stream.ioctl(POLL, READABLE | WRITABLE) == READABLE | WRITABLE
    assert stream.ioctl(POLL, WRITABLE) == WRITABLE
    stream.read(1)
    assert stream.ioctl(POLL, READABLE) == READABLE
    stream.read(2)
    assert stream.ioctl(POLL, READABLE) == 0
    port.says("0, CLOSED")
    assert stream.ioctl(POLL, READABLE | WRITABLE) == READABLE | HUNG_UP
    port.says("+PDP: DEACT")
    assert stream.ioctl(POLL, WRITABLE) == FAILED


def test_close_and_unknown_requests():
    stream, port, _, _ = connected()
    assert stream.ioctl(99, 0) == -errno.EINVAL
    assert stream.ioctl(POLL_CLOSE, 0) == 0
    assert port.sent[-1] == CLOSE


def test_a_close_that_fails_is_not_the_callers_trouble():
    stream, port, _, _ = connected()
    port.answers[CLOSE] = line("+CME ERROR: 3")
    stream.close()
    port.hears_from_ms = None
    stream.close()


def test_two_connections_do_not_hear_each_other():
    answers = {START: OK + line("0, CONNECT OK"), START.replace("=0", "=1"): OK + line("1, CONNECT OK")}
    answers[GET] = line("+CIPRXGET: 2,0,1,0") + b"a\r\nOK\r\n"
    modem, port, clock = scripted(answers)
    first, second = Stream(modem, clock, 0), Stream(modem, clock, 1)
    first.connect("broker.example", 1883)
    second.connect("broker.example", 1883)
    port.says("1, CLOSED")
    port.says("+CIPRXGET: 1,0")
    assert first.read(1) == b"a"
    assert second.ioctl(POLL, READABLE) == READABLE | HUNG_UP
