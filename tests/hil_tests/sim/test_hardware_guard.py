"""Does the simulated guard hold a contactor under all of its conditions, and open it in time when one of them ends?"""

from collections.abc import Callable

import pytest

from hil_tests.sim.board import Board, Outputs
from hil_tests.sim.vehicle import Vehicle

STEP_S = 0.01
AMPS_16 = 17_476  # duty of 65,536
PERIOD_S = 0.02  # of a control loop
CHARGING = Outputs(pilot_duty_u16=AMPS_16, contactor=True)


@pytest.fixture
def board() -> Board:
    """It charges."""
    board = Board(Vehicle())
    board.mains = board.vehicle.plugged = True
    board.outputs = Outputs(pilot_duty_u16=AMPS_16)
    live(board, 1)
    board.outputs = CHARGING
    live(board, 1)
    assert board.contact_closed
    return board


def live(board: Board, seconds: float) -> None:
    """Lets time pass with a control loop that runs."""
    for _ in range(round(seconds / PERIOD_S)):
        board.guard.move_live_line()
        for _ in range(round(PERIOD_S / STEP_S)):
            board.step(STEP_S)


def opens_after_s(board: Board, within_s: float) -> float | None:
    """When the contacts open, with nobody who moves the live line; None if they do not."""
    for step in range(round(within_s / STEP_S)):
        board.step(STEP_S)
        if not board.contact_closed:
            return (step + 1) * STEP_S
    return None


def unplug(board: Board) -> None:
    board.vehicle.plugged = False


def open_s2(board: Board) -> None:
    board.vehicle.wants_charge = False


def ask_for_ventilation(board: Board) -> None:
    board.vehicle.needs_ventilation = True


def break_down(name: str) -> Callable[[Board], None]:
    return lambda board: board.set_fault(name, True)


@pytest.mark.parametrize(
    "cause", [unplug, open_s2, break_down("rcd_ac"), break_down("rcd_dc"), break_down("pilot_short")]
)
def test_does_a_cause_open_it_while_nothing_runs(board: Board, cause: Callable[[Board], None]) -> None:
    cause(board)
    opened_s = opens_after_s(board, 0.2)
    assert opened_s is not None and opened_s <= 0.1


def test_is_state_d_held(board: Board) -> None:
    """Whether a vehicle may ask for ventilation is for the rules."""
    ask_for_ventilation(board)
    live(board, 1)
    assert board.pilot_state == "D2" and board.contact_closed


def test_does_a_dead_program_open_it_within_1_2_s_and_a_stall_not(board: Board) -> None:
    assert opens_after_s(board, 0.33) is None
    live(board, 0.1)
    opened_s = opens_after_s(board, 2)
    assert opened_s is not None and 1.0 <= opened_s + PERIOD_S <= 1.2  # since the last edge


@pytest.mark.parametrize("fault", ["rcd_ac", "rcd_dc"])
def test_does_it_stay_open_until_the_drive_is_withdrawn(board: Board, fault: str) -> None:
    """A residual current that goes away with the contactor must not close it again."""
    board.set_fault(fault, True)
    live(board, 0.1)
    board.set_fault(fault, False)
    live(board, 1)
    assert not board.contact_closed and board.inputs()["guard_open"]
    board.outputs = Outputs(pilot_duty_u16=AMPS_16)
    live(board, 0.1)
    assert not board.inputs()["guard_open"]
    board.outputs = CHARGING
    live(board, 0.1)
    assert board.contact_closed


def test_is_it_open_without_a_vehicle_that_asks(board: Board) -> None:
    """Read back as such, so that a guard that is wired shut could be told."""
    board.outputs = Outputs(pilot_duty_u16=65_535)
    open_s2(board)
    live(board, 1)
    assert board.pilot_state == "B1" and board.inputs()["guard_open"]
