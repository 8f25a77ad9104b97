"""Does a connection behave as a socket does, and does nothing that is lost go unnoticed?"""

import errno

import pytest

from modem.stream import Stream
from tests.modem.scripted import OK, PAYLOAD, SILENCE, line, scripted

START = 'AT+CIPSTART=0,"TCP","broker.example",1883'
GET = "AT+CIPRXGET=2,0,1460"
CLOSE = "AT+CIPCLOSE=0,1"
ACK = "AT+CIPACK=0"
NASTY = b"\r\nOK\r\nERROR\r\n> \r\n0, CLOSED\r\n+CREG: 0\r\n+PDP: DEACT\r\nRDY\r\n\x00\xff\x1a"

POLL, POLL_CLOSE = 3, 4
READABLE, WRITABLE, FAILED, HUNG_UP = 1, 4, 8, 16


class FarEnd:
    """What the modem has received and not yet handed over, and what it does with what it is given to send."""

    def __init__(self):
        self.waiting = b""
        self.sent = 0
        self.acknowledged = 0
        self.takes = 1460

    def get(self, port):
        taken, self.waiting = self.waiting[:1460], self.waiting[1460:]
        header = "+CIPRXGET: 2,0,%d,%d" % (len(taken), len(self.waiting))
        return line(header) + taken + b"\r\nOK\r\n"

    def take(self, port):
        taken = min(self.takes, len(port.payloads[-1]))
        self.sent += taken
        return line("DATA ACCEPT:0,%d" % taken)

    def ack(self, port):
        return line("+CIPACK: %d,%d,%d" % (self.sent, self.acknowledged, self.sent - self.acknowledged)) + OK


def connected():
    """(stream, port, clock, far end) of an open connection."""
    far_end = FarEnd()
    answers = {
        START: OK + line("0, CONNECT OK"),
        GET: far_end.get,
        PAYLOAD: far_end.take,
        ACK: far_end.ack,
        CLOSE: line("0, CLOSE OK"),
    }
    modem, port, clock = scripted(answers)
    stream = Stream(modem, clock)
    stream.connect("broker.example", 1883)
    return stream, port, clock, far_end


def errno_of(function, *arguments):
    with pytest.raises(OSError) as caught:
        function(*arguments)
    return caught.value.errno


def arrive(port, far_end, data, delay_ms=0):
    far_end.waiting += data
    port.says("+CIPRXGET: 1,0", delay_ms)


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


# Reading


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
    """umqtt.simple makes the socket blocking after each message, and would so lose any timeout."""
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
    """Others have looped for ever on this: CIPRXGET answered with an error after the other side closed."""
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


# Writing


def test_all_is_written():
    stream, port, _, _ = connected()
    data = bytes([place % 256 for place in range(3000)]) + NASTY
    assert stream.write(data) == len(data)
    assert b"".join(port.payloads) == data
    assert max([len(payload) for payload in port.payloads]) == 1400


def test_the_first_bytes_of_a_buffer():
    stream, port, _, _ = connected()
    assert stream.write(bytearray(b"abcdef"), 3) == 3
    assert port.payloads == [b"abc"]


def test_nothing_to_write():
    stream, port, _, _ = connected()
    assert stream.write(b"") == 0
    assert port.sent == [START]


def test_a_modem_that_takes_only_part_is_given_the_rest():
    stream, port, _, far_end = connected()
    far_end.takes = 400
    assert stream.write(b"x" * 1000) == 1000
    assert far_end.sent == 1000


def test_a_lost_digit_of_what_was_taken_is_noticed():
    stream, port, _, far_end = connected()
    port.answers[PAYLOAD] = lambda port: far_end.take(port)[:-3] + b"\r\n"  # 1000 is heard as 100
    assert errno_of(stream.write, b"x" * 1000) == errno.EIO


def test_a_modem_without_room():
    stream, port, clock, far_end = connected()
    far_end.takes = 0
    stream.settimeout(5)
    assert errno_of(stream.write, b"x") == errno.ETIMEDOUT
    assert 5000 <= clock.ms <= 5500


def test_a_modem_without_room_when_not_blocking():
    stream, port, clock, far_end = connected()
    far_end.takes = 0
    stream.setblocking(False)
    assert stream.write(b"x") is None
    assert clock.ms == 0


WRITE_FAILURES = [
    ("the modem refuses", line("0, SEND FAIL"), errno.EIO),
    ("closed meanwhile", line("0, CLOSED") + line("0, SEND FAIL"), errno.ECONNRESET),
    ("no result", SILENCE, errno.ETIMEDOUT),
    ("result of another connection", line("DATA ACCEPT:1,1"), errno.EIO),
    ("result torn", line("DATA ACCEPT:0,"), errno.EIO),
    ("restart", line("RDY"), errno.ECONNABORTED),
]


@pytest.mark.parametrize("name, answer, code", WRITE_FAILURES, ids=[row[0] for row in WRITE_FAILURES])
def test_a_write_that_fails_ends_the_connection(name, answer, code):
    stream, port, clock, _ = connected()
    port.answers[PAYLOAD] = answer
    assert errno_of(stream.write, b"x") == code
    assert errno_of(stream.read, 1) in (code, errno.ECONNABORTED)


def test_writing_to_a_closed_connection():
    stream, port, _, _ = connected()
    port.says("0, CLOSED")
    assert errno_of(stream.write, b"x") == errno.ECONNRESET


@pytest.mark.parametrize("word", ["+PDP: DEACT", "RDY"])
def test_the_data_service_is_gone(word):
    stream, port, _, _ = connected()
    port.says(word)
    assert errno_of(stream.read, 1) == errno.ECONNABORTED
    assert errno_of(stream.write, b"x") == errno.ECONNABORTED
    stream.close()
    assert CLOSE not in port.sent


# Dead paths


def test_a_path_on_which_nothing_is_acknowledged_is_dead_after_a_minute():
    stream, port, clock, _ = connected()
    stream.write(b"hello")
    stream.settimeout(600)
    assert errno_of(stream.read, 1) == errno.ETIMEDOUT
    assert 60_000 <= clock.ms <= 70_000
    assert errno_of(stream.write, b"x") == errno.ETIMEDOUT


def test_a_slow_path_is_not_dead():
    stream, port, clock, far_end = connected()
    stream.write(b"hello")
    for _ in range(5):
        stream.settimeout(30)
        assert errno_of(stream.read, 1) == errno.ETIMEDOUT
        far_end.acknowledged += 1
    assert stream.write(b"more") == 4


def test_a_path_with_nothing_owed_is_not_asked_about():
    stream, port, clock, far_end = connected()
    stream.write(b"hello")
    far_end.acknowledged = 5
    stream.settimeout(600)
    assert errno_of(stream.read, 1) == errno.ETIMEDOUT
    assert clock.ms == 600_000
    assert port.sent.count(ACK) == 1


# What MicroPython's select and tls ask


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
