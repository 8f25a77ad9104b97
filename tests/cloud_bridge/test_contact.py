"""Are the rules of contact what the dashboard promises?"""

import pytest

from cloud_bridge.contact import (
    FUTURE_MS,
    OUTAGE_AFTER_MS,
    Contact,
    Gap,
    UptimeLedger,
    judge,
    later,
    outage_ms,
    own_topic,
)
from cloud_bridge.durations import MINUTE_MS

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
    assert judge(T, T + silence_ms).contact is contact


def test_a_unit_that_was_never_heard_is_not_silent() -> None:
    assert judge(None, T) == (Contact.NEVER, None, 0)


def test_the_threshold_can_be_set_for_a_unit() -> None:
    assert judge(T, T + 5001, silent_after_ms=5000).contact is Contact.SILENT
    assert judge(T, T + 5000, silent_after_ms=5000).contact is Contact.ONLINE


def test_a_last_contact_from_a_clock_that_was_ahead_tells_nothing() -> None:
    assert judge(T + FUTURE_MS, T) == (Contact.ONLINE, 0, 0)
    assert judge(T + FUTURE_MS + 1, T) == (Contact.UNKNOWN, 0, 0)


def test_our_own_gap_is_not_the_unit_s_silence() -> None:
    gap = Gap(T + 5 * MINUTE_MS, T + 45 * MINUTE_MS)
    verdict = judge(T, T + 50 * MINUTE_MS, [gap])
    assert verdict.contact is Contact.UNKNOWN
    assert verdict.silence_ms == 10 * MINUTE_MS
    assert verdict.outage_ms == 40 * MINUTE_MS


def test_unknown_becomes_silent_when_we_have_listened_long_enough_in_all() -> None:
    gap = Gap(T + 5 * MINUTE_MS, T + 45 * MINUTE_MS)
    assert judge(T, T + 70 * MINUTE_MS, [gap]).contact is Contact.UNKNOWN
    assert judge(T, T + 70 * MINUTE_MS + 1, [gap]).contact is Contact.SILENT


def test_a_gap_before_last_contact_does_not_matter() -> None:
    assert judge(T, T + 31 * MINUTE_MS, [Gap(T - 60 * MINUTE_MS, T)]).contact is Contact.SILENT


def test_deaf_time_is_cut_to_the_span() -> None:
    assert outage_ms([Gap(0, 10), Gap(20, 30)], 5, 25) == 10


def test_last_contact_never_goes_back() -> None:
    assert later(None, 5) == 5
    assert later(7, 5) == 7
    assert later(5, 7) == 7


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


def test_a_clock_set_back_makes_no_gap() -> None:
    ledger = UptimeLedger(last_ok_ms=T)
    ledger.heartbeat_ok(T - 10 * MINUTE_MS)
    ledger.heartbeat_ok(T + 1000)
    assert ledger.outages(T + 1000) == []
