"""Do the rules of contact hold for any times?"""

from hypothesis import given
from hypothesis import strategies as st

from cloud_bridge.contact import FUTURE_MS, SILENT_AFTER_MS, Contact, UptimeLedger, judge, later

times = st.integers(0, 4_000_000_000_000)
steps = st.lists(st.integers(-100_000, 4_000_000), max_size=40)


@given(st.lists(times, min_size=1))
def test_last_contact_is_the_latest_that_is_believable_in_any_order(stamps: list[int]) -> None:
    seen = None
    for stamp in stamps:
        before, seen = seen, later(seen, stamp)
        assert seen >= stamp
        assert seen - stamp <= FUTURE_MS
        assert before is None or seen >= before or before - stamp > FUTURE_MS


@given(times, times)
def test_without_gaps_only_more_than_the_threshold_is_silent(last: int, now: int) -> None:
    assert (judge(last, now).contact is Contact.SILENT) == (now - last > SILENT_AFTER_MS)


@given(times, times, steps)
def test_gaps_never_make_a_unit_silent_and_silence_is_the_time_we_listened(
    last: int, start: int, canaries: list[int]
) -> None:
    ledger = UptimeLedger()
    now = start
    for step in canaries:
        ledger.heartbeat_ok(now)
        now += step
    gaps = ledger.outages(now)
    assert all(gap.from_ms < gap.to_ms for gap in gaps)
    assert all(one.to_ms <= two.from_ms for one, two in zip(gaps, gaps[1:], strict=False))
    verdict = judge(last, now, gaps)
    assert verdict.silence_ms is not None
    assert 0 <= verdict.silence_ms <= max(0, now - last)
    if verdict.contact is Contact.SILENT:
        assert judge(last, now).contact is Contact.SILENT
    if verdict.contact is Contact.UNKNOWN:
        assert verdict.outage_ms > 0 or last > now + FUTURE_MS
