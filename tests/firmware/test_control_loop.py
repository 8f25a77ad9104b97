"""Is a charge point whose control loop ends by a mistake of ours safe, and restarted as by the watchdog?"""

import sys

import pytest

from firmware.charging.control_state import Setup
from firmware.charging.controller import Controller
from firmware.charging.io import SAFE
from firmware.control_loop import ControlLoop
from tests.firmware.link.fake_clock import FakeClock


class Board:
    """One that cannot be read."""

    def __init__(self) -> None:
        self.done: list[object] = []

    def read(self, inputs: object) -> None:
        raise KeyError("a mistake of ours")

    def write(self, outputs: object) -> None:
        self.done.append(outputs)

    def give_up(self) -> None:
        self.done.append("given up")


class NoMemory(Board):
    """One that cannot be written either."""

    def write(self, outputs: object) -> None:
        raise MemoryError


def test_it_restarts_even_if_there_is_no_memory_to_open_anything() -> None:
    board = NoMemory()
    with pytest.raises(MemoryError):
        ControlLoop(board, Controller(0, Setup(32, True, False, 0)), FakeClock())._run()
    assert board.done == ["given up"]


def test_a_mistake_of_ours_opens_everything_and_then_restarts(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[object] = []
    monkeypatch.setattr(sys, "print_exception", told.append, raising=False)
    board = Board()
    ControlLoop(board, Controller(0, Setup(32, True, False, 0)), FakeClock())._run()
    assert board.done == [SAFE, "given up"]
    assert len(told) == 1
