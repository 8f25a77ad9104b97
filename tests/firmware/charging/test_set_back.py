"""Does a control whose clock is set back by a day decide as before, with times that stay small integers?"""

import pytest

from firmware.charging.limits import Claim
from firmware.control_loop import DAY_MS
from tests.firmware.charging.stories import STEPS, STORIES, Story
from tests.firmware.charging.wired import STEP_MS, Unit

SMALL = 2**30  # on a 32-bit MicroPython, integers from here on are heap objects


@pytest.mark.parametrize("every", [1, 100])
def test_a_story_is_the_same_with_a_clock_that_is_set_back(every):
    for seed, start_ms in STORIES[1:]:
        story = Story(seed, start_ms, every)
        assert story.run() == Story(seed, start_ms).run(), (seed, start_ms, every)
        assert story.set_backs >= min(10, STEPS // every)


def remembered(unit):
    """Return all times that the control stores to compute a time span."""
    controller = unit.controller
    found = []
    parts = [controller, controller._rcd, controller._mode, controller._offer, controller._rest, controller._session]
    for part in [part for part in parts + controller.faults.watches if part]:
        found += [value for name, value in part.__dict__.items() if name.endswith("since_ms") and value is not None]
    return found


def test_no_time_that_is_remembered_grows_in_a_month_or_becomes_young():
    """This includes a latched fault whose cause has ended."""
    unit = Unit()
    unit.run(1000)
    unit.inputs.rcd_ac_trip = True
    unit.run(1000)
    unit.inputs.rcd_ac_trip = False
    unit.run(1000)
    assert unit.exchange.report.faults == ("rcd_ac",)
    for _ in range(30):
        unit.now_ms += DAY_MS
        unit.run(STEP_MS)
        if unit.now_ms >= 2 * DAY_MS:
            unit.now_ms -= DAY_MS
            unit.controller.set_back(DAY_MS)
        for time_ms in remembered(unit):
            assert -SMALL < time_ms < SMALL and unit.now_ms - time_ms < SMALL
    assert not unit.controller._offer.rests(unit.now_ms)
    assert unit.exchange.report.mode == "standalone"


def test_a_fault_is_reported_with_the_time_since_the_start():
    unit = Unit()
    unit.now_ms = 2 * DAY_MS
    unit.controller.set_back(DAY_MS)
    unit.now_ms -= DAY_MS
    unit.inputs.rcd_ac_trip = True
    unit.run(STEP_MS)
    unit.now_ms += DAY_MS
    unit.controller.set_back(DAY_MS)
    unit.now_ms -= DAY_MS
    unit.run(STEP_MS)
    (event,) = [event for event in unit.events() if event.kind == "fault"]
    assert event.at_ms == 2 * DAY_MS + STEP_MS
    assert [fault.set_ms for fault in unit.exchange.fault_history] == [2 * DAY_MS + STEP_MS]


def test_a_claim_ends_at_its_time_with_a_clock_that_was_set_back():
    unit = Unit()
    unit.now_ms = 2 * DAY_MS
    unit.exchange.claims = (Claim("cloud", 0, 2 * DAY_MS + 1000, "peak", None),)
    unit.run(500)
    unit.controller.set_back(DAY_MS)
    unit.now_ms -= DAY_MS
    unit.run(480)
    assert unit.exchange.report.ruling.source == "cloud"
    unit.run(STEP_MS)
    assert unit.exchange.report.ruling.source == "installer"
