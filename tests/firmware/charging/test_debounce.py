"""Does only the third equal reading decide, and what is the effect of two in a row?"""

import pytest

from firmware.charging.debounce import AGREED_MS, Debounce
from firmware.charging.io import F
from tests.firmware.charging.wired import STEP_MS, Unit


@pytest.mark.parametrize(
    "readings, values",
    [
        ("BBB", "AAB"),
        ("BBA", "AAA"),
        ("BBABB", "AAAAA"),
        ("BAB", "AAA"),
        ("BCC", "AAC"),  # directly to C, without B
        ("BCB", "AA-"),  # the readings have nothing in common
        ("BCBBBB", "AA---B"),
        ("---", "AA-"),
        ("A", "A"),
    ],
)
def test_what_the_readings_agree_on(readings, values):
    """A dash is no valid state."""
    debounce, seen = Debounce("A"), ""
    for number, read in enumerate(readings):
        before = debounce.value
        changed = debounce.step(number * STEP_MS, None if read == "-" else read)
        assert changed == (debounce.value != before)
        seen += str(debounce.value or "-")
    assert seen == values


def test_late_readings_decide_by_their_time():
    """The loop was delayed between two readings: a wrong state still ends in time."""
    debounce = Debounce("C")
    assert not debounce.step(0, "B")
    assert debounce.step(AGREED_MS + 60, "B") and debounce.value == "B"


def disturb(unit, field, readings, every_ms, lasts_ms):
    """Return how often the contactor moves in `lasts_ms` if an input has wrong values for some consecutive readings every
    `every_ms`."""
    movements = 0
    for step in range(lasts_ms // STEP_MS):
        inputs, before = unit.inputs, unit.outputs.contactor
        good = getattr(inputs, field)
        unit.now_ms += STEP_MS
        unit._load_pilot()
        at = step % (every_ms // STEP_MS)
        if at < len(readings):
            setattr(inputs, field, readings[at])
        unit.outputs = unit.controller.step(unit.now_ms, inputs)
        setattr(inputs, field, good)
        inputs.contactor_closed = unit.outputs.contactor
        if unit.outputs.rcd_test or unit.tested:
            inputs.rcd_ac_trip = unit.tested = unit.outputs.rcd_test and unit.rcd_works
        movements += before != unit.outputs.contactor
    return movements


DISTURBANCES = [
    ("pilot_low_mv", (-10500,)),  # under load every 10 s: once 119 movements in 10 minutes
    ("pilot_low_mv", (-9000, -5000)),
    ("pilot_high_mv", (9000,)),
    ("pilot_high_mv", (12000, 9000)),
    ("pilot_high_mv", (3000, 0)),
    ("pilot_high_mv", (7500, -12000)),
    ("temperature_c", (85,)),
    ("temperature_c", (85, None)),
    ("supply_mv", (120000, 300000)),
    ("contactor_closed", (False, False)),
    ("guard_open", (True, True)),
    ("button", (True, True)),
    ("tamper", (True, True)),
    ("proximity_ohm", (None,)),
    ("proximity_ohm", (10, 680)),
]


@pytest.mark.parametrize("field, readings", DISTURBANCES)
def test_one_or_two_readings_move_nothing_and_are_no_event(field, readings):
    for every_ms, lasts_ms in ((1000, 15_000), (10_000, 45_000)):
        unit = Unit(tethered=False)
        unit.inputs.proximity_ohm = 220
        unit.run(60)
        unit.charge()
        unit.events()
        assert disturb(unit, field, readings, every_ms, lasts_ms) == 0
        assert [event for event in unit.events() if event.kind != "mode"] == [] and unit.exchange.report.amps == 32


@pytest.mark.parametrize("readings", [(9000,), (6000,), (9000, 6000), (3000, 9000), (0, -12000)])
def test_one_or_two_readings_without_a_cable_are_no_session(readings):
    unit = Unit()
    unit.run(1000)
    assert disturb(unit, "pilot_high_mv", readings, 1000, 10_000) == 0
    assert unit.controller.phase == "idle" and unit.exchange.report.state == "A1"
    unit.run(1000)
    assert unit.events() == [] and unit.controller._sessions == 0


@pytest.mark.parametrize("low_mv", [-12900, -12000, -11000, -10700, -10500, -10100])
def test_a_vehicle_whose_lower_plateau_is_near_12_v_is_charged(low_mv):
    """esp32-evse issue 49: a vehicle at -10.7 V was reported to have no diode."""
    unit = Unit()
    for car in "B" * 50 + "C" * 300:
        unit.car = car
        unit.now_ms += STEP_MS
        unit._load_pilot()
        if unit.inputs.pilot_low_mv == -12000 and unit.outputs.pilot_duty_u16 != F:
            unit.inputs.pilot_low_mv = low_mv
        unit.outputs = unit.controller.step(unit.now_ms, unit.inputs)
        unit.inputs.contactor_closed = unit.outputs.contactor
        if unit.outputs.rcd_test or unit.tested:
            unit.inputs.rcd_ac_trip = unit.tested = unit.outputs.rcd_test
    assert unit.outputs.contactor and unit.exchange.report.faults == ()
    assert [event for event in unit.events() if event.kind == "fault"] == []


@pytest.mark.parametrize("field", ["rcd_ac_trip", "rcd_dc_trip"])
def test_one_reading_of_a_residual_current_opens_at_once_and_is_no_proof(field):
    """It was once latched until a person came. The sensor is tested before the next closing."""
    unit = Unit().charge()
    setattr(unit.inputs, field, True)
    assert not unit.run(STEP_MS).contactor
    setattr(unit.inputs, field, False)
    unit.run(1000)
    assert not unit.outputs.contactor
    tested = [unit.run(STEP_MS).rcd_test for _ in range(300)]
    assert unit.outputs.contactor and any(tested) and unit.exchange.report.faults == ()


@pytest.mark.parametrize(
    "lasts_ms, again_ms, waits", [(40, 0, False), (60, 0, True), (20, 300_000, True), (20, 700_000, False)]
)
def test_a_residual_current_that_lasts_or_comes_again_waits_for_a_person(lasts_ms, again_ms, waits):
    """Only a person clears it; unplugging does not."""
    unit = Unit().charge()
    for after_ms in (0, again_ms) if again_ms else (0,):
        unit.run(after_ms)
        unit.inputs.rcd_dc_trip = True
        unit.run(lasts_ms)
        unit.inputs.rcd_dc_trip = False
    unit.run(5000)
    unit.car = "A"
    unit.run(5000)
    assert unit.exchange.report.faults == (("rcd_dc",) if waits else ())
    unit.exchange.clear_wanted = True
    unit.run(1000)
    assert unit.exchange.report.faults == ()
    unit.charge()
