"""Are the carrier's chips set up when they answer, however late, and read as their data sheets say?"""

import pytest

from firmware.boards.i2c_parts import (
    EXPANDER,
    EXPANDER_INPUTS,
    EXPANDER_PULL_UPS,
    POWER_CHIP,
    SYSTEM_0,
    THERMOMETER,
    Parts,
)


class Bus:
    """Chips that answer while `there` is true; `written` records what was sent to them."""

    def __init__(self):
        self.there = True
        self.written = []
        self.shows = {(EXPANDER, EXPANDER_INPUTS): 0xFE, (THERMOMETER, 0): 24}

    def writeto_mem(self, address, register, what):
        self._answer()
        self.written.append((address, register, what))

    def readfrom_mem_into(self, address, register, into):
        self._answer()
        into[0] = self.shows[(address, register)]

    def _answer(self):
        if not self.there:
            raise OSError(19)


SET_UP = [(POWER_CHIP, SYSTEM_0, b"\x37"), (EXPANDER, EXPANDER_PULL_UPS, b"\xff")]


def test_the_chips_are_set_up_once_before_they_are_read():
    bus = Bus()
    parts = Parts(bus)
    assert parts.inputs() == 0xFE and parts.inputs() == 0xFE
    assert bus.written == SET_UP


def test_chips_that_come_late_or_come_back_are_set_up_then():
    bus = Bus()
    parts = Parts(bus)
    for _ in range(2):
        bus.there = False
        with pytest.raises(OSError):
            parts.inputs()
        bus.there, bus.written = True, []
        assert parts.inputs() == 0xFE
        assert bus.written == SET_UP


@pytest.mark.parametrize("byte, celsius", [(24, 24), (0, 0), (0xFF, -1), (0xE7, -25)])
def test_degrees_below_zero_are_below_zero(byte, celsius):
    bus = Bus()
    bus.shows[(THERMOMETER, 0)] = byte
    assert Parts(bus).temperature_c() == celsius
