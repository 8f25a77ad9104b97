"""Does the whole of the rules charge when it should, stop when it must, and never mind the network?"""

import pytest

from firmware.charging import pilot
from firmware.charging.controller import Controller
from firmware.charging.limits import PAUSE_A, READ_WITHIN_MS, Claim
from firmware.charging.situation import Setup
from firmware.charging.wires import SAFE, X1, F, Inputs

STEP_MS = 20
CAR_MV = {"A": 12000, "B": 9000, "C": 6000, "D": 3000}


class Unit:
    """A controller with a board that obeys: contactor and pilot follow the outputs within one step."""

    def __init__(self, tethered=True, ventilated=False, fallback_a=0, kept=None, register=None):
        self.now_ms = 0
        self.controller = Controller(0, Setup(32, tethered, ventilated, fallback_a), register, kept)
        self.controller.claims = ()
        self.inputs = Inputs()
        self.inputs.rail_mv, self.inputs.supply_mv, self.inputs.temperature_c = 5000, 230000, 25
        self.inputs.meter_wh = 0
        self.car = "A"
        self.diode = True
        self.rcd_works = True
        self.tested = False
        self.outputs = SAFE

    def run(self, ms):
        for _ in range(max(1, ms // STEP_MS)):
            self.now_ms += STEP_MS
            self._load_pilot()
            self.outputs = self.controller.step(self.now_ms, self.inputs)
            self.inputs.contactor_closed = self.outputs.contactor
            if self.outputs.rcd_test or self.tested:
                self.inputs.rcd_ac_trip = self.tested = self.outputs.rcd_test and self.rcd_works
        return self.outputs

    def _load_pilot(self):
        duty = self.outputs.pilot_duty_u16
        high_mv, inputs = CAR_MV[self.car], self.inputs
        low_mv = -12000 if self.diode or self.car == "A" else -high_mv
        inputs.pilot_high_mv = low_mv if duty == F else high_mv
        inputs.pilot_low_mv = high_mv if duty == X1 else low_mv

    def charge(self):
        self.car = "B"
        self.run(500)
        self.car = "C"
        self.run(1000)
        assert self.outputs.contactor, self.controller.report
        return self

    def events(self):
        taken = []
        event = self.controller.events.take()
        while event:
            taken.append(event)
            event = self.controller.events.take()
        return taken

    def offered_a(self):
        return round(pilot.amps(self.outputs.pilot_duty_u16), 1)


def test_plug_in_and_it_charges_without_any_network():
    unit = Unit().charge()
    assert unit.offered_a() == 32
    assert unit.controller.report.state == "C2"


def test_the_contactor_closes_within_three_seconds_of_the_vehicle_being_ready():
    unit = Unit()
    unit.car = "B"
    unit.run(1000)
    unit.car = "C"
    unit.run(280)
    assert not unit.outputs.contactor, "closed before C had settled"
    unit.run(2700)
    assert unit.outputs.contactor


def test_a_car_that_waits_at_6_v_when_the_unit_starts_is_charged():
    unit = Unit()
    unit.car = "C"
    unit.run(2000)
    assert unit.outputs.contactor
    assert [event for event in unit.events() if event.kind == "fault"] == []


def test_nothing_starts_before_the_owners_wishes_were_read_unless_nobody_reads_them():
    """[R10a] [R7]"""
    unit = Unit()
    unit.controller.claims = Controller(0, unit.controller.setup).claims
    unit.car = "C"
    assert not unit.run(READ_WITHIN_MS - STEP_MS).contactor and unit.offered_a() == 0
    assert unit.run(2000).contactor
    unit = Unit()
    unit.controller.claims = Controller(0, unit.controller.setup).claims
    unit.car = "C"
    unit.run(1000)
    unit.controller.claims = ()
    assert unit.run(1000).contactor


@pytest.mark.parametrize("car", ["A", "B"])
def test_the_contactor_opens_in_the_first_step_that_sees_the_car_leave(car):
    unit = Unit().charge()
    unit.car = car
    assert not unit.run(STEP_MS).contactor


def test_a_fault_opens_in_the_same_step_shows_f_for_300_ms_and_then_lets_an_unplug_be_seen():
    unit = Unit().charge()
    unit.inputs.rcd_ac_trip = True
    outputs = unit.run(STEP_MS)
    assert not outputs.contactor and outputs.pilot_duty_u16 == F
    assert unit.run(280).pilot_duty_u16 == F
    assert unit.run(60).pilot_duty_u16 == X1
    assert outputs.led[0] > 0 and outputs.led[1] == outputs.led[2] == 0


def test_a_latched_fault_outlives_a_restart_and_not_the_person_who_clears_it():
    unit = Unit()
    unit.controller = Controller(0, unit.controller.setup, latched=("rcd_ac",))
    unit.controller.claims = ()
    unit.car = "C"
    for _ in range(500):
        outputs = unit.run(STEP_MS)
        assert not outputs.contactor and outputs.led[0] > 0 and outputs.led[1] == outputs.led[2] == 0
    assert unit.controller.report.faults == ("rcd_ac",)
    unit.controller.clear_wanted = True
    assert unit.run(3000).contactor


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
    assert unit.controller.report.faults == ("diode",)


def test_a_diode_that_was_mended_is_seen_within_seconds_without_any_offer():
    unit = Unit()
    unit.diode = False
    unit.car = "B"
    unit.run(5000)
    assert unit.controller.report.faults == ("diode",)
    unit.diode = True
    for _ in range(3500 // STEP_MS):
        assert unit.offered_a() == 0 or unit.controller.report.faults == ()
        unit.run(STEP_MS)
    assert unit.controller.report.faults == ()


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
    assert unit.controller.report.faults == ("rcd_selftest",)
    unit.rcd_works = True
    assert not unit.run(5000).contactor
    unit.controller.clear_wanted = True
    assert unit.run(2000).contactor


def test_a_leak_during_the_self_test_is_found_by_its_end():
    unit = Unit()
    unit.car = "C"
    while not unit.outputs.rcd_test:
        unit.run(STEP_MS)
    unit.inputs.rcd_dc_trip = True
    for _ in range(100):
        assert not unit.run(STEP_MS).contactor
    assert "rcd_dc" in unit.controller.report.faults


def test_a_plug_pulled_during_the_self_test_is_no_leak():
    for lets_go_in in range(0, 400, STEP_MS):
        unit = Unit()
        unit.car = "B"
        while not unit.outputs.rcd_test:
            unit.run(STEP_MS)
        unit.rcd_works = False  # the sensor is ours now
        unit.inputs.rcd_ac_trip = unit.inputs.rcd_dc_trip = True
        unit.car = "A"
        unit.run(lets_go_in)
        unit.inputs.rcd_ac_trip = unit.inputs.rcd_dc_trip = unit.tested = False
        unit.run(1000)
        assert unit.controller.report.faults == () and not unit.outputs.rcd_test


@pytest.mark.parametrize("ventilated", [False, True])
def test_a_car_that_needs_ventilation_has_power_only_where_there_is_some_and_it_is_no_fault(ventilated):
    unit = Unit(ventilated=ventilated)
    unit.car = "D"
    unit.run(3000)
    assert unit.outputs.contactor == ventilated
    assert unit.controller.report.faults == ()
    if not ventilated:
        assert unit.controller.report.ruling.source == "ventilation"


def test_a_warm_enclosure_halves_the_offer_and_a_cool_one_gives_it_back():
    unit = Unit().charge()
    unit.inputs.temperature_c = 66
    unit.run(100)
    assert unit.offered_a() == 16 and unit.controller.report.ruling.source == "temperature"
    unit.inputs.temperature_c = 63
    unit.run(6000)
    assert unit.offered_a() == 16
    unit.inputs.temperature_c = 61
    unit.run(6000)
    assert unit.offered_a() == 32


def test_a_load_manager_that_is_not_heard_leaves_the_fallback_current():
    unit = Unit(fallback_a=10).charge()
    assert unit.offered_a() == 10 and unit.controller.report.ruling.source == "load_manager"
    unit.run(6000)
    unit.controller.claims = (Claim("load_manager", 20, unit.now_ms + 10000, "house"),)
    unit.run(6000)
    assert unit.offered_a() == 20
    unit.run(5000)
    assert unit.offered_a() == 10


def test_noise_at_the_edge_of_a_band_does_not_open_the_contactor():
    unit = Unit().charge()
    CAR_MV["noisy"] = 6990
    unit.car = "noisy"
    for _ in range(100):
        CAR_MV["noisy"] = 13980 + 260 - CAR_MV["noisy"]  # 7,250 and 6,990 by turns
        assert unit.run(STEP_MS).contactor


def test_losing_the_network_changes_the_mode_and_nothing_of_the_charge():
    unit = Unit().charge()
    unit.controller.link_proven = True
    unit.run(1000)
    before = unit.outputs.pilot_duty_u16
    unit.controller.link_proven = False
    for _ in range(130000 // STEP_MS):
        outputs = unit.run(STEP_MS)
        assert outputs.contactor and outputs.pilot_duty_u16 == before
    assert unit.controller.report.mode == "standalone"
    assert [event.what for event in unit.events() if event.kind == "mode"] == ["smart", "link_lost", "standalone"]


def test_a_pause_asks_the_car_first_and_opens_after_six_seconds_if_it_goes_on_drawing():
    unit = Unit().charge()
    unit.inputs.current_ma = 16000
    unit.controller.claims = (Claim("cloud", PAUSE_A, None, "peak"),)
    outputs = unit.run(5900)
    assert outputs.contactor and outputs.pilot_duty_u16 == X1
    assert not unit.run(200).contactor


def test_a_pause_that_expires_lets_it_charge_again():
    unit = Unit().charge()
    unit.controller.claims = (Claim("cloud", PAUSE_A, unit.now_ms + 10000, "peak"),)
    unit.run(9000)
    assert not unit.outputs.contactor
    unit.run(3000)
    assert unit.outputs.contactor


def test_wishes_change_the_offer_at_most_every_five_seconds():
    unit = Unit().charge()
    unit.run(6000)
    changes = []
    before = unit.outputs.pilot_duty_u16
    for step in range(1000):
        unit.controller.claims = (Claim("cloud", 10 + step % 7, None, "solar"),)
        duty = unit.run(STEP_MS).pilot_duty_u16
        if duty != before:
            changes.append(unit.now_ms)
            before = duty
    assert len(changes) >= 3
    assert min(later - earlier for earlier, later in zip(changes, changes[1:])) >= 5000


def test_a_wish_that_flutters_makes_an_offer_at_most_every_five_seconds():
    unit = Unit().charge()
    offered_ms = []
    for step in range(2000):
        unit.controller.claims = (Claim("cloud", PAUSE_A, None, "cloudy"),) if step % 7 else ()
        before = unit.outputs.pilot_duty_u16
        if unit.run(STEP_MS).pilot_duty_u16 != before == X1:
            offered_ms.append(unit.now_ms)
    assert len(offered_ms) >= 3
    assert min(later - earlier for earlier, later in zip(offered_ms, offered_ms[1:])) >= 5000


def test_a_lower_ceiling_does_not_wait_for_a_wish_that_does():
    unit = Unit().charge()
    unit.controller.claims = (Claim("cloud", 10, None, "solar"),)
    unit.controller.setup = Setup(16, True, False, 0)
    unit.run(STEP_MS)
    assert unit.offered_a() <= 16


def test_a_plug_pulled_during_the_self_test_does_not_stop_the_next_one():
    unit = Unit()
    unit.controller.test_wanted = True
    unit.run(2 * STEP_MS)
    unit.car = "A"
    unit.run(1000)
    unit.charge()


def test_a_thinner_cable_limits_the_offer_and_no_cable_offers_nothing():
    unit = Unit(tethered=False)
    unit.inputs.proximity_ohm = 680
    unit.charge()
    assert unit.offered_a() == 20
    unit.inputs.proximity_ohm = None
    unit.run(1000)
    assert not unit.outputs.contactor
    assert unit.controller.report.faults == ("proximity",)


def test_while_its_own_supply_collapses_everything_is_open_and_nothing_is_a_fault():
    unit = Unit().charge()
    unit.events()
    unit.inputs.rail_mv, unit.inputs.supply_mv, unit.inputs.temperature_c = 4000, 0, None
    for _ in range(500):
        assert not unit.run(STEP_MS).contactor
    assert unit.events() == []
    report = unit.controller.report
    assert report.faults == () and (report.phase, report.contactor, report.amps) == ("idle", False, 0)


def test_what_was_wrong_before_its_own_supply_went_is_judged_anew_after_it():
    """A sensor that is there again a second after the supply, as after a cut."""
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


def test_a_session_counts_its_energy_from_plug_to_unplug():
    unit = Unit()
    unit.inputs.meter_wh = 100000
    unit.charge()
    unit.inputs.meter_wh = 107300
    unit.run(1000)
    unit.car = "A"
    unit.run(100)
    record = [event.what for event in unit.events() if event.kind == "session"][0]
    assert record.energy_wh == 7300 and record.why == "unplugged" and record.end_ms > record.start_ms


def test_a_meter_that_has_not_answered_yet_costs_nothing_and_its_first_reading_is_no_energy():
    unit = Unit()
    unit.inputs.meter_wh = None
    unit.charge()
    assert unit.controller.report.total_wh is None and unit.controller.report.session is None
    unit.inputs.meter_wh = 700000
    unit.run(1000)
    assert unit.controller.report.session.number == 1 and unit.controller.report.session_wh == 0


def test_the_boot_of_the_rules_is_safe():
    controller = Controller(0, Setup(32, True, False, 0))
    outputs = controller.step(20, Inputs())
    assert not outputs.contactor and outputs.pilot_duty_u16 == F


def test_an_opened_enclosure_is_told_at_once_and_does_not_stop_the_charge():
    """[S1-tamper]"""
    unit = Unit().charge()
    unit.inputs.tamper = True
    unit.run(STEP_MS)
    assert [event.what for event in unit.events() if event.kind == "tamper"] == [True]
    assert unit.outputs.contactor


def test_the_power_told_is_never_older_than_a_second():
    """[R9p]"""
    unit = Unit().charge()
    for power_w in range(100, 2100, 100):
        unit.inputs.power_w = power_w
        unit.run(980)
        assert unit.controller.report.power_w == power_w


def test_a_cold_boot_without_any_network_or_time_charges_within_five_seconds():
    """[R7]"""
    unit = Unit()
    unit.car = "C"
    assert unit.run(5000).contactor
