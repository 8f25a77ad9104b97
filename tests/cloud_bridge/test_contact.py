"""Are the rules of contact as the dashboard promises?"""

import pytest

from cloud_bridge.contact import (
    ALL,
    FUTURE_MS,
    KEPT_GAPS,
    OUTAGE_AFTER_MS,
    Contact,
    Gap,
    LastContact,
    Listened,
    StoredContact,
    UptimeLedger,
    estimated_ms,
    judge,
    later,
    merged,
    on_clock_of_now,
    outage_ms,
    own_topic,
    proves_listening,
    skipped,
)
from cloud_bridge.durations import DAY_MS, HOUR_MS, MINUTE_MS

T = 1_767_225_600_000


@pytest.mark.parametrize(
    ("silence_ms", "contact"),
    [
        (0, Contact.ONLINE),
        (30 * MINUTE_MS - 1, Contact.ONLINE),
        (30 * MINUTE_MS, Contact.ONLINE),
        (30 * MINUTE_MS + 1, Contact.SILENT),
        (31 * MINUTE_MS, Contact.SILENT),
    ],
)
def test_silent_is_strictly_more_than_thirty_minutes(silence_ms: int, contact: Contact) -> None:
    assert judge(LastContact(T, False, silence_ms), T + silence_ms).contact is contact


def test_a_unit_that_was_never_heard_is_not_silent() -> None:
    assert judge(None, T) == (Contact.NEVER, None, 0)


def test_the_threshold_can_be_set_for_a_unit() -> None:
    assert judge(LastContact(T, False, 5001), T + 5001, silent_after_ms=5000).contact is Contact.SILENT
    assert judge(LastContact(T, False, 5000), T + 5000, silent_after_ms=5000).contact is Contact.ONLINE


def test_our_own_gap_is_not_the_unit_s_silence() -> None:
    verdict = judge(LastContact(T, False, 10 * MINUTE_MS), T + 50 * MINUTE_MS)
    assert verdict == (Contact.UNKNOWN, 10 * MINUTE_MS, 40 * MINUTE_MS)


def test_unknown_becomes_silent_when_we_have_listened_long_enough_in_all() -> None:
    assert judge(LastContact(T, False, 30 * MINUTE_MS), T + 70 * MINUTE_MS).contact is Contact.UNKNOWN
    assert judge(LastContact(T, False, 30 * MINUTE_MS + 1), T + 70 * MINUTE_MS + 1).contact is Contact.SILENT


@pytest.mark.parametrize(
    ("stored", "last"),
    [
        (StoredContact(T - HOUR_MS, 0, T - HOUR_MS), LastContact(T - HOUR_MS, False, 5000)),
        (StoredContact(T - HOUR_MS, 0, T - HOUR_MS + FUTURE_MS), LastContact(T - HOUR_MS, False, 5000)),
        (StoredContact(T - HOUR_MS, 0, T - HOUR_MS + FUTURE_MS + 1), LastContact(T - 5000, True, 5000)),
        (StoredContact(T - 5000 + FUTURE_MS, 0, 0), LastContact(T - 5000, False, 5000)),
        (StoredContact(T - 5000 + FUTURE_MS + 1, 0, 0), LastContact(T - 5000, True, 5000)),
        (StoredContact(T + 400 * DAY_MS, 0, 0), LastContact(T - 5000, True, 5000)),
        (StoredContact(T - 1000, 9000, 0), LastContact(T - 1000, False, 0)),
    ],
    ids=["right", "a little behind", "behind", "a little ahead", "ahead", "of the future", "more than was counted"],
)
def test_a_stamp_is_taken_at_its_word_unless_a_clock_was_wrong(stored: StoredContact, last: LastContact) -> None:
    """At T, after we have listened for 5 s."""
    assert on_clock_of_now(stored, 5000, T) == last


def test_deaf_time_is_cut_to_the_span() -> None:
    assert outage_ms([Gap(0, 10), Gap(20, 30)], 5, 25) == 10


def test_deaf_time_outside_of_the_span_counts_for_nothing() -> None:
    assert outage_ms([Gap(0, 10), Gap(40, 60)], 20, 30) == 0
    assert outage_ms([Gap(0, 20), Gap(25, 26), Gap(30, 60)], 20, 30) == 1


def test_where_nobody_knows_how_long_we_listened_no_silence_is_claimed() -> None:
    assert on_clock_of_now(StoredContact(T - HOUR_MS, 0, 0), None, T) == LastContact(T - HOUR_MS, False, 0)
    assert judge(LastContact(T - HOUR_MS, False, 0), T) == (Contact.UNKNOWN, 0, HOUR_MS)


def test_a_unit_that_was_heard_a_little_ahead_of_our_clock_is_online() -> None:
    assert judge(LastContact(T + 1000, False, 0), T) == (Contact.ONLINE, 0, 0)


@pytest.mark.parametrize(
    ("steps", "gaps"),
    [
        ([], []),
        ([(T, 1000)], [Gap(T - 1000, T)]),
        ([(T, -1000)], []),
        ([(T, 1000), (T - 400, -400)], [Gap(T - 1000, T - 400)]),
        ([(T, 1000), (T - 1000, -1000)], []),
        ([(T, 1000), (T + 500, -400)], [Gap(T - 1000, T)]),
        ([(T, 1000), (T, -400)], [Gap(T - 1000, T)]),
        ([(T, 1000), (T + 9000, 2000)], [Gap(T - 1000, T), Gap(T + 7000, T + 9000)]),
    ],
    ids=["none", "forward", "back", "partly back", "all back", "back later", "back to its end", "twice"],
)
def test_what_our_clock_skips_is_a_gap_until_it_is_taken_back(steps: list[tuple[int, int]], gaps: list[Gap]) -> None:
    assert skipped(steps) == gaps


def test_a_canary_that_waited_long_to_be_stored_does_not_show_that_units_could_reach_us() -> None:
    assert proves_listening(T, T + OUTAGE_AFTER_MS)
    assert not proves_listening(T, T + OUTAGE_AFTER_MS + 1)


def test_gaps_that_touch_or_lie_in_each_other_are_one() -> None:
    assert merged([Gap(10, 20), Gap(0, 10)]) == [Gap(0, 20)]
    assert merged([Gap(0, 30), Gap(5, 10), Gap(31, 40)]) == [Gap(0, 30), Gap(31, 40)]


def test_last_contact_does_not_go_back_between_believable_clocks() -> None:
    assert later(None, 5) == 5
    assert later(7, 5) == 7
    assert later(5, 7) == 7
    assert later(T + FUTURE_MS, T) == T + FUTURE_MS


def test_an_impossible_last_contact_gives_way() -> None:
    assert later(T + FUTURE_MS + 1, T) == T


def test_an_impossible_stamp_is_as_long_before_the_end_of_that_process_as_it_was() -> None:
    assert estimated_ms(T + 20 * MINUTE_MS, T + 25 * MINUTE_MS, T) == T - 5 * MINUTE_MS
    assert estimated_ms(T + 30 * MINUTE_MS, T + 25 * MINUTE_MS, T) == T, "after its last canary"
    assert estimated_ms(T + 30 * MINUTE_MS, None, T) == T


def test_an_estimated_last_contact_shows_a_silence_and_no_contact() -> None:
    limit_ms = 30 * MINUTE_MS
    assert judge(LastContact(T, True, limit_ms), T + limit_ms).contact is Contact.UNKNOWN
    assert judge(LastContact(T, True, limit_ms + 1), T + limit_ms + 1).contact is Contact.SILENT


@pytest.mark.parametrize(
    ("topic", "kind"),
    [
        ("cp/cp-1/heartbeat", "heartbeat"),
        ("cp/cp-1/event", "event"),
        ("cp/cp-1/session", "session"),
        ("cp/cp-1/result", "result"),
        ("cp/cp-1/lwt", None),
        ("cp/cp-1/command", None),
        ("cp/cp-2/heartbeat", None),
        ("cp/cp-1/heartbeat/more", None),
        ("cp/cp-1", None),
        ("heartbeat", None),
        ("", None),
    ],
)
def test_a_unit_speaks_on_its_own_topics_only(topic: str, kind: str | None) -> None:
    assert own_topic("cp-1", topic) == kind


def test_a_ledger_with_canaries_in_time_has_no_gap() -> None:
    ledger = UptimeLedger()
    for at_ms in range(T, T + 10 * MINUTE_MS, 5000):
        ledger.heartbeat_ok(at_ms)
    assert ledger.outages(T + 10 * MINUTE_MS) == []


def test_a_late_canary_leaves_a_gap() -> None:
    ledger = UptimeLedger(last_ok_ms=T)
    ledger.heartbeat_ok(T + OUTAGE_AFTER_MS)
    assert ledger.outages(T + OUTAGE_AFTER_MS) == []
    ledger.heartbeat_ok(T + OUTAGE_AFTER_MS + 20_000)
    assert ledger.outages(T + OUTAGE_AFTER_MS + 20_000) == [Gap(T + OUTAGE_AFTER_MS, T + OUTAGE_AFTER_MS + 20_000)]


def test_a_gap_that_is_still_open_counts() -> None:
    ledger = UptimeLedger(last_ok_ms=T)
    assert ledger.outages(T + MINUTE_MS) == [Gap(T, T + MINUTE_MS)]


def test_the_time_between_two_processes_is_a_gap() -> None:
    ledger = UptimeLedger([Gap(1, 2)], last_ok_ms=T)
    ledger.heartbeat_ok(T + MINUTE_MS)
    assert ledger.outages(T + MINUTE_MS) == [Gap(1, 2), Gap(T, T + MINUTE_MS)]


def test_a_clock_set_back_a_little_makes_no_gap() -> None:
    ledger = UptimeLedger(last_ok_ms=T)
    ledger.heartbeat_ok(T - MINUTE_MS)
    ledger.heartbeat_ok(T + 1000)
    assert ledger.outages(T + 1000) == []


@pytest.mark.parametrize("by_ms", [-400 * DAY_MS, -MINUTE_MS, MINUTE_MS, 400 * DAY_MS])
def test_what_this_process_has_stamped_moves_with_a_step_of_its_clock(by_ms: int) -> None:
    ledger = UptimeLedger(last_ok_ms=T, start_ms=T)
    for at_ms in (T, T + MINUTE_MS, T + MINUTE_MS + 5000):
        ledger.heartbeat_ok(at_ms)
    now_ms = T + MINUTE_MS + 10_000 + by_ms
    ledger.stepped(by_ms)
    assert ledger.outages(now_ms) == [Gap(T + by_ms, T + MINUTE_MS + by_ms)]
    assert ledger.last_ok_ms == now_ms - 5000
    assert ledger.open_outage(now_ms) is None


@pytest.mark.parametrize("by_ms", [-400 * DAY_MS, -MINUTE_MS, MINUTE_MS, 400 * DAY_MS])
def test_a_step_is_no_outage_and_no_time_in_which_we_listened(by_ms: int) -> None:
    ledger = UptimeLedger(last_ok_ms=T, start_ms=T)
    ledger.heartbeat_ok(T)
    ledger.stepped(by_ms)
    now_ms = T + by_ms + 1000
    assert ledger.outages(now_ms) == []
    assert ledger.listened_ms(now_ms) == 1000


def test_we_have_listened_from_canary_to_canary_in_time() -> None:
    ledger = UptimeLedger(last_ok_ms=T, start_ms=T + HOUR_MS, listened_ms=7000)
    now_ms = T + HOUR_MS
    assert ledger.listened_ms(now_ms + 1000) == 7000, "none yet of this process"
    ledger.heartbeat_ok(now_ms + 1000)
    assert ledger.listened_ms(now_ms + 1000) == 7000, "nor between two processes"
    ledger.heartbeat_ok(now_ms + 6000)
    assert ledger.listened_ms(now_ms + 6000 + OUTAGE_AFTER_MS) == 12_000 + OUTAGE_AFTER_MS
    assert ledger.listened_ms(now_ms + 6001 + OUTAGE_AFTER_MS) == 12_000, "the next is late"
    ledger.heartbeat_ok(now_ms + MINUTE_MS)
    assert ledger.listened_ms(now_ms + MINUTE_MS + 500) == 12_500


def test_a_shard_that_has_stored_its_own_count_is_told_by_that() -> None:
    ledger = UptimeLedger(last_ok_ms=T, start_ms=T, listened_ms=7000)
    ledger.learn([], {2: Listened(T, 9000, 0)}, T)
    assert [ledger.shard_listened_ms(shard, T) for shard in (1, 2, 3)] == [7000, 9000, None]


def test_a_ledger_of_a_clock_that_was_ahead_is_put_on_the_clock_of_now() -> None:
    """The previous process started at T, with its clock 400 days ahead, and ran for an hour."""
    ahead_ms = 400 * DAY_MS
    gaps = [Gap(T - DAY_MS, T - DAY_MS + MINUTE_MS), Gap(T, T + MINUTE_MS + ahead_ms)]
    start_ms = T + 61 * MINUTE_MS
    ledger = UptimeLedger(gaps, T + 60 * MINUTE_MS + ahead_ms, start_ms)
    ledger.heartbeat_ok(start_ms)
    assert ledger.outages(start_ms) == [gaps[0], Gap(T, start_ms - 59 * MINUTE_MS)]
    assert ledger.open_outage(start_ms) is None


def test_a_ledger_is_as_it_was_once_a_clock_that_started_behind_is_put_right() -> None:
    gaps = [Gap(T - DAY_MS, T - DAY_MS + MINUTE_MS)]
    ledger = UptimeLedger(gaps, T, start_ms=1000)
    ledger.heartbeat_ok(2000)
    ledger.stepped(T + 10 * MINUTE_MS)
    assert ledger.outages(T + 10 * MINUTE_MS + 2000) == [*gaps, Gap(T, T + 10 * MINUTE_MS + 2000)]


def test_a_gap_in_the_future_counts_for_nothing_once_the_clock_was_put_right() -> None:
    ledger = UptimeLedger([Gap(T - DAY_MS, T + 400 * DAY_MS)], T, start_ms=T)
    assert ledger.outages(T) == []


def test_all_shards_listen_or_it_is_said_that_not_all_do() -> None:
    ledger = UptimeLedger(start_ms=T, shard=1)
    assert not ledger.is_listening(T, 1), "no canary has come"
    ledger.heartbeat_ok(T)
    assert ledger.is_listening(T, 1)
    assert not ledger.is_listening(T, 3), "nothing is known of the others"
    ledger.learn([], {2: Listened(T, 9000, 0)}, T)
    assert not ledger.is_listening(T, 3), "the third has never listened"
    ledger.learn([], {2: Listened(T, 9000, 0), 3: Listened(T - OUTAGE_AFTER_MS - 1, 9000, 0)}, T)
    assert not ledger.is_listening(T, 3), "it does not any more"
    ledger.learn([], {2: Listened(T, 9000, 0), 3: Listened(T - OUTAGE_AFTER_MS, 9000, 0)}, T)
    assert ledger.is_listening(T, 3)
    assert not ledger.is_listening(T + OUTAGE_AFTER_MS + 1, 3), "our own canary is late"


def test_a_new_store_has_listened_from_the_start_until_a_canary_says_more() -> None:
    ledger = UptimeLedger(start_ms=T)
    assert ledger.listened_ms(T - 1) == ledger.listened_at_most_ms(T - 1) == 0
    assert ledger.listened_ms(T + HOUR_MS) == ledger.listened_at_most_ms(T + HOUR_MS) == HOUR_MS
    assert UptimeLedger().listened_ms(T) == 0, "nobody knows when it started"


def test_a_contact_counts_with_what_a_canary_on_its_way_may_add() -> None:
    ledger = UptimeLedger(start_ms=T)
    ledger.heartbeat_ok(T)
    for late_ms in (OUTAGE_AFTER_MS, 2 * OUTAGE_AFTER_MS, 2 * OUTAGE_AFTER_MS + 1):
        assert ledger.listened_at_most_ms(T + late_ms) == min(late_ms, 2 * OUTAGE_AFTER_MS)
    assert ledger.listened_ms(T + 2 * OUTAGE_AFTER_MS) == 0, "what is certain"


def test_the_gap_that_lasts_is_that_of_every_path() -> None:
    ledger = UptimeLedger(last_ok_ms=T)
    assert ledger.open_gaps(T + OUTAGE_AFTER_MS) == {}
    assert ledger.open_gaps(T + MINUTE_MS) == {ALL: Gap(T, T + MINUTE_MS)}
    assert ledger.deaf(T + MINUTE_MS) == []


def test_where_another_shard_did_not_listen_is_a_gap_too() -> None:
    ledger = UptimeLedger(start_ms=T - DAY_MS)
    ledger.heartbeat_ok(T)
    assert ledger.outages(T) == []
    over, of_the_future = Gap(T - HOUR_MS, T - HOUR_MS + 1000), Gap(T, T + FUTURE_MS + 1)
    ledger.learn([over, of_the_future], {2: Listened(T - MINUTE_MS, 0, 0), 3: Listened(T, 0, 0)}, T)
    assert ledger.outages(T) == [over, Gap(T - MINUTE_MS, T)]
    ledger.stepped(1000)
    assert ledger.outages(T + 1000) == [], "until they are read again"


def test_of_gaps_beyond_number_the_newest_are_kept() -> None:
    gaps = [Gap(T + at * MINUTE_MS, T + at * MINUTE_MS + 1) for at in range(KEPT_GAPS + 2)]
    assert UptimeLedger(gaps).outages(T) == gaps[2:]
    learned = UptimeLedger()
    learned.learn(gaps, {}, gaps[-1].to_ms)
    assert learned.outages(T) == gaps[2:]
    deaf = UptimeLedger()
    for gap in gaps:
        deaf.heartbeat_ok(gap.from_ms)
        deaf.heartbeat_ok(gap.to_ms)
    assert len(deaf.outages(gaps[-1].to_ms)) == KEPT_GAPS
    assert deaf.outages(gaps[-1].to_ms)[0].from_ms == gaps[1].to_ms
