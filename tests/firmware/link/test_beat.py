"""Is a heartbeat due at its interval, and at once when something changed?"""

from firmware.link.beat import Beat
from tests.firmware.link.stand_ins import Report


def report(state="A1", mode="smart", faults=(), contactor=False):
    return Report(state=state, mode=mode, faults=faults, contactor=contactor)


def told(now_ms, said):
    beat = Beat(300, 60)
    beat.told(now_ms, said)
    return beat


def test_the_first_is_due_at_once():
    assert Beat(300, 60).due(0, report())


def test_idle_every_300_s_and_charging_every_60_s():
    beat = told(1000, report())
    assert not beat.due(300999, report())
    assert beat.due(301000, report())
    beat = told(1000, report("C2", contactor=True))
    assert not beat.due(60999, report("C2", contactor=True))
    assert beat.due(61000, report("C2", contactor=True))


def test_at_once_on_a_change_of_state_fault_or_mode():
    beat = told(0, report())
    assert beat.due(1, report("B1"))
    assert beat.due(1, report(faults=("diode",)))
    assert beat.due(1, report(mode="standalone"))
    assert not beat.due(1, report(mode="link_lost"))
