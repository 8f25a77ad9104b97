"""Do the rules of contact hold for any times?"""

from hypothesis import given
from hypothesis import strategies as st

from cloud_bridge.contact import (
    FUTURE_MS,
    OUTAGE_AFTER_MS,
    SILENT_AFTER_MS,
    Contact,
    LastContact,
    UptimeLedger,
    judge,
    later,
)
from cloud_bridge.durations import HOUR_MS

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


@given(times, st.integers(0, 4_000_000_000), st.integers(0, 4_000_000_000))
def test_only_more_listened_time_than_the_threshold_is_silent(last: int, elapsed: int, outage: int) -> None:
    silence = max(0, elapsed - outage)
    verdict = judge(LastContact(last, False, silence), last + elapsed)
    assert (verdict.contact is Contact.SILENT) == (silence > SILENT_AFTER_MS)
    assert (verdict.silence_ms, verdict.outage_ms) == (silence, elapsed - silence)


@given(times, steps)
def test_gaps_do_not_overlap(start: int, canaries: list[int]) -> None:
    ledger = UptimeLedger()
    now = start
    for step in canaries:
        ledger.heartbeat_ok(now)
        now += step
    gaps = ledger.outages(now)
    assert all(gap.from_ms < gap.to_ms for gap in gaps)
    assert all(one.to_ms <= two.from_ms for one, two in zip(gaps, gaps[1:], strict=False))


looks = st.lists(
    st.tuples(
        st.integers(0, 60_000),  # time that passes
        st.sampled_from(["nothing", "canary", "step"]),
        st.integers(0, OUTAGE_AFTER_MS),  # the canary's delay until it was stored
        st.integers(-4_000_000_000, 4_000_000_000),  # the step
    ),
    max_size=30,
)


@given(st.none() | st.integers(-HOUR_MS, HOUR_MS), looks)
def test_we_never_listened_for_longer_than_it_is_ago(
    last_ok: int | None, seen: list[tuple[int, str, int, int]]
) -> None:
    """With any steps and late canaries between, no silence is longer than the time since the last contact."""
    now = passed = 1_767_225_600_000
    ledger = UptimeLedger(last_ok_ms=None if last_ok is None else now + last_ok, start_ms=now)
    contacts: list[tuple[int, int]] = []
    for passes, what, late, by in seen:
        now, passed = now + passes, passed + passes
        if what == "canary":
            ledger.heartbeat_ok(now - min(late, passes))
        elif what == "step":
            ledger.stepped(by)
            now += by
        for at, listened in contacts:
            assert ledger.listened_ms(now) - listened <= passed - at
        contacts.append((passed, ledger.listened_at_most_ms(now)))
