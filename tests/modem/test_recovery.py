"""Is every remedy tried in order, at its time, and within its budget?"""

import json

import pytest

from modem.budget import DAY_S, HOUR_S
from modem.recovery import Trouble, decide
from modem.recovery_ladder import (
    CONFIGURE,
    CURED_S,
    LOOK_FOR_FORBIDDEN,
    RADIO_CYCLE,
    REATTACH,
    RESHUT,
    RESTART,
    SUPPLY_CUT,
    WAIT,
    RecoveryLadder,
)


def trouble(now_s, answers=True, booted=False, registered=True, denied=False):
    return Trouble(now_s, answers, booted, registered, denied, "timed out")


def climb(until_s, step_s=10, ladder=None, **what):
    """Return what is tried, and when, if nothing helps."""
    ladder = ladder or RecoveryLadder()
    tried = []
    for now_s in range(0, until_s, step_s):
        ladder.lost(now_s)
        remedy = decide(ladder, trouble(now_s, **what))
        ladder.tried(now_s, remedy.do)
        if remedy.do != WAIT:
            tried.append((now_s, remedy.do))
    return tried


def test_the_ladder_is_climbed_rung_by_rung():
    assert climb(1810) == [
        (60, RESHUT),
        (300, REATTACH),
        (600, RADIO_CYCLE),
        (1200, RESTART),
        (1800, SUPPLY_CUT),
    ]


def test_beyond_the_top_the_supply_is_cut_ever_more_rarely_and_for_ever():
    cuts = [at_s for at_s, do in climb(3 * DAY_S, 60) if do == SUPPLY_CUT]
    hours = [(later - earlier) // HOUR_S for earlier, later in zip(cuts, cuts[1:])]
    assert hours[:5] == [1, 2, 4, 6, 6]
    assert set(hours[3:]) == {6}


def test_nothing_restarts_the_modem_in_its_first_three_minutes():
    assert [do for at_s, do in climb(180)] == [RESHUT]


def test_a_hung_modem_loses_its_supply_at_once():
    ladder = RecoveryLadder()
    ladder.lost(5)
    assert decide(ladder, trouble(5, answers=False)) == (SUPPLY_CUT, "the modem does not answer")


def test_a_modem_that_hangs_again_and_again_is_cut_six_times_a_day_then_hourly():
    cuts = climb(DAY_S, 60, answers=False)
    assert [at_s for at_s, _ in cuts[:6]] == [0, 60, 120, 180, 240, 300]
    assert cuts[6][0] - cuts[5][0] == HOUR_S
    assert len(cuts) <= 6 + 24


def test_a_modem_that_restarted_is_configured_and_not_restarted_again():
    ladder = RecoveryLadder()
    ladder.lost(5)
    assert decide(ladder, trouble(5, booted=True)).do == CONFIGURE


def test_after_a_refusal_there_is_one_reset_an_hour():
    ladder = RecoveryLadder()
    tried = climb(6 * HOUR_S, 60, ladder, denied=True)
    resets = [at_s for at_s, do in tried if do in (RADIO_CYCLE, RESTART, SUPPLY_CUT)]
    assert len(resets) > 2
    assert all(later - earlier >= HOUR_S for earlier, later in zip(resets, resets[1:]))


def test_the_ladder_is_left_by_contact_ten_minutes_after_its_last_step():
    ladder = RecoveryLadder()
    climb(700, ladder=ladder)
    ladder.contact(ladder.tried_s + CURED_S)
    assert ladder.rung == 0


def test_a_moment_of_contact_does_not_start_it_afresh_and_is_contact():
    ladder = RecoveryLadder()
    climb(700, ladder=ladder)
    ladder.contact(700)
    ladder.lost(710)
    assert decide(ladder, trouble(710 + 1199)).do == WAIT
    assert decide(ladder, trouble(710 + 1200)).do == RESTART


def test_no_step_is_taken_while_messages_are_acknowledged_however_short_the_connections():
    ladder = RecoveryLadder()
    for now_s in range(0, DAY_S, 300):
        ladder.contact(now_s)
        ladder.lost(now_s + 59)
        assert decide(ladder, trouble(now_s + 59 + 58)).do == WAIT


def test_the_budget_of_resets_survives_a_restart():
    ladder = RecoveryLadder()
    climb(400, 60, ladder, answers=False)
    again = RecoveryLadder(json.loads(json.dumps(ladder.to_store())))
    again.lost(401)
    assert decide(again, trouble(401, answers=False)).do == WAIT


def test_a_unit_that_no_network_takes_asks_its_sim_for_the_forbidden_ones_once_a_day():
    looks = [at_s for at_s, do in climb(3 * DAY_S, 60, registered=False) if do == LOOK_FOR_FORBIDDEN]
    assert looks == [180, 180 + DAY_S, 180 + 2 * DAY_S]


def test_a_unit_with_a_network_does_not_ask():
    assert LOOK_FOR_FORBIDDEN not in [do for _, do in climb(DAY_S, 60)]


def test_the_forbidden_list_is_cleared_once_a_week_and_that_counts_as_a_reset():
    ladder = RecoveryLadder()
    ladder.lost(0)
    ladder.cleared(200)
    again = RecoveryLadder(json.loads(json.dumps(ladder.to_store())))
    assert again.resets == [200]
    looks = [at_s for at_s, do in climb(9 * DAY_S, 600, again, registered=False) if do == LOOK_FOR_FORBIDDEN]
    assert looks[0] >= 7 * DAY_S


@pytest.mark.parametrize(
    "do, rung", [(RESHUT, 1), (REATTACH, 2), (RADIO_CYCLE, 3), (RESTART, 4), (SUPPLY_CUT, 5), (WAIT, 0), (CONFIGURE, 0)]
)
def test_a_step_includes_those_below_it(do, rung):
    ladder = RecoveryLadder()
    ladder.tried(7, do)
    assert (ladder.rung, ladder.tried_s) == (rung, 7 if rung else None)
    ladder.tried(8, SUPPLY_CUT)
    assert ladder.rung == (5 if rung < 5 else 6)


@pytest.mark.parametrize(
    "stored, due_s", [({"looks": [0, 5000]}, 5000 + DAY_S), ({"clears": [0, 5000]}, 5000 + 7 * DAY_S)]
)
def test_the_last_one_that_is_stored_counts(stored, due_s):
    ladder = RecoveryLadder(stored)
    ladder.lost(5000)
    for now_s, do in ((due_s - 1, SUPPLY_CUT), (due_s, LOOK_FOR_FORBIDDEN)):
        ladder.rung = 4
        assert decide(ladder, trouble(now_s, registered=False)).do == do


@pytest.mark.parametrize("stored", [None, [], 5, {"resets": "x"}, {"resets": [None, "a"]}])
def test_a_damaged_store_is_an_empty_one(stored):
    assert RecoveryLadder(stored).resets == []


def test_every_remedy_says_why():
    ladder = RecoveryLadder()
    ladder.lost(0)
    assert decide(ladder, trouble(301)).why == "5 min without contact: timed out"
