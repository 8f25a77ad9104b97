"""Does the unit move exactly when it should, and never more often?"""

import json

import pytest

from modem import roaming
from modem.roaming import AUTOMATIC, DAY_S, HOUR_S, STAY, SURVEY, SWITCH, Heard, Knowledge, Seen, decide

VODAFONE, O2, EE, ABROAD = "23415", "23410", "23430", "27201"
MINUTE_S = 60


def seen(now_s, plmn=VODAFONE, locked=False, proven=True, busy=False):
    return Seen(now_s, plmn, locked, proven, busy)


def sample(known, csqs, now_s=0, plmn=VODAFONE):
    """A sample a minute; returns when the last one was taken."""
    for csq in csqs:
        now_s += MINUTE_S
        known.sampled(now_s, plmn, csq)
    return now_s


def fail_the_proof(known, plmn=VODAFONE, now_s=1000, cause="timed out"):
    """Twice, and long enough; returns when."""
    known.failed(now_s, plmn, cause)
    known.failed(now_s + roaming.PROOF_S, plmn, cause)
    return now_s + roaming.PROOF_S


def weak():
    """(known, now_s): data pass, and the signal has been 12 for half an hour."""
    known = Knowledge()
    known.proved(0, VODAFONE)
    return known, sample(known, [12] * 30)


# Data first


def test_a_network_that_works_is_never_left():
    known = Knowledge()
    now_s = sample(known, [20] * 60)
    known.surveyed(now_s, [Heard(O2, 31)])
    assert decide(known, seen(now_s)) == (STAY, VODAFONE, "good enough")


def test_a_network_is_proved_by_a_connack_only():
    known = Knowledge()
    assert known.good is None
    known.sampled(1, VODAFONE, 31)
    assert known.good is None
    known.proved(2, VODAFONE)
    assert known.good == VODAFONE


def test_one_failure_of_the_proof_is_bad_luck():
    known = Knowledge()
    known.failed(1000, VODAFONE, "timed out")
    assert decide(known, seen(1000, proven=False)).do == STAY


def test_two_failures_in_a_moment_are_a_broker_that_restarts():
    known = Knowledge()
    known.failed(1000, VODAFONE, "refused")
    known.failed(1010, VODAFONE, "refused")
    assert decide(known, seen(1010, proven=False)).do == STAY


def test_a_network_without_data_is_surveyed_and_left():
    known = Knowledge()
    now_s = fail_the_proof(known)
    assert decide(known, seen(now_s, proven=False)) == (SURVEY, VODAFONE, "23415 passes no data, so look for another")
    known.surveyed(now_s, [Heard(VODAFONE, 28), Heard(O2, 9), Heard(EE, 7)])
    assert decide(known, seen(now_s, proven=False)) == (SWITCH, O2, "23415 passes no data; 23410 has CSQ 9")


def test_good_data_at_9_beat_bad_data_at_20():
    known = Knowledge()
    known.proved(0, O2)
    now_s = fail_the_proof(known, EE)
    known.networks[EE][3] = 0  # its quarantine is over, its record is not
    assert known.score(Heard(O2, 9), VODAFONE) > known.score(Heard(EE, 20), VODAFONE) - 10
    known.surveyed(now_s, [Heard(O2, 9), Heard(EE, 18)])
    assert known.best_other(now_s, VODAFONE).plmn == O2


def test_a_session_does_not_keep_the_unit_on_a_network_without_data():
    known = Knowledge()
    now_s = fail_the_proof(known)
    assert decide(known, seen(now_s, proven=False, busy=True)).do == SURVEY


# Quarantine, with causes


def test_the_quarantine_grows_from_1_to_4_to_24_hours():
    known = Knowledge()
    now_s = 0
    for hours in (1, 4, 24, 24):
        now_s = fail_the_proof(known, now_s=now_s + DAY_S)
        assert known.is_failing(now_s + hours * HOUR_S - 1, VODAFONE)
        assert not known.is_failing(now_s + hours * HOUR_S, VODAFONE)


@pytest.mark.parametrize("cause", [103, 106, 107, 111, 113, 149])
def test_a_refusal_for_good_counts_for_a_day_at_once(cause):
    known = Knowledge()
    known.failed(1000, VODAFONE, cause)
    assert known.is_failing(1000 + DAY_S - 1, VODAFONE)
    assert known.networks[VODAFONE][4] == cause


def test_a_proof_ends_the_quarantine():
    known = Knowledge()
    now_s = fail_the_proof(known)
    known.proved(now_s + 1, VODAFONE)
    assert not known.is_failing(now_s + 1, VODAFONE)


def test_a_quarantined_network_is_no_candidate():
    known = Knowledge()
    known.refused(900, O2, 111)
    now_s = fail_the_proof(known)
    known.surveyed(now_s, [Heard(O2, 30), Heard(EE, 5)])
    assert decide(known, seen(now_s, proven=False)).plmn == EE


# The broker


def test_two_networks_that_fail_make_the_broker_suspect():
    known = Knowledge()
    now_s = fail_the_proof(known, VODAFONE)
    known.surveyed(now_s, [Heard(O2, 20), Heard(EE, 20)])
    known.switched(now_s)
    now_s = fail_the_proof(known, O2, now_s)
    decision = decide(known, seen(now_s, plmn=O2, proven=False))
    assert decision == (STAY, O2, "two networks fail, so the broker is suspect")
    assert not known.is_failing(now_s, VODAFONE)  # they are not to blame


def test_a_lock_is_taken_back_when_the_broker_is_suspect():
    known = Knowledge()
    now_s = fail_the_proof(known, O2, fail_the_proof(known, VODAFONE))
    assert decide(known, seen(now_s, plmn=O2, locked=True, proven=False)).do == AUTOMATIC


def test_the_suspicion_ends_after_an_hour_and_with_a_proof():
    known = Knowledge()
    now_s = fail_the_proof(known, O2, fail_the_proof(known, VODAFONE))
    assert known.broker_suspect(now_s)
    assert not known.broker_suspect(now_s + HOUR_S)
    known.proved(now_s, O2)
    assert not known.broker_suspect(now_s)


# Signal


def test_a_weak_network_is_left_for_a_clearly_better_one():
    known, now_s = weak()
    assert decide(known, seen(now_s)).do == SURVEY
    known.surveyed(now_s, [Heard(VODAFONE, 12), Heard(O2, 22)])
    assert decide(known, seen(now_s)) == (SWITCH, O2, "23415 is poor; 23410 has CSQ 22")


@pytest.mark.parametrize("csq", [13, 15, 17])
def test_a_weak_network_is_not_left_for_a_little_more(csq):
    known, now_s = weak()
    known.surveyed(now_s, [Heard(O2, csq)])
    assert decide(known, seen(now_s)) == (STAY, VODAFONE, "23415 is poor, and nothing better is heard")


def test_only_14_in_the_air_means_stay():
    known = Knowledge()
    known.proved(0, VODAFONE)
    now_s = sample(known, [14] * 30)
    known.surveyed(now_s, [Heard(VODAFONE, 14), Heard(O2, 14), Heard(EE, 14)])
    assert decide(known, seen(now_s)).do == STAY


def test_a_quarter_of_an_hour_of_weakness_is_not_yet_poor():
    known = Knowledge()
    sample(known, [20] * 10)
    known = Knowledge()
    now_s = sample(known, [10] * 15)
    assert decide(known, seen(now_s)).do == STAY
    assert decide(known, seen(sample(known, [10], now_s))).do == SURVEY


def test_a_signal_that_flaps_between_13_and_16_starts_nothing():
    known = Knowledge()
    now_s = 0
    for _ in range(24 * 60 // 4):
        now_s = sample(known, [13, 16, 13, 16], now_s)
        assert decide(known, seen(now_s)).do == STAY


def test_four_missing_readings_mean_nothing_and_five_do():
    known = Knowledge()
    now_s = sample(known, [20] + [99] * 4 + [20] + [99] * 4)
    assert not known.is_poor(now_s + DAY_S)
    now_s = sample(known, [99] * 12, now_s)
    assert known.is_poor(now_s + roaming.POOR_S)


def test_three_broken_connections_in_half_an_hour_make_a_network_poor():
    known = Knowledge()
    for now_s in (0, 1000, 1700):
        assert not known.is_poor(now_s)
        known.data_failed(now_s)
    assert known.is_poor(1700)
    assert not known.is_poor(1801 + 1000)


def test_each_unit_is_poor_at_its_own_time():
    early, late = Knowledge(), Knowledge(jitter_s=120)
    now_s = sample(early, [10] * 16)
    sample(late, [10] * 16)
    assert early.is_poor(now_s)
    assert not late.is_poor(now_s)
    assert late.is_poor(now_s + 120)


def test_a_session_that_uses_the_link_is_not_disturbed_for_signal():
    known, now_s = weak()
    assert decide(known, seen(now_s, busy=True)) == (STAY, VODAFONE, "poor, but a session uses the link")


def test_a_network_abroad_must_be_much_better():
    known, now_s = weak()
    known.surveyed(now_s, [Heard(ABROAD, 26), Heard(O2, 22)])
    assert decide(known, seen(now_s)).plmn == O2


# Budgets


def test_scans_are_an_hour_apart_and_four_a_day():
    known = Knowledge()
    scans = 0
    for now_s in range(0, DAY_S, 600):
        if known.may_scan(now_s):
            known.surveyed(now_s, [])
            scans += 1
    assert scans == 4
    assert known.may_scan(DAY_S)


def test_three_switches_a_day():
    known, now_s = weak()
    for _ in range(3):
        assert known.may_switch(now_s)
        known.switched(now_s)
    known.surveyed(now_s, [Heard(O2, 25)])
    assert decide(known, seen(now_s + roaming.DWELL_S)).do == STAY
    assert known.may_switch(now_s + DAY_S)


def test_half_an_hour_of_dwell_after_a_switch():
    known, now_s = weak()
    known.surveyed(now_s, [Heard(O2, 25)])
    known.switched(now_s)
    assert decide(known, seen(now_s + roaming.DWELL_S - 1)).why == "switched less than half an hour ago"
    assert decide(known, seen(now_s + roaming.DWELL_S)).do == SWITCH


def test_a_network_that_fails_is_left_before_it_has_settled():
    known = Knowledge()
    known.switched(990)
    now_s = fail_the_proof(known)
    known.surveyed(now_s, [Heard(O2, 20)])
    assert decide(known, seen(now_s, proven=False)).do == SWITCH


def test_budgets_and_quarantine_survive_a_restart():
    known = Knowledge()
    now_s = fail_the_proof(known)
    known.surveyed(now_s, [Heard(O2, 20)])
    known.switched(now_s)
    again = Knowledge(json.loads(json.dumps(known.to_store())))
    assert not again.may_scan(now_s + 1)
    assert again.switches == [now_s]
    assert again.is_failing(now_s + 1, VODAFONE)


@pytest.mark.parametrize(
    "stored",
    [
        None,
        3,
        [],
        {"networks": 3},
        {"networks": {"23415": [1]}},
        {"networks": {"23415": "abcde"}},
        {"scans": "x", "switches": [None, -1]},
    ],
)
def test_a_damaged_store_is_an_empty_one(stored):
    known = Knowledge(stored)
    assert (known.scans, known.switches, known.networks) == ([], [], {})
    assert decide(known, seen(0)).do == STAY


def test_what_is_kept_is_bounded():
    known = Knowledge()
    known.proved(0, VODAFONE)
    for number in range(100):
        known.refused(number, "%05d" % number, 30)
    assert len(known.networks) == roaming.NETWORKS_KEPT
    assert VODAFONE in known.networks


# Locks


def test_a_lock_on_a_dead_network_is_taken_back_when_there_is_nowhere_to_go():
    known = Knowledge()
    now_s = fail_the_proof(known)
    known.surveyed(now_s, [Heard(VODAFONE, 20)])
    assert decide(known, seen(now_s, locked=True, proven=False)).do == AUTOMATIC


def test_without_a_network_there_is_nothing_to_decide():
    assert decide(Knowledge(), seen(0, plmn=None, proven=False)).do == STAY


def test_every_decision_says_why():
    known, now_s = weak()
    for locked in (False, True):
        for busy in (False, True):
            assert decide(known, seen(now_s, locked=locked, busy=busy)).why
