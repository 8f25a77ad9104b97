"""Does the unit move exactly when it should, and never more often?"""

import pytest

from modem.budget import DAY_S
from modem.network_history import ANSWERED, DWELL_S, NetworkHistory, VisibleNetwork
from modem.roaming import AUTOMATIC, STAY, SURVEY, SWITCH, Seen, decide
from tests.modem.networks_here import ABROAD, EE, O2, VODAFONE, fail_the_proof, sample


def seen(now_s, plmn=VODAFONE, locked=False, proven=True, busy=False):
    return Seen(now_s, plmn, locked, proven, busy)


def weak():
    """(known, now_s): data pass, and the signal has been 12 for half an hour."""
    known = NetworkHistory()
    known.proved(0, VODAFONE)
    return known, sample(known, [12] * 30)


# Data first


def test_a_network_that_works_is_never_left():
    known = NetworkHistory()
    now_s = sample(known, [20] * 60)
    known.surveyed(now_s, [VisibleNetwork(O2, 31)])
    assert decide(known, seen(now_s)) == (STAY, VODAFONE, "good enough")


def test_one_failure_of_the_proof_is_bad_luck():
    known = NetworkHistory()
    known.failed(1000, VODAFONE, "timed out")
    assert decide(known, seen(1000, proven=False)).do == STAY


def test_failures_that_were_answered_are_a_broker_that_restarts():
    known = NetworkHistory()
    known.failed(1000, VODAFONE, ANSWERED)
    known.failed(1100, VODAFONE, ANSWERED)
    assert decide(known, seen(1100, proven=False)).do == STAY


def test_a_network_without_data_is_surveyed_and_left():
    known = NetworkHistory()
    now_s = fail_the_proof(known)
    assert decide(known, seen(now_s, proven=False)) == (SURVEY, VODAFONE, "23415 passes no data, so look for another")
    known.surveyed(now_s, [VisibleNetwork(VODAFONE, 28), VisibleNetwork(O2, 9), VisibleNetwork(EE, 7)])
    assert decide(known, seen(now_s, proven=False)) == (SWITCH, O2, "23415 passes no data; 23410 has CSQ 9")


def test_a_session_does_not_keep_the_unit_on_a_network_without_data():
    known = NetworkHistory()
    now_s = fail_the_proof(known)
    assert decide(known, seen(now_s, proven=False, busy=True)).do == SURVEY


# Quarantine


def test_a_quarantined_network_is_no_candidate():
    known = NetworkHistory()
    known.refused(900, O2, 111)
    now_s = fail_the_proof(known)
    known.surveyed(now_s, [VisibleNetwork(O2, 30), VisibleNetwork(EE, 5)])
    assert decide(known, seen(now_s, proven=False)).plmn == EE


# The broker


def test_two_networks_that_fail_make_the_broker_suspect():
    known = NetworkHistory()
    now_s = fail_the_proof(known, VODAFONE)
    known.surveyed(now_s, [VisibleNetwork(O2, 20), VisibleNetwork(EE, 20)])
    known.switched(now_s)
    now_s = fail_the_proof(known, O2, now_s)
    decision = decide(known, seen(now_s, plmn=O2, proven=False))
    assert decision == (STAY, O2, "two networks fail, so the broker is suspect")
    assert not known.is_failing(now_s, VODAFONE)  # they are not to blame


def test_a_lock_is_taken_back_when_the_broker_is_suspect():
    known = NetworkHistory()
    now_s = fail_the_proof(known, O2, fail_the_proof(known, VODAFONE))
    assert decide(known, seen(now_s, plmn=O2, locked=True, proven=False)).do == AUTOMATIC


# Signal


def test_a_weak_network_is_left_for_a_clearly_better_one():
    known, now_s = weak()
    assert decide(known, seen(now_s)).do == SURVEY
    known.surveyed(now_s, [VisibleNetwork(VODAFONE, 12), VisibleNetwork(O2, 22)])
    assert decide(known, seen(now_s)) == (SWITCH, O2, "23415 is poor; 23410 has CSQ 22")


@pytest.mark.parametrize("csq", [13, 15, 17])
def test_a_weak_network_is_not_left_for_a_little_more(csq):
    known, now_s = weak()
    known.surveyed(now_s, [VisibleNetwork(O2, csq)])
    assert decide(known, seen(now_s)) == (STAY, VODAFONE, "23415 is poor, and nothing better is heard")


def test_only_14_in_the_air_means_stay():
    known = NetworkHistory()
    known.proved(0, VODAFONE)
    now_s = sample(known, [14] * 30)
    known.surveyed(now_s, [VisibleNetwork(VODAFONE, 14), VisibleNetwork(O2, 14), VisibleNetwork(EE, 14)])
    assert decide(known, seen(now_s)).do == STAY


def test_a_quarter_of_an_hour_of_weakness_is_not_yet_poor():
    known = NetworkHistory()
    sample(known, [20] * 10)
    known = NetworkHistory()
    now_s = sample(known, [10] * 15)
    assert decide(known, seen(now_s)).do == STAY
    assert decide(known, seen(sample(known, [10], now_s))).do == SURVEY


def test_a_signal_that_flaps_between_13_and_16_starts_nothing():
    known = NetworkHistory()
    now_s = 0
    for _ in range(24 * 60 // 4):
        now_s = sample(known, [13, 16, 13, 16], now_s)
        assert decide(known, seen(now_s)).do == STAY


def test_a_session_that_uses_the_link_is_not_disturbed_for_signal():
    known, now_s = weak()
    assert decide(known, seen(now_s, busy=True)) == (STAY, VODAFONE, "poor, but a session uses the link")


def test_a_network_abroad_must_be_much_better():
    known, now_s = weak()
    known.surveyed(now_s, [VisibleNetwork(ABROAD, 26), VisibleNetwork(O2, 22)])
    assert decide(known, seen(now_s)).plmn == O2


# Budgets


def test_three_switches_a_day():
    known, now_s = weak()
    for _ in range(3):
        assert known.may_switch(now_s)
        known.switched(now_s)
    known.surveyed(now_s, [VisibleNetwork(O2, 25)])
    assert decide(known, seen(now_s + DWELL_S)).do == STAY
    assert known.may_switch(now_s + DAY_S)


def test_half_an_hour_of_dwell_after_a_switch():
    known, now_s = weak()
    known.surveyed(now_s, [VisibleNetwork(O2, 25)])
    known.switched(now_s)
    assert decide(known, seen(now_s + DWELL_S - 1)).why == "switched less than half an hour ago"
    assert decide(known, seen(now_s + DWELL_S)).do == SWITCH


def test_a_network_that_fails_is_left_before_it_has_settled():
    known = NetworkHistory()
    known.switched(990)
    now_s = fail_the_proof(known)
    known.surveyed(now_s, [VisibleNetwork(O2, 20)])
    assert decide(known, seen(now_s, proven=False)).do == SWITCH


# Locks


def test_a_lock_on_a_dead_network_is_taken_back_when_there_is_nowhere_to_go():
    known = NetworkHistory()
    now_s = fail_the_proof(known)
    known.surveyed(now_s, [VisibleNetwork(VODAFONE, 20)])
    assert decide(known, seen(now_s, locked=True, proven=False)).do == AUTOMATIC


def test_without_a_network_there_is_nothing_to_decide():
    assert decide(NetworkHistory(), seen(0, plmn=None, proven=False)).do == STAY


def test_every_decision_says_why():
    known, now_s = weak()
    for locked in (False, True):
        for busy in (False, True):
            assert decide(known, seen(now_s, locked=locked, busy=busy)).why
