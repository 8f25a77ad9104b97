"""Does the T-Call's pilot change from one drive to another without a moment of state F, on a pin of an ESP32?"""

import sys
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pytest

from firmware.charging.io import X1, F

STUBS = ("machine", "micropython", "neopixel", "vfs", "esp32", "_thread")
ON_THE_PORT = ("firmware.boards.tcall", "firmware.boards.littlefs", "modem.ports.machine_uart")  # import STUBS
AMPS_16 = 17_476


class Pwm:
    """machine.PWM on the ESP32 (ports/esp32/machine_pwm.c): deinit leaves the pin idle, which is low."""

    levels: list[int] = []  # duty of 65,535, one entry for each time at which the drive of the pin changes

    def __init__(self, pin: Any, freq: int, duty_u16: int) -> None:
        assert freq == 1000
        self.levels.append(duty_u16)

    def duty_u16(self, duty_u16: int) -> None:
        self.levels.append(duty_u16)

    def deinit(self) -> None:
        self.levels.append(0)


class Pin:
    """machine.Pin, for the pilot."""

    OUT = 1

    def init(self, mode: int, value: bool) -> None:
        Pwm.levels.append(65_535 * value)


@pytest.fixture
def board(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A TCallBoard of which only the pilot exists."""
    for name in STUBS:
        stub = ModuleType(name)
        stub.__getattr__ = lambda _: Pin  # type: ignore[method-assign]  # whatever is imported from it
        monkeypatch.setitem(sys.modules, name, stub)
    monkeypatch.setattr(sys.modules["machine"], "PWM", Pwm, raising=False)
    for name in ON_THE_PORT:
        monkeypatch.delitem(sys.modules, name, raising=False)
    from firmware.boards.tcall import TCallBoard  # here, because it imports modules that only exist on the port

    made = TCallBoard.__new__(TCallBoard)
    made._pilot, made._pwm = Pin(), None
    Pwm.levels = []
    yield made
    for name in ON_THE_PORT:
        sys.modules.pop(name, None)


@pytest.mark.parametrize("duties", [(X1, AMPS_16, X1), (AMPS_16, X1, AMPS_16), (F, X1, F), (AMPS_16, F, X1, AMPS_16)])
def test_the_pin_is_driven_with_what_was_asked_for_and_nothing_between(board: Any, duties: tuple[int, ...]) -> None:
    for duty in duties:
        board._drive_pilot(duty)
    assert tuple(Pwm.levels) == duties


@pytest.mark.parametrize("gain", [950, 985, 1000, 1050])
@pytest.mark.parametrize("zero_mv", [-300, -40, 0, 300])
def test_its_levels_are_those_of_the_carrier_by_the_unit_s_calibration(board: Any, gain: int, zero_mv: int) -> None:
    """9 mV for each mV at the converter, and 0 V at 1.65 V. The gain has a resolution of a thousandth."""
    board.calibrate(gain, zero_mv)
    for level_mv in range(-13_000, 13_001, 500):
        uncalibrated_uv = 1_650_000 + level_mv * 1000 // 9
        assert abs(board._level_mv(uncalibrated_uv) - (level_mv * gain / 1000 + zero_mv)) < 15
