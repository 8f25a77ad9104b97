"""Can the console show the board's readings, and can no calibration turn one pilot state into another?"""

import time

import pytest

from firmware.charging.io import Inputs
from firmware.charging.pilot import BANDS_V, TOLERANCE_MV, read
from firmware.errors import CommandRefused
from firmware.service.now import LOOKS, answer_inputs
from firmware.storage import bounds


class Loop:
    """The control thread, which answers after this many polls."""

    def __init__(self, monkeypatch, after):
        self.exchange = self
        self.inputs_wanted, self.inputs, self._left = False, (), after
        monkeypatch.setattr(time, "sleep_ms", self.step, raising=False)

    def step(self, ms):
        self._left -= 1
        if self._left == 0:
            self.inputs, self.inputs_wanted = tuple(vars(Inputs()).items()), False


def test_the_inputs_are_those_of_one_step(monkeypatch):
    lines = answer_inputs(Loop(monkeypatch, 3), "")
    assert [line.split()[0] for line in lines] == sorted(vars(Inputs()))
    assert "proximity_ohm -" in lines and "tamper 0" in lines and "pilot_high_mv 0" in lines


def test_a_control_loop_that_stands_still_is_told(monkeypatch):
    with pytest.raises(CommandRefused, match="does not answer"):
        answer_inputs(Loop(monkeypatch, LOOKS + 1), "")


@pytest.mark.parametrize("gain", [950, 1000, 1050])
@pytest.mark.parametrize("zero_mv", [-300, 0, 300])
def test_no_calibration_makes_one_state_of_the_pilot_another(gain, zero_mv):
    for name, value in (("pilot_gain_permille", gain), ("pilot_zero_mv", zero_mv)):
        assert bounds.why_not(name, value, {}) is None
        assert bounds.why_not(name, value * 10 + 401, {})
    for _, volts, steady, _ in BANDS_V:
        for error_mv in range(-TOLERANCE_MV, TOLERANCE_MV + 1, 50):
            shown_mv = (volts * 1000 + error_mv) * gain // 1000 + zero_mv
            assert read(shown_mv, shown_mv, False) in (steady, None)
