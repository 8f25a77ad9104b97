"""Is the contactor closed in one phase alone, and does every road lead there and back?"""

import pytest

from firmware.charging import sequence


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
    with pytest.raises(sequence.UnknownEvent, match="phase idle knows no event settled"):
        sequence.follow("idle", "settled")


def test_every_event_that_can_happen_is_in_the_table():
    for phase in sequence.DRIVES:
        for elapsed_ms in (0, 299, 300, 5999, 6000):
            for state in (None, "A1", "A2", "B1", "B2", "C1", "C2", "D2", "E", "F"):
                for fault in ((), ("diode",)):
                    for offered_a in (0, 16):
                        for current_ma in (0, 16000):
                            happened = sequence.event(phase, elapsed_ms, state, fault, offered_a, current_ma)
                            if happened:
                                sequence.follow(phase, happened)


@pytest.mark.parametrize("state", [None, "A2", "B2", "E", "F"])
def test_anything_but_c_or_d_opens_a_closed_contactor_in_the_same_step(state):
    happened = sequence.event("charging", 10000, state, (), 16, 16000)
    assert sequence.DRIVES[sequence.follow("charging", happened)][1] is False


def test_a_polite_stop_waits_six_seconds_for_the_vehicle_and_then_opens():
    assert sequence.event("charging", 60000, "C2", (), 0, 16000) == "withdrawn"
    assert sequence.event("stopping", 5999, "C1", (), 0, 16000) is None
    assert sequence.event("stopping", 6000, "C1", (), 0, 16000) == "expired"
    assert sequence.event("stopping", 100, "C1", (), 0, 900) == "idling"
