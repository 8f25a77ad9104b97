"""Does the simulated guard hold a contactor while all its conditions are met, and open it in time when one ends?"""

from collections.abc import Callable

import pytest

from hil_tests.sim.board import Board, Outputs
from hil_tests.sim.vehicle import Vehicle

STEP_S = 0.01
AMPS_16 = 17_476  # duty of 65,536
PERIOD_S = 0.02  # period of a control loop
CHARGING = Outputs(pilot_duty_u16=AMPS_16, contactor=True)


@pytest.fixture
def board() -> Board:
    """A charging board."""
    board = Board(Vehicle())
    board.mains = board.vehicle.plugged = True
    board.outputs = Outputs(pilot_duty_u16=AMPS_16)
    live(board, 1)
    board.outputs = CHARGING
    live(board, 1)
    assert board.contact_closed
    return board


def live(board: Board, seconds: float) -> None:
    """Let time pass with a running control loop."""
    for _ in range(round(seconds / PERIOD_S)):
        board.guard.move_live_line()
        for _ in range(round(PERIOD_S / STEP_S)):
            board.step(STEP_S)


def opens_after_s(board: Board, within_s: float) -> float | None:
    """Return when the contacts open while the live line does not move; None if they do not."""
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
    """The rules decide whether a vehicle may ask for ventilation."""
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
    """A residual current that ends when the contactor opens must not close it again."""
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
    """The read-back shows it, so that a guard that is wired shut could be detected."""
    board.outputs = Outputs(pilot_duty_u16=65_535)
    open_s2(board)
    live(board, 1)
    assert board.pilot_state == "B1" and board.inputs()["guard_open"]
