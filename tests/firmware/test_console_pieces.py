"""Over a line that cuts, loses and doubles bytes: does a command arrive complete or not at all, and an answer complete?"""

import random
import re

import pytest

from firmware import console_pieces
from firmware.console import Console
from modem.installer import console_pieces as tools
from modem.installer.console_pieces import Exchange, LineTooBad

LONG = 'provision {"broker": "' + "b" * 380 + '"}'
ANSWER = ["name value", "trace " + "t" * 700, "short", "log " + "é" * 200, "end"]
RING_BYTES = 260  # of an ESP32's console


class Port:
    def __init__(self) -> None:
        self.typed = self.said = b""

    def read(self) -> bytes:
        typed, self.typed = self.typed, b""
        return typed

    def write(self, data: bytes) -> None:
        self.said += bytes(data)

    def take(self) -> list[bytes]:
        said, self.said = self.said, b""
        return said.split(b"\r\n")[:-1]


class Unit(Console):
    """A console that answers every command alike, and records what it carried out."""

    after_answer = None

    def __init__(self) -> None:
        self.port = Port()
        super().__init__(self.port, self)
        self.carried_out: list[str] = []

    def _answer(self, line: bytes) -> list[str]:
        self.carried_out.append(line.decode("utf-8", "replace"))
        return ["error no"] if line == b"refuse" else [*ANSWER, "ok"]

    def hear(self, data: bytes) -> list[bytes]:
        self.port.typed = data
        self.poll()
        return self.port.take()


def talk(unit: Unit, exchange: Exchange, spoil_in=lambda data: data, spoil_out=lambda line: [line]) -> None:
    """Exchange lines until the command is done: the unit's lines, and a repetition if there are none."""
    waiting = [exchange.request]
    while not exchange.done:
        request = waiting.pop(0) if waiting else exchange.repeat()
        for line in unit.hear(spoil_in(request)):
            assert len(line) <= console_pieces.LINE_MAX
            for heard in spoil_out(line):
                more = exchange.take(heard)
                if more:
                    assert all(len(each) <= tools.LINE_MAX for each in more.split(b"\r"))
                    waiting.append(more)


@pytest.mark.parametrize("command", ["status", LONG, "x" * 136, "x" * 137, "schedule é" + "ü" * 200])
def test_command_and_answer_come_whole(command: str) -> None:
    unit, exchange = Unit(), Exchange(command, 17)
    talk(unit, exchange)
    assert unit.carried_out == [command]
    assert exchange.lines == ANSWER


def test_a_refusal_is_an_error() -> None:
    exchange = Exchange("refuse", 1)
    talk(Unit(), exchange)
    assert exchange.error == "no"


@pytest.mark.parametrize("command", ["override 16", LONG])
def test_a_piece_cut_anywhere_is_one_clear_line_and_nothing_else(command: str) -> None:
    whole = Exchange(command, 3).request.strip(b"\r")
    cuts = [whole[:end] for end in range(1, len(whole))]
    cuts += [whole[:start] + whole[start + 1 :] for start in range(len(whole))]
    cuts += [whole[start:] for start in range(1, whole.rindex(b"*") + 2)]
    for cut in cuts:
        unit = Unit()
        assert unit.hear(b"\r" + cut + b"\r") == [b"error a piece is damaged; send it again"], cut
        assert unit.carried_out == [], cut


def test_what_is_left_of_a_tail_is_no_command() -> None:
    for rest in (b".1/1 5442bc10", b"1/1 5442bc10", b" 5442bc10", b"5442bc10", b"0"):
        port = Port()
        port.typed = rest + b"\r"
        Console(port, Unit()).poll()
        (line,) = port.take()
        assert line.startswith(b"error no command "), rest


def test_a_flipped_bit_anywhere_carries_nothing_out() -> None:
    whole = Exchange("override 16", 3).request.strip(b"\r")
    for place in range(1, len(whole)):
        for bit in range(8):
            spoiled = bytes([*whole[:place], whole[place] ^ 1 << bit, *whole[place + 1 :]])
            unit = Unit()
            unit.hear(b"\r" + spoiled + b"\r")
            assert "override 16" not in unit.carried_out and len(unit.carried_out) <= 1


def test_a_command_is_carried_out_once_however_often_it_comes() -> None:
    unit, exchange = Unit(), Exchange(LONG, 5)
    talk(unit, exchange, spoil_in=lambda data: data * 3)
    assert unit.carried_out == [LONG]


def test_every_lost_piece_of_an_answer_is_asked_for_again() -> None:
    for lost in range(20):
        seen = []

        def lose(line: bytes, lost: int = lost, seen: list[bytes] = seen) -> list[bytes]:
            if line.startswith(b"@"):
                seen.append(line)
                if len(seen) == lost + 1:
                    return []
            return [line]

        unit, exchange = Unit(), Exchange("trace", lost)
        try:
            talk(unit, exchange, spoil_out=lose)
        except LineTooBad:  # the only piece of a line, so its place is unknown
            raise AssertionError(lost) from None
        assert exchange.lines == ANSWER and unit.carried_out == ["trace"]
        assert exchange.repeats == bool(len(seen) > lost), "what is sent again is counted"


def test_a_lost_short_line_is_not_taken_for_an_answer() -> None:
    with pytest.raises(LineTooBad, match="lost or damaged"):
        talk(Unit(), Exchange("status", 1), spoil_out=lambda line: [] if line == b"short" else [line])


def test_a_line_that_loses_all_ends_after_its_requests() -> None:
    with pytest.raises(LineTooBad, match="40 requests"):
        talk(Unit(), Exchange("status", 1), spoil_in=lambda data: b"")


def test_a_late_answer_to_another_command_is_none_of_this_one() -> None:
    exchange = Exchange("status", 8)
    for line in (b"late value", b"ok @7 00000000", b"error no command tus; try help"):
        assert exchange.take(line) == b""
    assert not exchange.done and exchange.lines == []


def test_the_ring_of_an_esp32_holds_what_is_sent_at_a_time() -> None:
    requests = []
    talk(Unit(), Exchange(LONG, 9999), spoil_in=lambda data: requests.append(data) or data)
    assert len(requests) > 2 and max(len(request) for request in requests) <= RING_BYTES


def test_what_was_asked_for_or_written_again_is_counted_and_nothing_else() -> None:
    whole, cut = Exchange(LONG, 3), Exchange(LONG, 4)
    talk(Unit(), whole)
    requests: list[bytes] = []
    talk(Unit(), cut, spoil_in=lambda data: data[:-20] if requests.append(data) or len(requests) == 1 else data)
    assert (whole.repeats, cut.repeats) == (0, 1)


def test_a_command_that_is_too_long_is_refused() -> None:
    for length in (513, 1500):
        exchange = Exchange("x" * length, 2)
        unit = Unit()
        talk(unit, exchange)
        assert exchange.error == "the command is longer than 512 bytes" and unit.carried_out == []


def test_pieces_of_before_are_gone_with_the_next_command() -> None:
    unit = Unit()
    talk(unit, Exchange("trace", 1))
    assert re.fullmatch(rb"@log .*\*2\.1/3 [0-9a-f]{8}", unit.hear(b"again 2 1\r")[0])
    assert unit.hear(b"again 3 1\r") == [b"error there is no piece 1 of 3; ask anew"]
    for wrong in (b"again \r", b"again x 1\r", b"again 1\r", b"again 1 0\r", b"again 0 1\r"):
        (line,) = unit.hear(wrong)
        assert line.startswith(b"error")
    unit.hear(b"refuse\r")
    assert unit.hear(b"again 1 1\r") == [b"error there is no piece 1 of 1; ask anew"]


@pytest.mark.parametrize("seed", range(60))
def test_over_a_bad_line_all_is_whole_or_an_error(seed: int) -> None:
    """Bytes are lost, changed and doubled at random in both directions. The seed is part of the test's name."""
    dice = random.Random(seed)

    def spoil(data: bytes) -> bytes:
        if dice.random() < 0.15:
            place = dice.randrange(len(data) + 1)
            how = dice.randrange(4)
            if how == 0:
                return data[:place]
            if how == 1:
                return data[place:]
            if how == 2:
                return data + data
            return data[:place] + bytes([dice.randrange(256)]) + data[place + 1 :]
        return data

    unit = Unit()
    for number in range(20):
        command = dice.choice(["status", LONG, "override 16"]) + f" {number}"
        exchange = Exchange(command, number)
        try:
            talk(unit, exchange, spoil, lambda line: [spoil(line)])
        except LineTooBad:
            continue
        assert exchange.lines == ANSWER
        assert unit.carried_out.count(command) == 1, command
