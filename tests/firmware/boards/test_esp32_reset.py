"""Is the cause of each reset of an ESP32 recognised, and is only a loss of mains reported as such?"""

import pytest

from firmware.boards.esp32_reset import ASKED, POWERED_ON, cause


class Machine:
    """MicroPython's module `machine` on an ESP32."""

    PWRON_RESET, HARD_RESET, WDT_RESET, DEEPSLEEP_RESET, SOFT_RESET = 1, 2, 3, 4, 5

    def __init__(self, told):
        self._told = told

    def reset_cause(self):
        return self._told


@pytest.mark.parametrize(
    ("told", "state", "mark", "is_cause"),
    [
        (Machine.PWRON_RESET, POWERED_ON, b"", "power_on"),
        (Machine.PWRON_RESET, POWERED_ON | 0x40, b"", "power_on"),  # beside the field of the other core
        (Machine.PWRON_RESET, 12, b"", "brown_out"),
        (Machine.PWRON_RESET, 15, b"", "brown_out"),
        (Machine.PWRON_RESET, 15, ASKED, "brown_out"),
        (Machine.WDT_RESET, 16, ASKED, "watchdog"),
        (Machine.HARD_RESET, 12, ASKED, "soft"),
        (Machine.HARD_RESET, 12, ASKED + b"rcd_ac", "soft"),
        (Machine.HARD_RESET, 12, b"rcd_ac", "watchdog"),
        (Machine.HARD_RESET, 12, b"", "watchdog"),  # a panic
        (Machine.SOFT_RESET, 12, b"", "soft"),
        (Machine.DEEPSLEEP_RESET, 5, b"", "soft"),
    ],
)
def test_a_reset_is_told_by_its_cause(told, state, mark, is_cause):
    assert cause(Machine(told), state, mark) == is_cause
