"""Does a charge end in time when its meter stops answering? (BS 7671 722.411.4.1: 5 s for a supply that may be wrong.)"""

import pytest

from firmware.metering.sdm import SdmMeter
from tests.firmware.charging.wired import STEP_MS, Unit
from tests.firmware.metering.test_sdm import FakeMeter

WITHIN_MS = 5000
CONTACTOR_OPENS_MS = 100  # at most, after its command


class Metered(Unit):
    """A unit whose supply, current and energy come from its meter; no other input is read while it waits."""

    def __init__(self):
        super().__init__()
        self.line = FakeMeter()
        self.meter = SdmMeter(self.line)

    def run(self, ms):
        for _ in range(max(1, ms // STEP_MS)):
            self.meter.poll(STEP_MS, self.inputs)
            super().run(STEP_MS)
        return self.outputs


@pytest.mark.parametrize("last_register", (0x0000, 0x000C, 0x0006, 0x0048))
def test_the_contactor_opens_within_five_seconds_of_the_last_answer(last_register):
    """[BS7671] Whichever register was read last: the reading of the supply may be older."""
    unit = Metered().charge()
    unit.run(1000)
    while not (unit.line.asked[-1] == last_register and not unit.line.coming and not unit.line.received):
        unit.run(STEP_MS)
    unit.line.spoil = lambda frame: b""
    lost_ms = unit.now_ms
    while unit.outputs.contactor and unit.now_ms - lost_ms < 2 * WITHIN_MS:
        unit.run(STEP_MS)
    oldest_supply_ms = 450  # test_sdm.py
    assert unit.now_ms - lost_ms + oldest_supply_ms + CONTACTOR_OPENS_MS <= WITHIN_MS
    assert unit.controller.exchange.report.faults == ("meter",)


def test_a_meter_that_is_heard_again_lets_the_charge_go_on():
    unit = Metered().charge()
    unit.line.spoil = lambda frame: b""
    unit.run(6000)
    assert unit.controller.exchange.report.faults == ("meter",)
    unit.line.spoil = lambda frame: frame
    unit.run(4000)
    assert unit.controller.exchange.report.faults == () and unit.outputs.contactor


def test_an_answer_that_is_late_is_no_fault():
    unit = Metered().charge()
    unit.line.spoil = lambda frame: b""
    unit.run(3000)
    unit.line.spoil = lambda frame: frame
    unit.run(3000)
    assert unit.outputs.contactor and unit.events()[-1:] == []
