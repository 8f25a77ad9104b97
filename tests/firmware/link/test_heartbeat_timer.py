"""Is a heartbeat due at its interval, and immediately when something changed?"""

from firmware.charging.limits import InForce, Ruling
from firmware.link.heartbeat_timer import HeartbeatTimer
from tests.firmware.link.stand_ins import Report


def report(state="A1", mode="smart", faults=(), contactor=False):
    return Report(state=state, mode=mode, faults=faults, contactor=contactor)


FREE = InForce(Ruling(32, "installer", "", None), (), 0)


def told(now_ms, said, in_force=FREE):
    timer = HeartbeatTimer(300, 60)
    timer.told(now_ms, said, in_force)
    return timer


def test_the_first_is_due_at_once():
    assert HeartbeatTimer(300, 60).due(0, report(), FREE)


def test_idle_every_300_s_and_charging_every_60_s():
    timer = told(1000, report())
    assert not timer.due(300999, report(), FREE)
    assert timer.due(301000, report(), FREE)
    timer = told(1000, report("C2", contactor=True))
    assert not timer.due(60999, report("C2", contactor=True), FREE)
    assert timer.due(61000, report("C2", contactor=True), FREE)


def test_at_once_on_a_change_of_state_fault_or_mode():
    timer = told(0, report())
    assert timer.due(1, report("B1"), FREE)
    assert timer.due(1, report(faults=("diode",)), FREE)
    assert timer.due(1, report(mode="standalone"), FREE)
    assert not timer.due(1, report(mode="link_lost"), FREE)


def test_at_once_on_a_change_of_what_is_in_force_and_of_its_end():
    timer = told(0, report())
    paused = InForce(Ruling(0, "cloud", "", 1768206000), (), 0)
    assert timer.due(1, report(), paused)
    assert timer.due(1, report(), InForce(FREE.ruling, ("override",), 0))
    assert timer.due(1, report(), InForce(FREE.ruling, (), 100)), "a random delay began"
    timer = told(0, report(), paused)
    assert timer.due(1, report(), InForce(Ruling(0, "cloud", "", 1768209600), (), 0)), "a longer pause"
    assert not timer.due(1, report(), InForce(Ruling(0, "cloud", "of another reason", 1768206000), (), 0))


def test_a_random_delay_that_counts_down_is_told_once():
    timer = told(0, report(), InForce(Ruling(0, "schedule", "100 s left", 1768206100), (), 100))
    assert not timer.due(1, report(), InForce(Ruling(0, "schedule", "99 s left", 1768206101), (), 99))
