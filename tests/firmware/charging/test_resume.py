"""Does the charge continue by itself after a power cut, without invented data?"""

import pytest

from firmware.charging.register import Register
from firmware.charging.session import Kept
from tests.firmware.charging.wired import STEP_MS, Unit

KEPT = Kept(7, -3600000, 3000, 50000)


def interrupted(car):
    unit = Unit(kept=KEPT, register=Register(57000, 57000))
    unit.inputs.meter_wh = 57010
    unit.car = car
    return unit


@pytest.mark.parametrize("car", ["B", "C"])
def test_a_car_that_is_still_there_charges_on_in_the_same_session(car):
    """[R7]"""
    unit = interrupted(car)
    unit.run(1000)
    unit.car = "C"
    unit.run(1000)
    report = unit.exchange.report
    assert unit.outputs.contactor and report.session.number == 7 and report.session_wh == 7010
    assert [event.what for event in unit.events() if event.kind == "resumed"] == [7]


def test_when_it_really_began_is_reported_in_the_step_that_learns_it():
    unit = interrupted("B")
    unit.run(1000)
    unit.exchange.began_ms = -7200000
    unit.run(STEP_MS)
    assert unit.exchange.report.session.start_ms == -7200000 and unit.exchange.began_ms is None
    before = unit.exchange.report
    unit.run(STEP_MS)
    assert unit.exchange.report is before


def test_a_car_that_left_meanwhile_ended_its_session():
    unit = interrupted("A")
    unit.run(1000)
    record = unit.exchange.ended.take()
    assert record.number == 7 and record.energy_wh == 7010 and unit.exchange.report.session is None


def test_a_car_that_comes_later_begins_a_new_session_with_the_next_number():
    unit = interrupted("A")
    unit.controller._sessions = 7
    unit.run(1000)
    unit.charge()
    assert unit.exchange.report.session.number == 8


def test_a_supply_that_goes_and_comes_keeps_the_session_in_one_piece():
    unit = Unit().charge()
    for _ in range(2):
        unit.inputs.rail_mv = 4000
        unit.run(5 * STEP_MS)
        assert not unit.exchange.powered and not unit.outputs.contactor
        unit.inputs.rail_mv = 5000
        unit.run(2000)
    assert unit.outputs.contactor and unit.exchange.report.session.number == 1
    assert [event for event in unit.events() if event.kind in ("fault", "session")] == []
