"""Is each byte over the air counted once, with its headers?"""

from modem.traffic import CLOSING_SEGMENTS, OPENING_SEGMENTS, SEGMENT_BYTES
from tests.modem.far_end import arrive, connected

OPENING, CLOSING = OPENING_SEGMENTS * SEGMENT_BYTES, CLOSING_SEGMENTS * SEGMENT_BYTES


def test_opening_and_closing():
    stream, _, _, _ = connected()
    assert stream.traffic.air_bytes == OPENING
    for _ in range(2):
        stream.close()
        assert stream.traffic.air_bytes == OPENING + CLOSING, "the second one closes nothing"


def test_a_question_and_its_answer_are_three_segments():
    stream, port, _, far_end = connected()
    stream.write(b"x" * 100)
    arrive(port, far_end, b"y" * 30)
    stream.read(30)
    assert stream.traffic.air_bytes == OPENING + 130 + 3 * SEGMENT_BYTES


def test_each_command_that_sends_is_a_segment():
    stream, _, _, _ = connected()
    stream.write(b"x" * 3000)
    assert stream.traffic.air_bytes == OPENING + 3000 + 3 * SEGMENT_BYTES


def test_what_is_read_in_pieces_is_counted_once():
    stream, port, _, far_end = connected()
    arrive(port, far_end, b"y" * 100)
    for _ in range(10):
        stream.read(10)
    assert stream.traffic.air_bytes == OPENING + 100 + 2 * SEGMENT_BYTES


def test_a_look_that_finds_nothing_and_a_modem_that_takes_nothing_cost_nothing():
    stream, _, _, far_end = connected()
    far_end.takes = 0
    stream.setblocking(False)
    assert stream.write(b"x") is None and stream.read(1) is None
    assert stream.traffic.air_bytes == OPENING
