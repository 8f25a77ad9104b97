"""Is each fault set by its cause in time, and cleared only by what may clear it?"""

import pytest

from firmware.charging import pilot, sequence
from firmware.charging.control_state import ControlState, Setup
from firmware.charging.faults import (
    CLEAR_LONGEST_MS,
    ENDLESS,
    NEEDS_PERSON,
    PROOF_MS,
    REPEAT_MS,
    STOP,
    TABLE,
    Fault,
    Faults,
    ProvenWatch,
    Watch,
)
from firmware.charging.io import Inputs

STEP_MS = 20


class Bench:
    """Good inputs of a charging unit, of which a test changes one field."""

    def __init__(self):
        self.now_ms = 0
        self.faults = Faults()
        self.control_state = ControlState(Setup(16, True, False, 0, True))
        self.control_state.set_state("C2")
        self.control_state.drive = sequence.PWM
        self.control_state.contactor, self.control_state.cable_a = True, 32
        self.control_state.limit_a = 16
        self.inputs = Inputs()
        self.inputs.pilot_high_mv, self.inputs.pilot_low_mv = 6000, -12000
        self.inputs.supply_mv, self.inputs.rail_mv = 230000, 5000
        self.inputs.temperature_c, self.inputs.contactor_closed, self.inputs.current_ma = 25, True, 16000

    def run(self, ms, person=False):
        """Step for `ms`; return the names of the faults at the end."""
        for _ in range(max(1, ms // STEP_MS)):
            self.now_ms += STEP_MS
            self.control_state.diode_missing = pilot.diode_missing(self.inputs.pilot_high_mv, self.inputs.pilot_low_mv)
            self.faults.step(self.now_ms, self.inputs, self.control_state, person)
            self.control_state.faults = self.faults.names
        return self.faults.names


SPOILED = [
    ("rcd_ac", "rcd_ac_trip", True),
    ("rcd_dc", "rcd_dc_trip", True),
    ("contactor_stuck_open", "contactor_closed", False),
    ("guard", "guard_open", True),
    ("supply", "supply_mv", 206000),
    ("supply", "supply_mv", 254000),
    ("meter", "supply_mv", None),
    ("diode", "pilot_low_mv", -6000),
    ("over_current", "current_ma", 18200),
    ("over_temperature", "temperature_c", 70),
    ("temperature_sensor", "temperature_c", None),
]


def test_a_well_unit_has_no_fault():
    assert Bench().run(20000) == ()


def test_a_pilot_that_is_shorted_or_shows_no_state_is_a_fault_unless_the_unit_itself_holds_it_down():
    for band in (None, "E", "F"):
        bench = Bench()
        bench.control_state.set_state(band)
        assert bench.run(180) == () and bench.run(40) == ("pilot",)
        bench = Bench()
        bench.control_state.set_state(band)
        bench.control_state.drive = sequence.NOT_AVAILABLE
        assert "pilot" not in bench.run(1000)


def test_the_history_of_a_fault_that_a_restart_does_not_clear_begins_with_the_restart():
    (found,) = Faults(("guard",)).history()
    assert (found.name, found.count, found.is_set, found.set_ms) == ("guard", 1, True, 0)


@pytest.mark.parametrize("name, field, value", SPOILED)
def test_a_cause_that_stands_sets_its_fault_alone_and_in_time(name, field, value):
    bench = Bench()
    setattr(bench.inputs, field, value)
    if name == "diode":
        bench.control_state.set_state(None)
    after_ms = [fault.after_ms for fault in TABLE if fault.name == name][0]
    if after_ms > STEP_MS:
        assert bench.run(after_ms - STEP_MS) == ()
    assert bench.run(3 * STEP_MS) == (name,)


@pytest.mark.parametrize("name, field, value", SPOILED)
def test_a_latched_fault_needs_a_person_and_a_cause_that_has_gone(name, field, value):
    bench = Bench()
    well = getattr(bench.inputs, field)
    setattr(bench.inputs, field, value)
    bench.control_state.set_state(None if name == "diode" else "C2")
    bench.run(10000)
    assert bench.run(20, person=True) == (name,), "cleared with its cause still there"
    setattr(bench.inputs, field, well)
    bench.control_state.set_state("C2")
    assert bench.run(70000) == ((name,) if name in NEEDS_PERSON else ())
    assert bench.run(20, person=True) == ()


def test_a_guard_that_opens_as_the_vehicle_leaves_is_no_fault():
    """The rules open the contactor in the step that reads both."""
    bench = Bench()
    bench.inputs.guard_open = True
    bench.run(STEP_MS)
    bench.control_state.contactor = bench.inputs.contactor_closed = False
    assert bench.run(5000) == () and bench.faults.history() == ()


def test_a_contactor_that_the_guard_keeps_open_is_not_stuck():
    bench = Bench()
    bench.inputs.guard_open, bench.inputs.contactor_closed = True, False
    assert bench.run(1000) == ("guard",)
    assert [(fault.name, fault.count) for fault in bench.faults.history()] == [("guard", 1)]


def test_a_welded_contactor_is_seen_after_the_command_to_open():
    bench = Bench()
    bench.control_state.contactor, bench.inputs.current_ma = False, 0
    assert bench.run(280) == ()
    assert bench.run(60) == ("contactor_welded",)


@pytest.mark.parametrize(
    "supply_mv, faults", [(206900, ("supply",)), (207000, ()), (253000, ()), (253100, ("supply",))]
)
def test_outside_207_to_253_v_it_is_disconnected_within_five_seconds(supply_mv, faults):
    """[BS7671]"""
    bench = Bench()
    bench.inputs.supply_mv = supply_mv
    assert bench.run(4400) == ()
    assert bench.run(600) == faults


def test_a_dip_of_four_seconds_is_no_fault_of_the_supply():
    """[BS7671]"""
    bench = Bench()
    bench.inputs.supply_mv = 180000
    assert bench.run(4000) == ()
    bench.inputs.supply_mv = 230000
    assert bench.run(10000) == ()


def test_a_contactor_that_lets_go_in_a_dip_of_the_mains_is_not_stuck():
    """[BS7671] The coil has no voltage, but the processor still has."""
    bench = Bench()
    bench.inputs.supply_mv, bench.inputs.contactor_closed = 100000, False
    assert bench.run(4000) == ()
    bench.inputs.supply_mv = 230000
    assert bench.run(200) == (), "it needs a moment to close again"
    bench.inputs.contactor_closed = True
    assert bench.run(10000) == ()


def test_heat_has_hysteresis():
    bench = Bench()
    bench.inputs.temperature_c = 70
    bench.run(2000)
    bench.inputs.temperature_c = 61
    assert bench.run(20000) == ("over_temperature",)
    bench.inputs.temperature_c = 60
    assert bench.run(2000) == ()


def test_a_fault_whose_cause_is_unseen_once_open_waits_for_a_person_after_its_tries():
    bench = Bench()
    for _ in range(4):
        bench.inputs.current_ma = 30000
        assert bench.run(8000) == ("over_current",)
        bench.inputs.current_ma = 0
        bench.run(40000)
    assert bench.run(60000) == ("over_current",)
    bench.faults.reset_tries()
    assert bench.run(10000) == ()


def test_a_fault_that_flutters_clears_later_each_time_and_within_a_minute_at_the_most():
    bench = Bench()
    cleared_ms = []
    for _ in range(10):
        bench.inputs.temperature_c = 80
        assert bench.run(2000) == ("over_temperature",)
        bench.inputs.temperature_c, before_ms = 25, bench.now_ms
        while bench.run(STEP_MS):
            pass
        cleared_ms.append(bench.now_ms - before_ms)
    assert cleared_ms == sorted(cleared_ms) and cleared_ms[0] < 1100 and 59000 < cleared_ms[-1] < 61000


def test_each_fault_counts_how_often_it_was_set():
    bench = Bench()
    for _ in range(3):
        bench.inputs.temperature_c = 80
        bench.run(2000)
        bench.inputs.temperature_c = 25
        bench.run(10000)
    counts = [watch.count for watch in bench.faults.watches if watch.fault.name == "over_temperature"]
    assert counts == [3]


def test_a_loose_cable_without_a_legal_resistor_is_a_fault_once_it_is_plugged_in():
    bench = Bench()
    bench.control_state.setup = Setup(32, False, False, 0, True)
    bench.control_state.cable_a = None
    assert bench.run(1000) == ("proximity",)
    bench = Bench()
    bench.control_state.setup = Setup(32, False, False, 0, True)
    bench.control_state.cable_a = None
    bench.control_state.set_state("A1")
    bench.control_state.contactor = bench.inputs.contactor_closed = False
    bench.control_state.drive, bench.inputs.current_ma = sequence.STEADY, 0
    assert bench.run(1000) == ()


LIMITS = [
    ("current_ma", 18100, "current_ma", 18101, "over_current"),  # 16 A, 10 % and 0.5 A
    ("temperature_c", 69.9, "temperature_c", 70, "over_temperature"),
    ("supply_mv", 207000, "supply_mv", 206999, "supply"),
    ("supply_mv", 253000, "supply_mv", 253001, "supply"),
]


@pytest.mark.parametrize("field, well, spoilt, value, name", LIMITS)
def test_the_limit_itself_is_no_fault(field, well, spoilt, value, name):
    bench = Bench()
    bench.control_state.over_current_ma = 18100
    setattr(bench.inputs, field, well)
    assert bench.run(10000) == ()
    setattr(bench.inputs, spoilt, value)
    assert bench.run(10000) == (name,)


@pytest.mark.parametrize("fault", TABLE, ids=[fault.name for fault in TABLE])
def test_a_cause_sets_its_fault_when_its_time_is_over_and_counts_it(fault):
    watch = Watch(fault)
    assert watch.at_rest and not watch.is_set and watch.count == watch.set_ms == watch.tries == 0
    if fault.after_ms:
        assert not watch.step(1000, True, False)
        assert not watch.step(1000 + fault.after_ms - 1, True, False)
        assert not watch.at_rest
    assert watch.step(1000 + fault.after_ms, True, False)
    assert watch.is_set and not watch.at_rest and watch.count == 1
    assert not watch.step(1000 + fault.after_ms, True, True), "its cause is there"
    assert not watch.at_rest


def test_a_cause_that_ends_begins_anew_the_next_time():
    watch = Watch(Fault("guard", STOP, None, 100, 1000, ENDLESS))
    watch.step(0, True, False)
    assert not watch.step(99, False, False) and watch.at_rest
    assert not watch.step(150, True, False)
    assert not watch.step(249, True, False)
    assert watch.step(250, True, False)


def test_a_fault_clears_itself_after_a_time_that_doubles_up_to_a_minute():
    watch, now_ms = Watch(Fault("guard", STOP, None, 0, 1000, ENDLESS)), 0
    for tries, clear_ms in enumerate((1000, 2000, 4000, 8000, 16000, 32000, CLEAR_LONGEST_MS, CLEAR_LONGEST_MS)):
        assert watch.tries == tries
        assert watch.step(now_ms, True, False)
        assert not watch.step(now_ms + 1, False, False)
        assert not watch.step(now_ms + clear_ms, False, False)
        now_ms += clear_ms + 1
        assert watch.step(now_ms, False, False) and not watch.is_set
        assert not watch.step(now_ms, False, False) and watch.at_rest


def test_after_its_tries_it_needs_a_person_and_then_none_again():
    watch = Watch(Fault("over_current", STOP, None, 0, 1000, 1))
    watch.step(0, True, False)
    assert not watch.needs_person()
    watch.step(1, False, False)
    assert watch.step(1001, False, False)
    watch.step(1002, True, False)
    assert watch.needs_person()
    watch.step(1003, False, False)
    assert not watch.step(9000000, False, False)
    assert watch.step(9000001, False, True) and watch.tries == 1, "a person's clearing is no try of its own"


def proven(*steps):
    """A watch of a residual current after these steps: (ms, cause, cleared by a person)."""
    watch = ProvenWatch(TABLE[0])
    for step in steps:
        watch.step(*step)
    return watch


def test_one_reading_of_a_residual_current_clears_itself_and_one_that_lasts_does_not():
    assert not proven((0, True, False), (PROOF_MS - 1, True, False)).needs_person()
    assert proven((0, True, False), (PROOF_MS, True, False)).needs_person()
    assert not proven((0, True, False), (1, False, False), (PROOF_MS, False, False)).needs_person()


@pytest.mark.parametrize("after_ms, needs_person", [(REPEAT_MS - 1, True), (REPEAT_MS, False)])
def test_one_that_comes_again_within_ten_minutes_is_proven(after_ms, needs_person):
    once = ((0, True, False), (1, False, False), (1001, False, False))
    assert not proven(*once).is_set
    assert proven(*once, (1001 + after_ms, True, False)).needs_person() is needs_person


def test_one_that_a_person_has_cleared_is_the_first_again():
    watch = proven((0, True, False), (1, False, True), (2, True, False))
    assert watch.is_set and not watch.needs_person()


def test_one_that_a_restart_does_not_clear_needs_a_person_after_it():
    watch = ProvenWatch(TABLE[0], True)
    assert watch.needs_person() and watch.count == 1 and not watch.at_rest
