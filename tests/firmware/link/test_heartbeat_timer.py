"""Is a heartbeat due at its interval, and at once when something changed?"""

from firmware.link.heartbeat_timer import HeartbeatTimer
from tests.firmware.link.stand_ins import Report


def report(state="A1", mode="smart", faults=(), contactor=False):
    return Report(state=state, mode=mode, faults=faults, contactor=contactor)


def told(now_ms, said):
    timer = HeartbeatTimer(300, 60)
    timer.told(now_ms, said)
    return timer


def test_the_first_is_due_at_once():
    assert HeartbeatTimer(300, 60).due(0, report())


def test_idle_every_300_s_and_charging_every_60_s():
    timer = told(1000, report())
    assert not timer.due(300999, report())
    assert timer.due(301000, report())
    timer = told(1000, report("C2", contactor=True))
    assert not timer.due(60999, report("C2", contactor=True))
    assert timer.due(61000, report("C2", contactor=True))


def test_at_once_on_a_change_of_state_fault_or_mode():
    timer = told(0, report())
    assert timer.due(1, report("B1"))
    assert timer.due(1, report(faults=("diode",)))
    assert timer.due(1, report(mode="standalone"))
    assert not timer.due(1, report(mode="link_lost"))
