"""Do the rules as a whole charge when they should, stop when they must, and ignore the network?"""

import pytest

from firmware.charging.control_state import Setup
from firmware.charging.controller import REPORT_MS, Controller
from firmware.charging.io import X1, F, Inputs
from firmware.charging.led import VIOLET
from firmware.charging.limits import PAUSE_A, READ_WITHIN_MS, Claim
from firmware.charging.register import SLACK_WH, Register
from firmware.charging.sequence import SETTLE_MS
from tests.firmware.charging.wired import CAR_MV, STEP_MS, Unit


def test_plug_in_and_it_charges_without_any_network():
    unit = Unit().charge()
    assert unit.offered_a() == 32
    assert unit.exchange.report.state == "C2"


def test_before_its_first_step_a_unit_reports_that_nothing_happens():
    report = Unit(register=Register(57000, 56000)).exchange.report
    assert (report.state, report.mode, report.faults, report.contactor) == (None, "link_lost", (), False)
    assert report.amps == report.power_w == report.session_wh == report.presses == 0
    assert (report.total_wh, report.meter_wh, report.session, report.ceilings) == (57000, 56000, None, ())


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
    unit.exchange.claims = Controller(0, unit.exchange.setup).exchange.claims
    unit.car = "C"
    assert not unit.run(READ_WITHIN_MS - STEP_MS).contactor and unit.offered_a() == 0
    assert unit.run(2000).contactor
    unit = Unit()
    unit.exchange.claims = Controller(0, unit.exchange.setup).exchange.claims
    unit.car = "C"
    unit.run(1000)
    unit.exchange.claims = ()
    assert unit.run(1000).contactor


@pytest.mark.parametrize("car", ["A", "B"])
def test_the_contactor_opens_in_the_third_step_that_sees_the_car_leave(car):
    """40 ms after the first reading: IEC 61851-1 allows 100 ms, and one or two readings are a disturbance."""
    unit = Unit().charge()
    unit.car = car
    assert unit.run(STEP_MS).contactor and unit.run(STEP_MS).contactor
    assert not unit.run(STEP_MS).contactor


def test_a_warm_enclosure_halves_the_offer_and_a_cool_one_gives_it_back():
    unit = Unit().charge()
    unit.inputs.temperature_c = 66
    unit.run(1100)
    assert unit.offered_a() == 16 and unit.exchange.report.ruling.source == "temperature"
    unit.inputs.temperature_c = 63
    unit.run(6000)
    assert unit.offered_a() == 16
    unit.inputs.temperature_c = 61
    unit.run(6000)
    assert unit.offered_a() == 32


def test_a_load_manager_that_is_not_heard_leaves_the_fallback_current():
    unit = Unit(fallback_a=10).charge()
    assert unit.offered_a() == 10 and unit.exchange.report.ruling.source == "load_manager"
    unit.run(6000)
    unit.exchange.claims = (Claim("load_manager", 20, unit.now_ms + 10000, "house", None),)
    unit.run(6000)
    assert unit.offered_a() == 20
    unit.run(5000)
    assert unit.offered_a() == 10


def test_noise_at_the_edge_of_a_band_does_not_open_the_contactor():
    unit = Unit().charge()
    CAR_MV["noisy"] = 6990
    unit.car = "noisy"
    for _ in range(100):
        CAR_MV["noisy"] = 13980 + 260 - CAR_MV["noisy"]  # alternately 7,250 and 6,990
        assert unit.run(STEP_MS).contactor


def test_losing_the_network_changes_the_mode_and_nothing_of_the_charge():
    unit = Unit().charge()
    unit.exchange.link_proven = True
    unit.run(1000)
    before = unit.outputs.pilot_duty_u16
    unit.exchange.link_proven = False
    for _ in range(130000 // STEP_MS):
        outputs = unit.run(STEP_MS)
        assert outputs.contactor and outputs.pilot_duty_u16 == before
    assert unit.exchange.report.mode == "standalone"
    assert [event.what for event in unit.events() if event.kind == "mode"] == ["smart", "link_lost", "standalone"]


def test_a_pause_asks_the_car_first_and_opens_after_six_seconds_if_it_goes_on_drawing():
    unit = Unit().charge()
    unit.inputs.current_ma = 16000
    unit.exchange.claims = (Claim("cloud", PAUSE_A, None, "peak", None),)
    outputs = unit.run(5900)
    assert outputs.contactor and outputs.pilot_duty_u16 == X1
    assert not unit.run(200).contactor


def test_a_pause_that_expires_lets_it_charge_again():
    unit = Unit().charge()
    unit.exchange.claims = (Claim("cloud", PAUSE_A, unit.now_ms + 10000, "peak", None),)
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
        unit.exchange.claims = (Claim("cloud", 10 + step % 7, None, "solar", None),)
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
        unit.exchange.claims = (Claim("cloud", PAUSE_A, None, "cloudy", None),) if step % 7 else ()
        before = unit.outputs.pilot_duty_u16
        if unit.run(STEP_MS).pilot_duty_u16 != before == X1:
            offered_ms.append(unit.now_ms)
    assert len(offered_ms) >= 3
    assert min(later - earlier for earlier, later in zip(offered_ms, offered_ms[1:])) >= 5000


def test_a_lower_ceiling_does_not_wait_for_a_wish_that_does():
    unit = Unit().charge()
    unit.exchange.claims = (Claim("cloud", 10, None, "solar", None),)
    unit.exchange.setup = Setup(16, True, False, 0, True)
    unit.run(STEP_MS)
    assert unit.offered_a() <= 16


def test_a_thinner_cable_limits_the_offer_and_no_cable_offers_nothing():
    unit = Unit(tethered=False)
    unit.inputs.proximity_ohm = 680
    unit.charge()
    assert unit.offered_a() == 20
    unit.inputs.proximity_ohm = None
    unit.run(1000)
    assert not unit.outputs.contactor
    assert unit.exchange.report.faults == ("proximity",)


def test_a_session_counts_its_energy_from_plug_to_unplug():
    unit = Unit()
    unit.inputs.meter_wh = 100000
    unit.charge()
    unit.inputs.meter_wh = 100030
    unit.run(1000)
    unit.car = "A"
    unit.run(100)
    record = [event.what for event in unit.events() if event.kind == "session"][0]
    assert record.energy_wh == 30 and record.why == "unplugged" and record.end_ms > record.start_ms


def test_a_meter_that_stood_still_cannot_have_counted_since_then():
    """What it can have counted is counted from its last good reading, also from one that was the same as before."""
    unit = Unit()
    unit.run(60000)
    unit.inputs.meter_wh = 300
    unit.run(1000)
    assert unit.exchange.report.total_wh == 0
    unit.inputs.meter_wh = 0
    unit.run(1000)
    unit.inputs.meter_wh = SLACK_WH
    unit.run(1000)
    assert unit.exchange.report.total_wh == SLACK_WH


def test_a_meter_that_was_exchanged_is_an_event_and_no_energy():
    unit = Unit()
    unit.inputs.meter_wh = 100000
    unit.charge()
    unit.inputs.meter_wh = 5
    unit.run(15000)
    assert [event.what for event in unit.events() if event.kind == "meter_changed"] == [(100000, 5)]
    assert unit.exchange.report.session_wh == 0


def test_a_meter_that_has_not_answered_yet_costs_nothing_and_its_first_reading_is_no_energy():
    unit = Unit()
    unit.inputs.meter_wh = None
    unit.charge()
    assert unit.exchange.report.total_wh is None and unit.exchange.report.session is None
    unit.inputs.meter_wh = 700000
    unit.run(1000)
    assert unit.exchange.report.session.number == 1 and unit.exchange.report.session_wh == 0


def test_the_boot_of_the_rules_is_safe():
    controller = Controller(0, Setup(32, True, False, 0, True))
    outputs = controller.step(20, Inputs())
    assert not outputs.contactor and outputs.pilot_duty_u16 == F


def test_the_power_told_is_never_older_than_a_second():
    """[R9p]"""
    unit = Unit().charge()
    for power_w in range(100, 2100, 100):
        unit.inputs.power_w = power_w
        unit.run(980)
        assert unit.exchange.report.power_w == power_w


def test_a_unit_at_rest_reports_again_what_its_meter_reads_and_nothing_that_has_not_changed():
    unit = Unit()
    unit.run(1000)
    before = unit.exchange.report
    unit.run(10000)
    assert unit.exchange.report is before
    unit.inputs.meter_wh = 5
    unit.run(REPORT_MS)
    assert unit.exchange.report.meter_wh == 5
    before = unit.exchange.report
    unit.run(10000)
    assert unit.exchange.report is before
    unit.inputs.power_w = 3
    unit.run(REPORT_MS)
    assert unit.exchange.report.power_w == 3


def test_a_unit_that_charges_reports_every_half_second():
    unit = Unit().charge()
    unit.run(REPORT_MS)
    reports = []
    for _ in range(10 * REPORT_MS // STEP_MS):
        unit.run(STEP_MS)
        if unit.exchange.report not in reports[-1:]:
            reports.append(unit.exchange.report)
        unit.inputs.power_w += 1
    assert 10 <= len(reports) <= 11


def test_a_cold_boot_without_any_network_or_time_charges_within_five_seconds():
    """[R7]"""
    unit = Unit()
    unit.car = "C"
    assert unit.run(5000).contactor


def test_single_readings_between_the_bands_open_nothing():
    """Three of a hundred readings, as with a long cable or an inverter nearby."""
    unit, number, openings = Unit().charge(), 1, 0
    for _ in range(6000):
        number = number * 75 % 65537  # ZX81's random generator
        unit.disturbed = number % 100 < 3
        closed = unit.outputs.contactor
        unit.run(20)
        openings += closed and not unit.outputs.contactor
    assert openings == 0 and not [event for event in unit.events() if event.kind == "fault"]


@pytest.mark.parametrize("readings, closed", [(1, True), (2, True), (3, False)])
def test_the_third_reading_without_a_state_opens(readings, closed):
    unit = Unit().charge()
    unit.disturbed = True
    for _ in range(readings):
        unit.run(20)
    assert unit.outputs.contactor == closed
    unit.disturbed = False
    unit.run(20)
    assert unit.outputs.contactor == closed


def test_a_diode_that_is_missing_for_two_readings_opens_nothing_and_for_three_is_a_fault():
    unit = Unit().charge()
    unit.diode = False
    unit.run(40)
    assert unit.outputs.contactor
    unit.diode = True
    unit.run(1000)
    assert unit.outputs.contactor and unit.exchange.report.faults == ()
    unit.diode = False
    unit.run(60)
    assert not unit.outputs.contactor
    unit.run(20)
    assert unit.exchange.report.faults == ("diode",)


def test_nothing_closes_on_a_doubtful_reading():
    unit = Unit()
    unit.car = "C"
    unit.run(100)
    while unit.controller.phase != "closing":
        unit.run(20)
    unit.run(SETTLE_MS - STEP_MS)
    unit.disturbed = True
    unit.run(20)
    assert not unit.outputs.contactor
    unit.disturbed = False
    unit.run(20)
    assert unit.outputs.contactor


def test_a_car_that_wants_ventilation_is_no_fault():
    unit = Unit().charge()
    unit.car = "D"
    unit.run(40)
    for _ in range(100):
        unit.run(20)
        assert not unit.outputs.contactor and unit.exchange.report.faults == ()
    assert unit.exchange.report.ruling.source == "ventilation" and unit.exchange.report.state == "D1"


def test_a_doubt_about_the_diode_ends_with_the_offer():
    unit = Unit().charge()
    unit.diode = False
    unit.run(20)
    unit.diode = True
    unit.exchange.claims = (Claim("cloud", PAUSE_A, None, "peak", None),)
    unit.run(2000)
    assert unit.exchange.report.faults == () and unit.exchange.report.state == "C1"


def test_a_unit_that_is_not_commissioned_charges_at_6_a_whatever_is_wished_and_its_light_says_so():
    """[BS7671-6]"""
    unit = Unit()
    unit.exchange.setup = Setup(6, True, False, 0, False)
    unit.exchange.claims = (Claim("override", 80, None, "now", None), Claim("cloud", 32, None, "ordered", None))
    unit.charge()
    assert unit.offered_a() == 6
    assert unit.exchange.report.ruling[:2] == (6, "commissioning")
    lights = {unit.run(20).led for _ in range(300)}
    assert VIOLET in lights and not [led for led in lights if led[0] and not led[1] and not led[2]]
    unit.exchange.setup = Setup(32, True, False, 0, True)
    unit.run(6000)
    assert unit.offered_a() == 32 and unit.exchange.report.ruling.source == "installer"
    assert VIOLET not in {unit.run(20).led for _ in range(300)}


def test_a_press_of_the_button_says_when_somebody_was_there_and_a_command_does_not():
    unit = Unit()
    unit.run(1000)
    unit.exchange.clear_wanted = True
    unit.run(1000)
    assert unit.exchange.pressed_ms is None
    unit.inputs.button = True
    unit.run(1000)
    pressed_ms = unit.exchange.pressed_ms
    assert 2000 < pressed_ms <= 2100
    unit.inputs.button = False
    unit.run(1000)
    assert unit.exchange.pressed_ms == pressed_ms, "while it is held and let go, it is one press"
