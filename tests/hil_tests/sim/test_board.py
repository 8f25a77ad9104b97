"""Does the simulated charge point with its car behave like resistors, relays and batteries?"""

import pytest

from hil_tests.sim.board import FAULTS, RAIL_DEAD_MV, RAIL_MV, Board, Outputs
from hil_tests.sim.pilot import offered_ma, plateaus, state
from hil_tests.sim.vehicle import STATE_B_OHM, STATE_C_OHM, STATE_D_OHM, Vehicle

STEP_S = 0.01
STEADY, AMPS_16, FAULTY = 65_535, 17_476, 0  # duty of 65,536
CHARGING = Outputs(pilot_duty_u16=AMPS_16, contactor=True)


def run(board: Board, seconds: float) -> None:
    """Let time pass with a running control loop."""
    for _ in range(round(seconds / STEP_S)):
        board.guard.move_live_line()
        board.step(STEP_S)


def charge(board: Board) -> None:
    """Switch on PWM, then the contactor: the guard must see state C first."""
    board.outputs = Outputs(pilot_duty_u16=AMPS_16)
    run(board, 1)
    board.outputs = CHARGING
    run(board, 5)


@pytest.fixture
def board() -> Board:
    """A board with mains, without a car."""
    board = Board(Vehicle())
    board.mains = True
    board.step(STEP_S)
    return board


@pytest.mark.parametrize(
    ("load_ohm", "duty", "expected"),
    [
        (None, STEADY, "A1"),
        (None, AMPS_16, "A2"),
        (STATE_B_OHM, STEADY, "B1"),
        (STATE_B_OHM, AMPS_16, "B2"),
        (STATE_C_OHM, AMPS_16, "C2"),
        (STATE_D_OHM, AMPS_16, "D2"),
        (STATE_C_OHM, FAULTY, "F"),
    ],
)
def test_do_the_resistors_give_the_states(load_ohm: int | None, duty: int, expected: str) -> None:
    """9, 6 and 3 V within the bands of IEC 61851-1?"""
    assert state(*plateaus(duty, load_ohm, diode=True, shorted=False)) == expected


def test_does_a_shorted_diode_mirror_the_plateau() -> None:
    """The low half follows the high one, and is not at -12 V any more?"""
    high_mv, low_mv = plateaus(AMPS_16, STATE_C_OHM, diode=False, shorted=False)
    assert low_mv == pytest.approx(-high_mv, abs=2)


@pytest.mark.parametrize(
    ("percent", "amps"),
    [(5, 0), (7.5, 0), (9, 6), (10, 6), (26.67, 16), (53.33, 32), (80, 48), (96, 80), (98, 0), (100, 0)],
)
def test_is_the_duty_cycle_read_as_a_car_does(percent: float, amps: int) -> None:
    """Table A.8 of IEC 61851-1?"""
    assert offered_ma(round(percent * 655.36)) == pytest.approx(amps * 1000, abs=20)


def test_does_a_car_charge_and_stop(board: Board) -> None:
    """S2 closes on PWM, current comes with the contactor and within what is offered, and goes with the PWM?"""
    board.vehicle.plugged = True
    board.outputs = Outputs(pilot_duty_u16=AMPS_16)
    run(board, 1)
    assert board.pilot_state == "C2"
    assert board.power_w == 0
    board.outputs = Outputs(pilot_duty_u16=AMPS_16, contactor=True)
    run(board, 3)
    assert board.contact_closed
    assert board.vehicle.current_ma == pytest.approx(16_000, abs=10)
    assert board.meter_wh > 0
    board.outputs = Outputs(pilot_duty_u16=STEADY, contactor=True)
    run(board, 0.1)
    assert board.vehicle.current_ma == 0
    run(board, 2)
    assert board.pilot_state == "B1"


def test_does_a_full_battery_end_the_charge(board: Board) -> None:
    """The car opens S2 by itself?"""
    board.vehicle.plugged = True
    board.vehicle.battery_wh = board.vehicle.capacity_wh
    board.outputs = Outputs(pilot_duty_u16=AMPS_16, contactor=True)
    run(board, 2)
    assert board.pilot_state == "B2"


def test_does_the_rail_collapse_before_the_processor_stops(board: Board) -> None:
    """Below 4.5 V for some 20 ms, with the mains already gone, and then no pilot at all?"""
    board.outputs = Outputs(pilot_duty_u16=STEADY)
    board.mains = False
    falling_s = 0.0
    while board.powered:
        board.step(0.001)
        assert board.inputs()["supply_mv"] == 0
        falling_s += 0.001 if RAIL_DEAD_MV <= int(board.inputs()["rail_mv"] or 0) < 4500 else 0
    assert 0.015 <= falling_s <= 0.03
    assert board.pilot_state == "E"
    board.mains = True
    board.step(0.001)
    assert board.inputs()["rail_mv"] == RAIL_MV


def test_does_the_contactor_follow_its_coil_unless_broken(board: Board) -> None:
    """A moment later; never when stuck; always closed when welded; open without mains?"""
    board.vehicle.plugged = True
    board.outputs = Outputs(pilot_duty_u16=AMPS_16)
    run(board, 1)
    board.outputs = CHARGING
    board.step(STEP_S)
    assert not board.contact_closed
    run(board, 0.1)
    assert board.contact_closed
    board.set_fault("contactor_stuck_open", True)
    run(board, 0.1)
    assert not board.contact_closed
    board.set_fault("contactor_stuck_open", False)
    board.set_fault("contactor_welded", True)
    board.outputs = Outputs(pilot_duty_u16=AMPS_16)
    run(board, 0.1)
    assert board.contact_closed
    board.set_fault("contactor_welded", False)
    run(board, 0.1)
    assert not board.contact_closed


def test_does_the_leakage_sensor_answer_its_test(board: Board) -> None:
    """Both trips while the coil is energised, and none afterwards?"""
    board.outputs = Outputs(rcd_test=True)
    run(board, 0.05)
    assert board.inputs()["rcd_ac_trip"] and board.inputs()["rcd_dc_trip"]
    board.outputs = Outputs(rcd_test=False)
    board.step(STEP_S)
    assert not board.inputs()["rcd_ac_trip"] and not board.inputs()["rcd_dc_trip"]


@pytest.mark.parametrize("name", FAULTS)
def test_can_each_fault_be_sensed(board: Board, name: str) -> None:
    """In the middle of a charge, does some input differ with it, and not without it?"""
    board.vehicle.plugged = True
    charge(board)
    before = {key: value for key, value in board.inputs().items() if key != "meter_wh"}
    board.set_fault(name, True)
    if name == "contactor_welded":
        board.outputs = Outputs(pilot_duty_u16=AMPS_16, contactor=False)
    run(board, 2)
    during = {key: value for key, value in board.inputs().items() if key != "meter_wh"}
    assert during != before or (name == "contactor_welded" and during["contactor_closed"])
    board.set_fault(name, False)
    charge(board)
    assert {key: value for key, value in board.inputs().items() if key != "meter_wh"} == before


def test_is_an_unknown_fault_refused(board: Board) -> None:
    """ValueError that lists what there is?"""
    with pytest.raises(ValueError, match="over_temperature"):
        board.set_fault("gremlins", True)
