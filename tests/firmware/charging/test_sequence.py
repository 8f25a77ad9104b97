"""Is the contactor closed in only two phases, and can they be reached and left from all phases?"""

import pytest

from firmware.charging import sequence
from firmware.charging.control_state import ControlState, Setup
from firmware.charging.io import Inputs


def event(phase, elapsed_ms, state, faults=(), ruling_a=16, current_ma=16000, rcd_test="passed", diode_missing=False):
    control_state, inputs = ControlState(Setup(32, True, False, 0, True)), Inputs()
    control_state.set_state(state)
    control_state.faults, control_state.ruling_a = faults, ruling_a
    control_state.rcd_test, control_state.diode_missing, inputs.current_ma = rcd_test, diode_missing, current_ma
    return sequence.event(phase, elapsed_ms, inputs, control_state)


def test_the_contactor_is_closed_only_while_charging_or_stopping():
    closed = sorted(phase for phase, (_, contactor) in sequence.DRIVES.items() if contactor)
    assert closed == ["charging", "stopping"]


def test_every_event_leads_to_a_phase_that_exists():
    for phase, events in sequence.TABLE.items():
        for event, following in events.items():
            assert following in sequence.DRIVES, (phase, event)


def test_every_phase_with_power_on_the_pilot_knows_a_fault():
    for phase in sequence.DRIVES:
        if phase not in ("tripped", "faulted"):
            assert sequence.TABLE[phase]["fault"] == "tripped"


def test_an_event_that_a_phase_does_not_know_is_named():
    with pytest.raises(sequence.UnknownEvent, match="phase idle has no event debounced"):
        sequence.follow("idle", "debounced")


def test_every_event_that_can_happen_is_in_the_table():
    states = (None, "A1", "A2", "B1", "B2", "C1", "C2", "D2", "E", "F")
    for phase in sequence.DRIVES:
        for elapsed_ms in (0, 299, 300, 5999, 6000):
            for state in states:
                for faults in ((), ("diode",)):
                    for ruling_a in (0, 16):
                        for current_ma in (0, 16000):
                            for rcd_test in ("due", "requested", "tripping", "passed", "failed"):
                                happened = event(
                                    phase, elapsed_ms, state, faults, ruling_a, current_ma, rcd_test, bool(faults)
                                )
                                if happened:
                                    sequence.follow(phase, happened)


@pytest.mark.parametrize("state", [None, "A2", "B2", "E", "F"])
def test_anything_but_c_or_d_opens_a_closed_contactor_in_the_same_step(state):
    happened = event("charging", 10000, state)
    assert sequence.DRIVES[sequence.follow("charging", happened)][1] is False


def test_a_polite_stop_waits_six_seconds_for_the_vehicle_and_then_opens():
    assert event("charging", 60000, "C2", ruling_a=0) == "offer_withdrawn"
    assert event("stopping", 5999, "C1", ruling_a=0) is None
    assert event("stopping", 6000, "C1", ruling_a=0) == "stop_timeout"
    assert event("stopping", 100, "C1", ruling_a=0, current_ma=900) == "low_current"


EVENTS = [
    ("idle", 0, {"state": "B1"}, "plugged"),
    ("idle", 0, {"state": "C1"}, "plugged"),
    ("idle", 0, {"state": "D1"}, "plugged"),
    ("idle", 0, {"state": "A1"}, None),
    ("idle", 0, {"state": "E"}, None),
    ("idle", 0, {"state": "A1", "rcd_test": "requested"}, "selftest_due"),
    ("idle", 0, {"state": "A1", "rcd_test": "due"}, None),
    ("waiting", 0, {"state": "B1"}, "offer_available"),
    ("waiting", 0, {"state": "B1", "ruling_a": 0}, None),
    ("waiting", 0, {"state": "B1", "offer_rests": True}, None),
    ("waiting", 0, {"state": None}, None),
    ("waiting", 0, {"state": "A1"}, "unplugged"),
    ("waiting", 0, {"state": "B1", "rcd_test": "due"}, "selftest_due"),
    ("waiting", 0, {"state": "B1", "rcd_test": "requested", "ruling_a": 0}, "selftest_due"),
    ("testing", 0, {"state": "A1", "rcd_test": "tripping"}, None),
    ("testing", 0, {"state": "B1", "rcd_test": "releasing"}, None),
    ("testing", 0, {"state": "B1", "rcd_test": "failed"}, None),
    ("testing", 0, {"state": "B1", "rcd_test": "passed"}, "selftest_done"),
    ("testing", 0, {"state": "A1", "rcd_test": "due"}, "selftest_done"),
    ("offering", 0, {"state": "B2", "ruling_a": 0}, "offer_withdrawn"),
    ("offering", 0, {"state": "C2"}, "energy_requested"),
    ("offering", sequence.ASLEEP_MS - 1, {"state": "B2", "wake_ups": 2}, None),
    ("offering", sequence.ASLEEP_MS, {"state": "B2", "wake_ups": 2}, "asleep"),
    ("offering", sequence.ASLEEP_MS, {"state": "B2", "wake_ups": 1}, "fast_asleep"),
    ("offering", sequence.ASLEEP_MS, {"state": "B2", "wake_ups": 0}, None),
    ("nudging", sequence.NUDGE_MS - 1, {"state": "B1"}, None),
    ("nudging", sequence.NUDGE_MS, {"state": "B1"}, "nudged"),
    ("nudging", 0, {"state": "A1"}, "unplugged"),
    ("replugging", sequence.REPLUG_MS - 1, {"state": "A1"}, None),
    ("replugging", sequence.REPLUG_MS, {"state": "A1"}, "replugged"),
    ("closing", sequence.SETTLE_MS - 1, {"state": "C2"}, None),
    ("closing", sequence.SETTLE_MS, {"state": "C2"}, "debounced"),
    ("closing", sequence.SETTLE_MS, {"state": "C2", "unsure": True}, None),
    ("closing", sequence.SETTLE_MS, {"state": "C2", "ruling_a": 0}, "offer_withdrawn"),
    ("closing", sequence.SETTLE_MS, {"state": "B2"}, "energy_stopped"),
    ("charging", 0, {"state": "C2"}, None),
    ("charging", 0, {"state": "B2", "ruling_a": 0}, "energy_stopped"),
    ("charging", 0, {"state": "A2"}, "unplugged"),
    ("charging", 0, {"state": "A2", "faults": ("guard",)}, "fault"),
    ("stopping", 0, {"state": "B1"}, "energy_stopped"),
    ("stopping", 0, {"state": "C1", "current_ma": sequence.LOW_CURRENT_MA}, None),
    ("stopping", 0, {"state": "C1", "current_ma": sequence.LOW_CURRENT_MA - 1}, "low_current"),
    ("tripped", sequence.STATE_F_MS - 1, {"state": "F", "faults": ("guard",)}, None),
    ("tripped", sequence.STATE_F_MS, {"state": "F", "faults": ("guard",)}, "fault_signalled"),
    ("tripped", sequence.STATE_F_MS, {"state": "A1"}, "fault_signalled"),
    ("faulted", 0, {"state": "B1"}, "faults_cleared"),
    ("faulted", 60000, {"state": "A1", "faults": ("guard",)}, None),
    ("faulted", sequence.DIODE_RECHECK_MS, {"state": "B1", "faults": ("diode",)}, None),
    ("faulted", sequence.DIODE_RECHECK_MS - 1, {"faults": ("diode",), "diode_missing": True}, None),
    ("faulted", sequence.DIODE_RECHECK_MS, {"faults": ("diode",), "diode_missing": True}, "diode_recheck"),
]


@pytest.mark.parametrize("phase, elapsed_ms, told, happened", EVENTS)
def test_what_happens_in_each_phase(phase, elapsed_ms, told, happened):
    """Of a unit that offers 16 A, of which the vehicle draws all, and whose sensor has passed its test."""
    control_state, inputs = ControlState(Setup(32, True, False, 0, True)), Inputs()
    control_state.ruling_a, control_state.rcd_test, inputs.current_ma = 16, "passed", 16000
    for name, value in told.items():
        if name == "state":
            control_state.set_state(value)
        else:
            setattr(inputs if name == "current_ma" else control_state, name, value)
    assert sequence.event(phase, elapsed_ms, inputs, control_state) == happened
