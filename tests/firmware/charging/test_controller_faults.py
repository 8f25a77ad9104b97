"""What is a fault for the rules as a whole, what is not, and how does each fault end?"""

import pytest

from firmware.charging.io import X1, F
from tests.firmware.charging.wired import STEP_MS, Unit


def test_a_fault_opens_in_the_same_step_shows_f_for_300_ms_and_then_lets_an_unplug_be_seen():
    unit = Unit().charge()
    unit.inputs.rcd_ac_trip = True
    outputs = unit.run(STEP_MS)
    assert not outputs.contactor and outputs.pilot_duty_u16 == F
    assert unit.run(280).pilot_duty_u16 == F
    assert unit.run(60).pilot_duty_u16 == X1
    assert outputs.led[0] > 0 and outputs.led[1] == outputs.led[2] == 0


def test_a_latched_fault_outlives_a_restart_and_not_the_person_who_clears_it():
    unit = Unit(latched=("rcd_ac",))
    unit.car = "C"
    for _ in range(500):
        outputs = unit.run(STEP_MS)
        assert not outputs.contactor and outputs.led[0] > 0 and outputs.led[1] == outputs.led[2] == 0
    assert unit.exchange.report.faults == ("rcd_ac",)
    unit.exchange.clear_wanted = True
    assert unit.run(3000).contactor


@pytest.mark.parametrize(
    "dropped_ms, seen", [(300, False), (600, False), (600, True), (900, False), (900, True), (1500, True)]
)
def test_a_contactor_that_drops_in_a_dip_of_the_mains_is_no_fault(dropped_ms, seen):
    """The polled meter reports the dip late or not at all."""
    unit = Unit().charge()
    unit.contactor_moves = False
    unit.run(dropped_ms)
    if seen:
        unit.inputs.supply_mv = 120000
        unit.run(400)
    unit.contactor_moves = True
    unit.run(400)
    unit.inputs.supply_mv = 230000
    unit.run(5000)
    assert unit.exchange.report.faults == () and unit.outputs.contactor
    assert [event for event in unit.events() if event.kind == "fault"] == []


def test_a_contactor_that_does_not_close_is_found():
    unit = Unit()
    unit.contactor_moves = False
    unit.car = "C"
    unit.run(5000)
    assert unit.exchange.report.faults == ("contactor_stuck_open",) and not unit.outputs.contactor


def test_after_a_passing_fault_it_goes_on_by_itself():
    unit = Unit().charge()
    unit.inputs.temperature_c = 80
    unit.run(3000)
    assert not unit.outputs.contactor
    unit.inputs.temperature_c = 25
    unit.run(5000)
    assert unit.outputs.contactor


def test_a_missing_diode_never_charges():
    unit = Unit()
    unit.diode = False
    unit.car = "C"
    for _ in range(500):
        assert not unit.run(STEP_MS).contactor
    assert unit.exchange.report.faults == ("diode",)


def test_a_diode_that_was_mended_is_seen_within_seconds_without_any_offer():
    unit = Unit()
    unit.diode = False
    unit.car = "B"
    unit.run(5000)
    assert unit.exchange.report.faults == ("diode",)
    unit.diode = True
    for _ in range(3500 // STEP_MS):
        assert unit.offered_a() == 0 or unit.exchange.report.faults == ()
        unit.run(STEP_MS)
    assert unit.exchange.report.faults == ()


def test_the_leakage_sensor_is_tested_before_the_first_closing_of_a_session_and_only_then():
    unit = Unit()
    tests = []
    for car in "BCBCAC":
        unit.car = car
        for _ in range(100):
            before = unit.outputs.rcd_test
            unit.run(STEP_MS)
            if unit.outputs.rcd_test and not before:
                tests.append(car)
    assert tests == ["B", "C"] and unit.outputs.contactor
    assert [event for event in unit.events() if event.kind == "fault"] == []


def test_a_leakage_sensor_that_fails_its_test_never_charges_until_a_person_has_it_tested_again():
    unit = Unit()
    unit.rcd_works = False
    unit.car = "C"
    for _ in range(500):
        assert not unit.run(STEP_MS).contactor
    assert unit.exchange.report.faults == ("rcd_selftest",)
    unit.rcd_works = True
    assert not unit.run(5000).contactor
    unit.exchange.clear_wanted = True
    assert unit.run(2000).contactor


@pytest.mark.parametrize("works, faults", [(True, ()), (False, ("rcd_selftest",))])
def test_a_person_has_the_leakage_sensor_tested_while_nothing_charges(works, faults):
    unit = Unit()
    unit.rcd_works = works
    unit.run(500)
    unit.exchange.test_wanted = True
    seen = []
    for _ in range(5000 // STEP_MS):
        seen.append(unit.run(STEP_MS).rcd_test)
    assert True in seen and not seen[-1] and not unit.exchange.test_wanted
    assert unit.exchange.report.faults == faults


def test_a_leak_during_the_self_test_is_found_by_its_end():
    unit = Unit()
    unit.car = "C"
    while not unit.outputs.rcd_test:
        unit.run(STEP_MS)
    unit.inputs.rcd_dc_trip = True
    for _ in range(100):
        assert not unit.run(STEP_MS).contactor
    assert "rcd_dc" in unit.exchange.report.faults


def test_a_plug_pulled_during_the_self_test_is_no_leak():
    for lets_go_in in range(0, 400, STEP_MS):
        unit = Unit()
        unit.car = "B"
        while not unit.outputs.rcd_test:
            unit.run(STEP_MS)
        unit.rcd_works = False  # the test controls the sensor from here on
        unit.inputs.rcd_ac_trip = unit.inputs.rcd_dc_trip = True
        unit.car = "A"
        unit.run(lets_go_in)
        unit.inputs.rcd_ac_trip = unit.inputs.rcd_dc_trip = unit.tested = False
        unit.run(1000)
        assert unit.exchange.report.faults == () and not unit.outputs.rcd_test


@pytest.mark.parametrize("ventilated", [False, True])
def test_a_car_that_needs_ventilation_has_power_only_where_there_is_some_and_it_is_no_fault(ventilated):
    unit = Unit(ventilated=ventilated)
    unit.car = "D"
    unit.run(3000)
    assert unit.outputs.contactor == ventilated
    assert unit.exchange.report.faults == ()
    if not ventilated:
        assert unit.exchange.report.ruling.source == "ventilation"


def test_a_plug_pulled_during_the_self_test_does_not_stop_the_next_one():
    unit = Unit()
    unit.exchange.test_wanted = True
    unit.run(2 * STEP_MS)
    unit.car = "A"
    unit.run(1000)
    unit.charge()


def test_while_its_own_supply_collapses_everything_is_open_and_nothing_is_a_fault():
    unit = Unit().charge()
    unit.events()
    unit.inputs.rail_mv, unit.inputs.supply_mv, unit.inputs.temperature_c = 4000, 0, None
    for _ in range(500):
        assert not unit.run(STEP_MS).contactor
    assert unit.events() == []
    report = unit.exchange.report
    assert report.faults == () and (report.phase, report.contactor, report.amps) == ("idle", False, 0)


def test_what_was_wrong_before_its_own_supply_went_is_judged_anew_after_it():
    """After a loss of supply, a sensor works again a second later."""
    unit = Unit().charge()
    unit.inputs.supply_mv, unit.inputs.temperature_c = 0, None
    unit.run(STEP_MS)
    unit.inputs.rail_mv = 4000
    unit.run(10000)
    unit.inputs.rail_mv, unit.inputs.supply_mv = 5000, 230000
    unit.run(1000)
    unit.inputs.temperature_c = 25
    unit.run(1000)
    assert [event for event in unit.events() if event.kind == "fault"] == []


def test_an_opened_enclosure_is_told_and_does_not_stop_the_charge():
    """[S1-tamper]"""
    unit = Unit().charge()
    unit.inputs.tamper = True
    unit.run(3 * STEP_MS)
    assert [event.what for event in unit.events() if event.kind == "tamper"] == [True]
    assert unit.outputs.contactor
