"""Is a file complete and in order after a network that loses, doubles and delays, and how fast is it requested?"""

import pytest

from firmware.update import transfer
from firmware.update.transfer import AGAIN_LAST_MS, ANSWER_MS, BAD_MAX, IMAGE, MANIFEST, PACE_MS, Transfer, parts

TOTAL = 20 * 1024 + 100
CONTENT = bytes(number * 7 % 251 for number in range(TOTAL))


def new(at=0, pace_ms=PACE_MS, total=TOTAL):
    return Transfer(IMAGE, total, at, pace_ms, lambda number, piece: piece == CONTENT[number * 1024 :][:1024])


def send(transfer, now_ms, asked, lose=()):
    """Answer a request; the pieces with numbers in `lose` are lost."""
    for number, at in enumerate(range(asked[0], asked[0] + asked[1], 1024)):
        if number not in lose:
            transfer.piece(now_ms, IMAGE, at, CONTENT[at : min(at + 1024, TOTAL)])


def test_it_asks_for_windows_until_it_is_done():
    fetching, now_ms, asked = new(), 0, []
    while not fetching.is_done():
        question = fetching.question(now_ms)
        asked.append((now_ms, question))
        send(fetching, now_ms, question)
        now_ms += PACE_MS
    assert asked == [(0, (0, 8192)), (PACE_MS, (8192, 12388))]
    assert fetching.question(now_ms) is None and fetching.at == TOTAL


def test_the_next_window_waits_for_the_pace_unless_it_hurries():
    fetching = new()
    send(fetching, 0, fetching.question(0))
    assert fetching.question(PACE_MS - 1) is None and fetching.question(PACE_MS)
    hurried = new(pace_ms=0)
    send(hurried, 0, hurried.question(0))
    assert hurried.question(0)


@pytest.mark.parametrize(
    "bytes_per_s, windows", [(300, [8, 8, 8, 8, 8]), (1500, [8, 14, 14, 14, 14]), (100000, [8, 16, 32, 32, 32])]
)
def test_a_window_is_as_large_as_what_comes_in_ten_seconds(bytes_per_s, windows):
    fetching, now_ms, asked = Transfer(IMAGE, 1 << 18, 0, 0, lambda number, piece: True), 0, []
    while len(asked) < len(windows):
        at, wanted = fetching.question(now_ms)
        asked.append(wanted // 1024)
        for place in range(at, at + wanted, 1024):
            now_ms += 1024000 // bytes_per_s
            assert fetching.piece(now_ms, IMAGE, place, bytes(1024))
    assert asked == windows


def test_after_a_loss_a_window_is_small_again():
    fetching = Transfer(IMAGE, 1 << 18, 0, 0, lambda number, piece: True)
    for _ in range(3):
        at, wanted = fetching.question(0)
        for place in range(at, at + wanted, 1024):
            fetching.piece(0, IMAGE, place, bytes(1024))
    assert fetching.question(0)[1] == 32 * 1024
    assert fetching.question(ANSWER_MS)[1] == 8 * 1024


def test_it_goes_on_where_the_file_ends():
    assert new(at=5 * 1024).question(0) == (5 * 1024, 8192)
    assert new(at=TOTAL).is_done() and new(at=TOTAL).question(0) is None


def test_a_gap_is_asked_for_again_from_there():
    fetching = new()
    send(fetching, 0, fetching.question(0), lose=(3,))
    assert fetching.at == 3 * 1024 and fetching.awaits()
    assert fetching.question(ANSWER_MS - 1) is None
    assert fetching.question(ANSWER_MS) == (3 * 1024, 8192)


def test_silence_is_asked_ever_more_seldom():
    fetching, now_ms, times = new(), 0, []
    while len(times) < 14:
        if fetching.question(now_ms):
            times.append(now_ms)
        now_ms += 1000
    apart = [after - before for before, after in zip(times, times[1:])]
    assert apart[:4] == [30000, 60000, 120000, 240000] and apart[-1] == AGAIN_LAST_MS
    assert apart == sorted(apart)
    send(fetching, now_ms, (0, 1024))
    assert fetching.question(now_ms + ANSWER_MS)  # it starts from the beginning again


@pytest.mark.parametrize(
    "file, offset, content",
    [
        (MANIFEST, 0, CONTENT[:1024]),
        (IMAGE, 1024, CONTENT[1024:2048]),
        (IMAGE, 0, CONTENT[:1023]),
        (IMAGE, 0, b""),
        (IMAGE, 0, CONTENT[1:1025]),
        (IMAGE, 1 << 23, CONTENT[:1024]),
    ],
)
def test_anything_but_the_next_piece_changes_nothing(file, offset, content):
    fetching = new()
    fetching.question(0)
    assert not fetching.piece(0, file, offset, content) and fetching.at == 0
    assert fetching.piece(0, IMAGE, 0, CONTENT[:1024])


def test_a_piece_that_nobody_asked_for_changes_nothing():
    fetching = new()
    assert not fetching.piece(0, IMAGE, 0, CONTENT[:1024])


def test_pieces_with_other_bytes_are_an_end():
    fetching = new()
    fetching.question(0)
    for number in range(BAD_MAX):
        assert not fetching.is_wrong(), number
        fetching.piece(0, IMAGE, 0, bytes(1024))
    assert fetching.is_wrong()


def test_a_cloud_that_sends_three_times_as_much_is_asked_once_an_hour():
    fetching, now_ms = new(), 0
    while fetching._came <= 3 * TOTAL + 8192:
        if fetching.question(now_ms):
            for _ in range(9):
                fetching.piece(now_ms, IMAGE, fetching.at, bytes(1024))
        now_ms += 1000
    fetching.question(now_ms + AGAIN_LAST_MS)
    assert fetching.question(now_ms + 2 * AGAIN_LAST_MS - 1001) is None


def test_a_broker_that_takes_no_question_is_asked_in_an_hour():
    fetching = new()
    fetching.question(0)
    fetching.put_off(0)
    assert fetching.question(AGAIN_LAST_MS - 1) is None and fetching.question(AGAIN_LAST_MS) == (0, 8192)


def test_a_message_has_a_head_and_a_piece():
    assert parts(b"12345678\1\0\4\0" + b"x" * 1024) == (b"12345678", 1, 1024, b"x" * 1024)
    for message in (b"", b"12345678\1\0\0", b"12345678\1\0\0\0", b"12345678\1\0\0\0" + b"x" * 1025):
        assert parts(message) is None
    assert transfer.HEAD_BYTES == 12
