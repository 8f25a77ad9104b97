"""Is each command answered as in the recording, in whatever order the client sends them?"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hil_tests.sim.modem.recording import BadRecording, parsed
from hil_tests.sim.modem.replay import Replay

RECORDING = """
50 < RDY
100 > AT+CSQ
104 < +CSQ: 17,0
105 < OK
300 < +CREG: 5
1000 > AT+CSQ
1050 < +CSQ: 9,0
1051 < OK
2000 > AT+CGMM
5000 > AT+COPS?
5010 < +COPS: 0
5011 < OK
"""
FIRST = [(4, b"\r\n+CSQ: 17,0\r\n"), (5, b"\r\nOK\r\n"), (200, b"\r\n+CREG: 5\r\n")]
SECOND = [(50, b"\r\n+CSQ: 9,0\r\n"), (51, b"\r\nOK\r\n")]
OPERATOR = [(10, b"\r\n+COPS: 0\r\n"), (11, b"\r\nOK\r\n")]


def replay(text: str = RECORDING) -> tuple[Replay, list[str]]:
    """Return (a replay, its reports)."""
    reported: list[str] = []
    return Replay(parsed(text), reported.append), reported


def test_answers_and_urcs_come_after_the_times_they_took() -> None:
    played, _ = replay()
    assert played.receive(7_000, b"AT+CSQ\r")[1:] == [(7_000 + at_ms, data) for at_ms, data in FIRST]
    assert played.receive(9_000, b"AT+CSQ\r") == [(9_000 + at_ms, data) for at_ms, data in SECOND]


def test_what_came_before_the_first_command_comes_with_it_once() -> None:
    played, _ = replay()
    assert played.receive(0, b"AT+COPS?\r") == [(0, b"\r\nRDY\r\n"), *OPERATOR]
    assert played.receive(0, b"AT+COPS?\r") == OPERATOR


def test_a_silence_is_a_silence() -> None:
    played, _ = replay()
    played.receive(0, b"AT+CSQ\r")
    assert played.receive(0, b"AT+CGMM\r") == []


def test_a_command_is_looked_for_onwards_then_in_what_was_before() -> None:
    played, reported = replay()
    played.receive(0, b"AT+CSQ\r")
    assert played.receive(0, b"AT+COPS?\r") == OPERATOR  # two commands are skipped
    assert played.receive(0, b"AT+CSQ\r") == SECOND  # the nearest earlier one
    assert played.receive(0, b"AT+CSQ\r") == SECOND  # there is no later one
    assert played.receive(0, b"AT+CGMM\r") == []  # and from there on
    assert (played.in_order, played.moved, played.unknown, reported) == (2, 3, 0, [])


def test_an_unknown_command_is_an_error_and_leaves_the_place() -> None:
    played, reported = replay()
    played.receive(0, b"AT+CSQ\r")
    assert played.receive(5, b"AT+FOO=1\r") == [(5, b"\r\nERROR\r\n")]
    assert reported == ["AT+FOO=1 is not in the recording; expected: AT+CSQ of line 7"]
    assert played.receive(0, b"AT+CSQ\r") == SECOND
    assert (played.in_order, played.unknown) == (2, 1)


def test_an_unknown_command_at_the_end_expects_the_end() -> None:
    played, reported = replay()
    played.receive(0, b"AT+COPS?\rAT+FOO\r")
    assert reported == ["AT+FOO is not in the recording; expected: the end of the recording"]


def test_payload_is_taken_by_its_length_and_answered() -> None:
    played, reported = replay("0 > AT+CIPSEND=0,4\n3 < >\n5 > <4 bytes>\n9 < DATA ACCEPT:0,4\n")
    assert played.receive(0, b"AT+CIPSEND=0,4\r") == [(3, b"\r\n> ")]
    assert played.receive(10, b"\rA") == []
    assert played.receive(20, b"T\rAT+CIPSEND=0,4\r") == [(24, b"\r\nDATA ACCEPT:0,4\r\n"), (23, b"\r\n> ")]
    assert reported == []


def test_bytes_without_a_command_are_bounded() -> None:
    played, _ = replay()
    for _ in range(100):
        assert played.receive(0, b"x" * 1_000) == []
    assert played.receive(0, b"\r\0\xffat+csq\r")[1:] == FIRST


def test_a_recording_without_a_command_is_refused() -> None:
    with pytest.raises(BadRecording, match="no command"):
        replay("1 < RDY\n")


@given(st.binary(max_size=200), st.integers(1, 7))
def test_how_bytes_are_divided_changes_nothing_and_no_byte_raises(noise: bytes, size: int) -> None:
    whole = noise + b"\rAT+CSQ\rAT+COPS?\r"
    at_once, in_pieces = replay()[0], replay()[0]
    answers = [answer for at in range(0, len(whole), size) for answer in in_pieces.receive(0, whole[at : at + size])]
    assert answers == at_once.receive(0, whole)
