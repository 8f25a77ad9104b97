"""If the control loop ends because of a programming error, is the charge point safe, and restarted as by the watchdog?"""

import sys

import pytest

from firmware.charging.control_state import Setup
from firmware.charging.controller import Controller
from firmware.charging.io import SAFE, Inputs
from firmware.control_loop import DAY_MS, PERIOD_MS, ControlLoop
from tests.firmware.link.fake_clock import FakeClock


class Board:
    """A board that cannot be read."""

    def __init__(self) -> None:
        self.done: list[object] = []

    def read(self, inputs: object) -> None:
        raise KeyError("a mistake of ours")

    def write(self, outputs: object) -> None:
        self.done.append(outputs)

    def give_up(self) -> None:
        self.done.append("given up")


class NoMemory(Board):
    """A board that cannot be written either."""

    def write(self, outputs: object) -> None:
        raise MemoryError


class Still(Board):
    """A board with nothing plugged in."""

    def read(self, inputs: Inputs) -> None:
        inputs.rail_mv, inputs.supply_mv, inputs.temperature_c, inputs.meter_wh = 5000, 230_000, 25, 1
        inputs.pilot_high_mv = inputs.pilot_low_mv = 12_000

    def write(self, outputs: object) -> None:
        pass

    def move_live_line(self) -> None:
        pass

    def keep_latched(self, faults: tuple[str, ...]) -> None:
        pass

    def feed(self) -> None:
        self.done.append("fed")


def test_the_clock_is_set_back_each_day_and_nothing_waits_for_it() -> None:
    board, clock = Still(), FakeClock()
    controller = Controller(0, Setup(32, True, False, 0, True))
    loop = ControlLoop(board, controller, clock)
    for _ in range(2900):
        clock.now += DAY_MS // 1000
        controller.exchange.pauses += 1  # the main thread is alive
        controller.exchange.turns += 1
        loop.run_period()
        assert clock.now < 2 * DAY_MS + DAY_MS // 1000
        assert 0 <= loop._due_ms - clock.now <= PERIOD_MS
    assert board.done.count("fed") == 2900, "the watchdog"
    assert controller._origin_ms == DAY_MS
    assert controller.exchange.worst_ms == DAY_MS // 1000


def test_it_restarts_even_if_there_is_no_memory_to_open_anything() -> None:
    board = NoMemory()
    with pytest.raises(MemoryError):
        ControlLoop(board, Controller(0, Setup(32, True, False, 0, True)), FakeClock())._run()
    assert board.done == ["given up"]


def test_a_mistake_of_ours_opens_everything_and_then_restarts(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[object] = []
    monkeypatch.setattr(sys, "print_exception", told.append, raising=False)
    board = Board()
    ControlLoop(board, Controller(0, Setup(32, True, False, 0, True)), FakeClock())._run()
    assert board.done == [SAFE, "given up"]
    assert len(told) == 1


class Tripping(Board):
    """A board whose residual current sensor trips in the second step, with a failed thermometer; the fifth step ends the
    test."""

    def __init__(self) -> None:
        super().__init__()
        self.steps = 0

    def read(self, inputs: Inputs) -> None:
        self.steps += 1
        if self.steps == 5:
            raise KeyError("the end")
        inputs.rail_mv, inputs.supply_mv, inputs.temperature_c, inputs.meter_wh = 5000, 230000, 25, 0
        inputs.pilot_high_mv = inputs.pilot_low_mv = 12000
        inputs.rcd_ac_trip = self.steps >= 2

    def move_live_line(self) -> None:
        pass

    def feed(self) -> None:
        pass

    def keep_latched(self, names: tuple[str, ...]) -> None:
        self.done.append((self.steps, names))


def test_a_latched_fault_is_kept_by_the_board_in_the_step_that_sets_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """And in no other step, so that it costs nothing while nothing changes."""
    monkeypatch.setattr(sys, "print_exception", lambda error: None, raising=False)
    clock, board = FakeClock(), Tripping()
    monkeypatch.setattr("firmware.control_loop.time", clock)
    ControlLoop(board, Controller(0, Setup(32, True, False, 0, True)), clock)._run()
    assert [done for done in board.done if isinstance(done, tuple) and len(done) == 2] == [(1, ()), (2, ("rcd_ac",))]
