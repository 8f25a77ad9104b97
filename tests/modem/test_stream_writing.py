"""Is all written data either accepted or an error, and is a path that delivers nothing detected?"""

import errno

import pytest

from tests.modem.far_end import ACK, CLOSE, NASTY, START, connected, errno_of
from tests.modem.scripted import PAYLOAD, SILENCE, line

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
    port.answers[PAYLOAD] = lambda port: far_end.take(port)[:-3] + b"\r\n"  # the modem reads 1000 as 100
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
    ("the modem cannot send", line("0, SEND FAIL"), errno.ETIMEDOUT),
    ("the modem refuses", line("ERROR"), errno.EIO),
    ("closed, and no result", line("0, CLOSED"), errno.ECONNRESET),
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


@pytest.mark.parametrize("place", ["before the prompt", "after the payload"])
def test_a_connection_that_ends_while_it_sends_is_not_waited_for(place):
    stream, port, clock, _ = connected()
    if place == "before the prompt":
        port.prompt = line("0, CLOSED")
    port.answers[PAYLOAD] = line("0, CLOSED")
    assert errno_of(stream.write, b"x") == errno.ECONNRESET
    assert clock.ms <= 2_000


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


def test_a_dead_path_is_found_by_one_who_only_writes():
    stream, _, clock, _ = connected()
    began_ms = clock.ms
    with pytest.raises(OSError) as dead:
        while clock.ms - began_ms < 200_000:
            stream.write(b"x")
            clock.ms += 5_000
    assert dead.value.errno == errno.ETIMEDOUT and clock.ms - began_ms < 100_000


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
