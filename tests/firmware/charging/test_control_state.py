"""Does the state of the control begin with nothing allowed, and follow circuit, cable and vehicle?"""

import pytest

from firmware.charging.control_state import ControlState, Setup
from firmware.charging.excess import over_ma


def of(installer_max_a=32, tethered=True, ventilated=False):
    return ControlState(Setup(installer_max_a, tethered, ventilated, 0, True))


def test_at_first_nothing_is_known_and_nothing_allowed():
    state = of()
    assert state.state is state.band is state.drive is state.cable_a is None
    flags = state.unsure, state.pwm_on, state.contactor, state.vehicle_pauses
    assert flags == (False, False, False, False)
    assert (state.contactor_rests, state.offer_rests, state.diode_missing) == (False, False, False)
    assert state.limit_a == state.ruling_a == state.wake_ups == 0
    assert state.over_allowed_ma == over_ma(0) and state.faults == () and state.rcd_test == "due"


@pytest.mark.parametrize(
    "tethered, cable_a, most_a", [(True, None, 32), (True, 13, 32), (False, 13, 13), (False, 63, 32), (False, None, 0)]
)
def test_circuit_and_detachable_cable_say_what_is_too_much(tethered, cable_a, most_a):
    state = of(tethered=tethered)
    state.cable_a = cable_a
    state.set_circuit()
    assert state.over_current_ma == over_ma(most_a)


@pytest.mark.parametrize(
    "pilot, ventilated, ready",
    [
        ("C2", False, True),
        ("C1", True, True),
        ("D2", True, True),
        ("D2", False, False),
        ("B2", True, False),
        ("A1", True, False),
        (None, True, False),
    ],
)
def test_a_vehicle_may_be_supplied_in_c_and_with_ventilation_in_d(pilot, ventilated, ready):
    state = of(ventilated=ventilated)
    state.set_state(pilot)
    assert state.band == (pilot and pilot[0])
    assert state.ready() is ready
