"""Does the unit change networks exactly when it should, and not more often?"""

import pytest

from modem.budget import DAY_S
from modem.network_history import (
    ANSWERED,
    DWELL_S,
    POOR_CSQ,
    SWITCHES_A_DAY,
    NetworkHistory,
    VisibleNetwork,
)
from modem.roaming import AUTOMATIC, BETTER_BY_CSQ, STAY, SURVEY, SWITCH, TRIAL_SAMPLES, Seen, decide
from modem.signal import NO_READING
from tests.modem.networks_here import ABROAD, EE, O2, VODAFONE, fail_the_proof, sample


def seen(now_s, plmn=VODAFONE, locked=False, proven=True, busy=False):
    return Seen(now_s, plmn, locked, proven, busy)


def weak():
    """Return (known, now_s) with working data and a signal of 12 for half an hour."""
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
    known.switched(now_s, O2)
    now_s = fail_the_proof(known, O2, now_s)
    decision = decide(known, seen(now_s, plmn=O2, proven=False))
    assert decision == (STAY, O2, "two networks fail, so the broker is suspect")
    assert not known.is_failing(now_s, VODAFONE)  # the networks are not at fault


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
    assert decide(known, seen(now_s)) == (STAY, VODAFONE, "23415 is poor, and none is better")


@pytest.mark.parametrize("here, there, do", [(15, 18, SWITCH), (16, 18, STAY), (14, 17, STAY), (16, 19, SWITCH)])
def test_clearly_better_is_three_more_and_strong(here, there, do):
    known = NetworkHistory()
    known.proved(0, VODAFONE)
    now_s = sample(known, [here])
    for _ in range(3):
        known.data_failed(now_s)
    known.surveyed(now_s, [VisibleNetwork(O2, there)])
    known.networks.clear()
    assert decide(known, seen(now_s)).do == do


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
        known.switched(now_s, O2)
    known.surveyed(now_s, [VisibleNetwork(O2, 25)])
    assert decide(known, seen(now_s + DWELL_S)).do == STAY
    assert known.may_switch(now_s + DAY_S)


def test_half_an_hour_of_dwell_after_a_switch():
    known, now_s = weak()
    known.switched(now_s - 1, VODAFONE)
    now_s = sample(known, [12] * 16, now_s)
    known.surveyed(now_s, [VisibleNetwork(O2, 25)])
    switched_s = known.switches[-1]
    assert decide(known, seen(switched_s + DWELL_S - 1)).why == "switched less than half an hour ago"
    assert decide(known, seen(switched_s + DWELL_S)).do == SWITCH


def test_a_network_that_fails_is_left_before_it_has_settled():
    known = NetworkHistory()
    known.switched(990, VODAFONE)
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
    assert decide(NetworkHistory(), seen(0, plmn=None, proven=False)) == (STAY, None, "no network: recovery acts")


def test_every_decision_says_why():
    known, now_s = weak()
    for locked in (False, True):
        for busy in (False, True):
            assert decide(known, seen(now_s, locked=locked, busy=busy)).why


# Trials: the scans of LTE families report no signal


def unmeasured(*plmns):
    return [VisibleNetwork(plmn, NO_READING) for plmn in plmns]


def on_trial(home_csq=9, trial_csq=20, samples=TRIAL_SAMPLES, proven=True):
    """Return (known, now_s) after the unit has left VODAFONE to try O2, and has sampled O2."""
    known = NetworkHistory()
    known.proved(0, VODAFONE)
    now_s = sample(known, [home_csq] * 30)
    known.surveyed(now_s, unmeasured(VODAFONE, O2, EE))
    known.switched(now_s, O2)
    if proven:
        known.proved(now_s, O2)
    return known, sample(known, [trial_csq] * samples, now_s, O2)


def test_a_weak_network_is_left_for_one_that_no_scan_measures():
    known, now_s = weak()
    known.surveyed(now_s, unmeasured(VODAFONE, O2))
    assert decide(known, seen(now_s)) == (SWITCH, O2, "23415 is poor; 23410 is not measured")


def test_a_session_that_uses_the_link_is_not_disturbed_for_a_trial():
    known, now_s = weak()
    known.surveyed(now_s, unmeasured(VODAFONE, O2))
    assert decide(known, seen(now_s, busy=True)).do == STAY


def test_a_network_on_trial_is_measured_first():
    known, now_s = on_trial(trial_csq=2, samples=TRIAL_SAMPLES - 1)
    assert decide(known, seen(now_s, plmn=O2)).do == STAY
    known, now_s = on_trial(trial_csq=2, samples=0)
    assert decide(known, seen(now_s, plmn=O2)).do == STAY  # readings of the previous network do not count


def test_a_network_on_trial_that_is_better_and_not_weak_is_kept():
    known, now_s = on_trial(9, 15)
    assert decide(known, seen(now_s, plmn=O2)) == (STAY, O2, "good enough")


def test_one_that_is_better_and_still_weak_is_left_for_the_next_one_alone():
    known, now_s = on_trial(6, 12)
    assert decide(known, seen(now_s, plmn=O2)) == (SWITCH, EE, "23410 was tried and is weak too")
    known.switched(now_s, EE)
    known.proved(now_s, EE)
    worse_s = sample(known, [10] * TRIAL_SAMPLES, now_s, EE)
    decision = decide(known, seen(worse_s, plmn=EE))
    assert decision == (SWITCH, O2, "23430 was tried and is not better than 23410"), "not to where it was weakest"


def test_the_best_of_weak_ones_is_kept_after_the_last_trial():
    known, now_s = on_trial(6, 12)
    known.switches = [now_s - 3, now_s - 2, now_s - 1]
    assert decide(known, seen(now_s, plmn=O2)).do == STAY


@pytest.mark.parametrize("csq", [4, 9, 11])
def test_a_network_on_trial_that_is_no_better_is_left_for_the_next_one(csq):
    known, now_s = on_trial(9, csq)
    assert decide(known, seen(now_s, plmn=O2)) == (SWITCH, EE, "23410 was tried and is not better than 23415")


def test_after_the_last_trial_the_unit_returns():
    known, now_s = on_trial(9, 11)
    known.switched(now_s, EE)
    known.proved(now_s, EE)
    now_s = sample(known, [10] * TRIAL_SAMPLES, now_s, EE)
    assert decide(known, seen(now_s, plmn=EE)) == (SWITCH, VODAFONE, "23430 was tried and is not better than 23415")
    known.switched(now_s, VODAFONE)
    now_s = sample(known, [9] * 40, now_s)
    assert decide(known, seen(now_s)).do != SWITCH  # each has been measured now


def test_the_return_needs_no_budget():
    known, now_s = on_trial(9, 11)
    known.switches = [now_s - 3, now_s - 2, now_s - 1]
    assert not known.may_switch(now_s)
    assert decide(known, seen(now_s, plmn=O2))[:2] == (SWITCH, VODAFONE)


def test_a_session_that_has_begun_ends_the_trials():
    known, now_s = on_trial(9, 8)
    assert decide(known, seen(now_s, plmn=O2, busy=True))[:2] == (SWITCH, VODAFONE)


def test_a_network_on_trial_without_data_is_left_at_once():
    known, now_s = on_trial(9, 25, samples=1, proven=False)
    now_s = fail_the_proof(known, O2, now_s)
    decision = decide(known, seen(now_s, plmn=O2, proven=False))
    assert decision == (SWITCH, VODAFONE, "23410 was tried and passes no data")


def test_a_network_on_trial_without_a_reading_is_left():
    known, now_s = on_trial(9, NO_READING, samples=6)
    assert decide(known, seen(now_s, plmn=O2)).do == SWITCH


def test_a_modem_that_went_back_by_itself_is_left_alone():
    known, now_s = on_trial(9, 2, samples=1)
    now_s = sample(known, [9] * TRIAL_SAMPLES, now_s)
    assert decide(known, seen(now_s)).do == STAY


def test_a_trial_abroad_pays_for_its_roaming_charges():
    known = NetworkHistory()
    known.proved(0, VODAFONE)
    now_s = sample(known, [9] * 30)
    known.surveyed(now_s, unmeasured(VODAFONE, ABROAD))
    known.switched(now_s, ABROAD)
    known.proved(now_s, ABROAD)
    now_s = sample(known, [14] * TRIAL_SAMPLES, now_s, ABROAD)
    assert decide(known, seen(now_s, plmn=ABROAD))[:2] == (SWITCH, VODAFONE)


def test_what_was_measured_is_tried_again_a_day_later():
    known, now_s = on_trial(9, 8)
    known.switched(now_s, VODAFONE)
    known.surveyed(now_s + DAY_S - 1, unmeasured(VODAFONE, O2))
    assert known.best_other(now_s + DAY_S - 1, VODAFONE, True) is None
    known.surveyed(now_s + DAY_S, unmeasured(VODAFONE, O2))
    assert known.best_other(now_s + DAY_S, VODAFONE, True) == VisibleNetwork(O2, NO_READING)


def live(air, minutes, dead=()):
    """Simulate a unit whose family's scans report no signal, on networks of these CSQ. Return (PLMN, minutes there) in
    order."""
    known, plmn, stays = NetworkHistory(), VODAFONE, [[VODAFONE, 0]]
    now_s = 0
    for _ in range(minutes):
        now_s += 60
        known.sampled(now_s, plmn, air[plmn])
        if plmn in dead:
            known.failed(now_s, plmn, "timed out")
        else:
            known.proved(now_s, plmn)
        decision = decide(known, seen(now_s, plmn, locked=True, proven=plmn not in dead))
        if decision.do == SURVEY:
            known.surveyed(now_s, unmeasured(*air))
            decision = decide(known, seen(now_s, plmn, locked=True, proven=plmn not in dead))
        if decision.do == SWITCH:
            known.switched(now_s, decision.plmn)
            plmn = decision.plmn
            stays.append([plmn, 0])
        stays[-1][1] += 1
    return stays


@pytest.mark.parametrize(
    "home, o2, ee", [(home, o2, ee) for home in (3, 9, 14) for o2 in (0, 10, 14, 22) for ee in (2, 13, 20)]
)
def test_a_unit_comes_to_rest_on_what_is_best_within_its_budget(home, o2, ee):
    air = {VODAFONE: home, O2: o2, EE: ee}
    days = 3
    stays = live(air, days * 24 * 60)
    assert len(stays) - 1 <= days * (SWITCHES_A_DAY + 1)
    worse = sum([minutes for plmn, minutes in stays if air[plmn] < home])
    assert worse <= days * SWITCHES_A_DAY * (TRIAL_SAMPLES + 1)
    final = air[stays[-1][0]]
    assert final >= home and (final > POOR_CSQ or final >= max(air.values()) - BETTER_BY_CSQ)


def test_networks_without_data_cost_a_trial_no_more_than_minutes():
    stays = live({VODAFONE: 9, O2: 28, EE: 20}, 24 * 60, dead=(O2,))
    assert stays[-1][0] == EE
    assert all([minutes <= 3 for plmn, minutes in stays if plmn == O2])
