"""Is a vehicle woken that fell asleep while it waited for an offer, and a vehicle that wants nothing left alone?"""

import pytest

from firmware.charging.io import X1, F
from firmware.charging.limits import PAUSE_A, Claim
from firmware.charging.sequence import ASLEEP_MS, NUDGE_MS, REPLUG_MS
from tests.firmware.charging.wired import STEP_MS, Unit

LONG_MS = 2 * (2 * ASLEEP_MS + NUDGE_MS + REPLUG_MS)  # longer than anything that would be repeated
NIGHT = (Claim("schedule", PAUSE_A, None, "hours", None),)


class Sleeper(Unit):
    """A vehicle that waits for its offer, and wakes at the pilot signal that `wakes_by` names, if any."""

    def __init__(self, wakes_by=None):
        Unit.__init__(self)
        self.wakes_by = wakes_by
        self.pilots = []  # (output, duration in ms), without the duty cycle
        self.exchange.claims = NIGHT
        self.car = "B"
        self.run(60_000)
        self.exchange.claims = ()

    def run(self, ms):
        for _ in range(max(1, ms // STEP_MS)):
            Unit.run(self, STEP_MS)
            duty = self.outputs.pilot_duty_u16
            output = "X1" if duty == X1 else "F" if duty == F else "X2"
            if self.wakes_by == output and "X2" in [name for name, _ in self.pilots]:
                self.car = "C"
            if self.pilots and self.pilots[-1][0] == output:
                output, lasted_ms = self.pilots.pop()
                self.pilots.append((output, lasted_ms + STEP_MS))
            else:
                self.pilots.append((output, STEP_MS))
        return self.outputs

    def woken(self):
        return [event.what for event in self.events() if event.kind == "wake_up"]


def test_a_sleeper_is_nudged_then_plugged_in_anew_and_then_left_in_peace():
    unit = Sleeper()
    unit.run(LONG_MS)
    assert unit.woken() == ["nudging", "replugging"]
    assert unit.pilots[-5:-1] == [("X2", ASLEEP_MS), ("X1", NUDGE_MS), ("X2", ASLEEP_MS), ("F", REPLUG_MS)]
    assert unit.pilots[-1][0] == "X2" and unit.outputs.pilot_duty_u16 not in (X1, F)


@pytest.mark.parametrize("wakes_by, events", [("X1", ["nudging"]), ("F", ["nudging", "replugging"])])
def test_one_that_wakes_is_charged(wakes_by, events):
    unit = Sleeper(wakes_by)
    unit.run(2 * ASLEEP_MS + NUDGE_MS + REPLUG_MS + 3000)
    assert unit.outputs.contactor and unit.woken() == events


def test_one_that_has_charged_and_wants_no_more_is_not_woken():
    unit = Unit().charge()
    unit.car = "B"
    unit.run(LONG_MS)
    assert [event for event in unit.events() if event.kind == "wake_up"] == []


def test_a_new_offer_after_a_pause_wakes_again():
    unit = Sleeper()
    unit.run(LONG_MS)
    unit.exchange.claims = NIGHT
    unit.run(60_000)
    unit.exchange.claims = ()
    unit.run(LONG_MS)
    assert unit.woken() == ["nudging", "replugging"] * 2


def test_our_own_state_f_is_no_state_of_the_vehicle_and_no_fault():
    unit = Sleeper()
    while unit.controller.phase != "replugging":
        unit.run(STEP_MS)
    unit.run(REPLUG_MS // 2)
    assert unit.outputs.pilot_duty_u16 == F and not unit.outputs.contactor
    while unit.controller.phase == "replugging":
        unit.run(STEP_MS)
        assert unit.exchange.report.state in ("B1", "B2") and unit.exchange.report.faults == ()
    unit.run(1000)
    assert unit.exchange.report.state == "B2"


def test_one_that_leaves_while_it_is_plugged_in_anew_is_gone_afterwards():
    unit = Sleeper()
    while unit.controller.phase != "replugging":
        unit.run(STEP_MS)
    unit.car = "A"
    unit.run(REPLUG_MS + 200)
    assert unit.controller.phase == "idle" and unit.exchange.report.faults == ()


@pytest.mark.parametrize("phase", ["nudging", "replugging"])
def test_a_fault_ends_it(phase):
    unit = Sleeper()
    while unit.controller.phase != phase:
        unit.run(STEP_MS)
    unit.inputs.rcd_dc_trip = True
    unit.run(STEP_MS)
    assert unit.controller.phase == "tripped" and not unit.outputs.contactor
