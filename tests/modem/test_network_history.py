"""Does the history classify networks correctly: good, failing, poor, and for how long?"""

import json

import pytest

from modem import network_history
from modem.budget import DAY_S, HOUR_S
from modem.network_history import ANSWERED, NetworkHistory, VisibleNetwork
from tests.modem.networks_here import EE, O2, VODAFONE, fail_the_proof, sample


def test_a_network_is_proved_by_a_connack_only():
    known = NetworkHistory()
    assert known.good is None
    known.sampled(1, VODAFONE, 31)
    assert known.good is None
    known.proved(2, VODAFONE)
    assert known.good == VODAFONE


def test_good_data_at_9_beat_bad_data_at_20():
    known = NetworkHistory()
    known.proved(0, O2)
    now_s = fail_the_proof(known, EE)
    known.networks[EE][3] = 0  # the quarantine has ended, but the record remains
    assert known.score(VisibleNetwork(O2, 9), VODAFONE) > known.score(VisibleNetwork(EE, 20), VODAFONE) - 10
    known.surveyed(now_s, [VisibleNetwork(O2, 9), VisibleNetwork(EE, 18)])
    assert known.best_other(now_s, VODAFONE).plmn == O2


def test_the_quarantine_grows_from_1_to_4_to_24_hours():
    known = NetworkHistory()
    now_s = 0
    for hours in (1, 4, 24, 24):
        now_s = fail_the_proof(known, now_s=now_s + DAY_S)
        assert known.is_failing(now_s + hours * HOUR_S - 1, VODAFONE)
        assert not known.is_failing(now_s + hours * HOUR_S, VODAFONE)


@pytest.mark.parametrize("cause", [103, 106, 107, 111, 113, 149])
def test_a_refusal_for_good_counts_for_a_day_at_once(cause):
    known = NetworkHistory()
    known.failed(1000, VODAFONE, cause)
    assert known.is_failing(1000 + DAY_S - 1, VODAFONE)
    assert known.networks[VODAFONE][4] == cause


def test_a_proof_ends_the_quarantine():
    known = NetworkHistory()
    now_s = fail_the_proof(known)
    known.proved(now_s + 1, VODAFONE)
    assert not known.is_failing(now_s + 1, VODAFONE)


def test_the_suspicion_ends_after_an_hour_and_with_a_proof():
    known = NetworkHistory()
    now_s = fail_the_proof(known, O2, fail_the_proof(known, VODAFONE))
    assert known.broker_suspect(now_s)
    assert not known.broker_suspect(now_s + HOUR_S)
    known.proved(now_s, O2)
    assert not known.broker_suspect(now_s)


def test_four_missing_readings_mean_nothing_and_five_do():
    known = NetworkHistory()
    now_s = sample(known, [20] + [99] * 4 + [20] + [99] * 4)
    assert not known.is_poor(now_s + DAY_S)
    now_s = sample(known, [99] * 12, now_s)
    assert known.is_poor(now_s + network_history.POOR_S)


def test_five_missing_readings_are_the_weakest_signal_also_of_a_unit_that_has_just_started():
    known = NetworkHistory()
    now_s = sample(known, [99] * (network_history.NO_READINGS - 1))
    assert not known.is_weak()
    now_s = sample(known, [99], now_s)
    assert known.is_weak() and known.current_score(VODAFONE) == 0
    sample(known, [20] + [99] * (network_history.NO_READINGS - 1), now_s)
    assert known.current_score(VODAFONE) == 0 + network_history.SMOOTHING * 20, "they count from the last reading"


def test_connections_that_broke_over_one_network_say_nothing_of_the_next():
    known = NetworkHistory()
    known.sampled(0, VODAFONE, 20)
    for now_s in (1, 2, 3):
        known.data_failed(now_s)
    assert known.is_poor(3)
    known.sampled(4, O2, 20)
    assert not known.is_poor(4)


def test_three_broken_connections_in_half_an_hour_make_a_network_poor():
    known = NetworkHistory()
    for now_s in (0, 1000, 1700):
        assert not known.is_poor(now_s)
        known.data_failed(now_s)
    assert known.is_poor(1700)
    assert not known.is_poor(1801 + 1000)


def test_each_unit_is_poor_at_its_own_time():
    early, late = NetworkHistory(), NetworkHistory(jitter_s=120)
    now_s = sample(early, [10] * 16)
    sample(late, [10] * 16)
    assert early.is_poor(now_s)
    assert not late.is_poor(now_s)
    assert late.is_poor(now_s + 120)


def test_scans_are_an_hour_apart_and_four_a_day():
    known = NetworkHistory()
    scans = 0
    for now_s in range(0, DAY_S, 600):
        if known.may_scan(now_s):
            known.surveyed(now_s, [])
            scans += 1
    assert scans == 4
    assert known.may_scan(DAY_S)


def test_the_hour_is_counted_from_the_last_scan():
    known = NetworkHistory()
    for now_s in (0, HOUR_S):
        known.surveyed(now_s, [])
    assert not known.may_scan(2 * HOUR_S - 1) and known.may_scan(2 * HOUR_S)


def test_what_failed_as_often_as_it_worked_has_half_of_the_bonus():
    known = NetworkHistory()
    now_s = fail_the_proof(known, O2)
    known.proved(now_s, O2)
    assert known.score(VisibleNetwork(O2, 9), O2) == 9 + network_history.GOOD_DATA_CSQ / 2


def test_budgets_and_quarantine_survive_a_restart():
    known = NetworkHistory()
    now_s = fail_the_proof(known)
    known.surveyed(now_s, [VisibleNetwork(O2, 20)])
    known.switched(now_s, O2)
    again = NetworkHistory(json.loads(json.dumps(known.to_store())))
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
    known = NetworkHistory(stored)
    assert (known.scans, known.switches, known.networks) == ([], [], {})


def test_what_is_kept_is_bounded():
    known = NetworkHistory()
    known.proved(0, VODAFONE)
    for number in range(100):
        known.refused(number, "%05d" % number, 30)
    assert len(known.networks) == network_history.NETWORKS_KEPT
    assert VODAFONE in known.networks


def test_weakness_that_lasts_a_quarter_of_an_hour_is_poor_to_the_second():
    known = NetworkHistory()
    known.sampled(0, VODAFONE, network_history.POOR_CSQ)
    assert not known.is_poor(network_history.POOR_S - 1)
    assert known.is_poor(network_history.POOR_S)


def test_without_a_reading_the_serving_network_is_rated_as_the_weakest():
    assert NetworkHistory().current_score(VODAFONE) == 0


@pytest.mark.parametrize("csq, weak", [(network_history.POOR_CSQ, True), (network_history.POOR_CSQ + 1, False)])
def test_weak_is_14_or_less(csq, weak):
    known = NetworkHistory()
    assert not known.is_weak()
    sample(known, [csq])
    assert known.is_weak() is weak


def test_a_failure_before_a_switch_does_not_count_against_the_next_network():
    known = NetworkHistory()
    known.failed(1000, VODAFONE, "timed out")
    known.switched(1010, O2)
    assert not known.is_in_doubt()
    known.failed(1000 + network_history.PROOF_S, O2, "timed out")
    assert not known.is_failing(1000 + network_history.PROOF_S, O2)


def test_two_failures_within_three_quarters_of_a_minute_are_bad_luck():
    known = NetworkHistory()
    known.failed(1000, VODAFONE, "data")
    known.failed(1000 + network_history.PROOF_S - 1, VODAFONE, "data")
    assert known.is_in_doubt()
    assert not known.is_failing(1044, VODAFONE)
    known.failed(1000 + network_history.PROOF_S, VODAFONE, "data")
    assert known.is_failing(1045, VODAFONE)
    assert not known.is_in_doubt()


def test_a_network_that_carried_an_answer_has_three_minutes():
    known = NetworkHistory()
    for now_s in (1000, 1100, 1000 + network_history.ANSWERED_PROOF_S - 1):
        known.failed(now_s, VODAFONE, ANSWERED)
        assert not known.is_failing(now_s, VODAFONE)
    known.failed(1000 + network_history.ANSWERED_PROOF_S, VODAFONE, ANSWERED)
    assert known.is_failing(1180, VODAFONE)
