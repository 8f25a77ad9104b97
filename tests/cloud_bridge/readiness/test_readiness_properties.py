"""Do the rules of a departure hold for any plan, heartbeats and readings?"""

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from cloud_bridge.durations import DAY_MS, HOUR_MS, MINUTE_MS
from cloud_bridge.readiness.facts import Car, Facts, ReadyPlan, Span, Watched
from cloud_bridge.readiness.following import follow
from cloud_bridge.readiness.outlook import Outlook, Verdict, free_spans, outlook
from cloud_bridge.readiness.reasons import ADVICE, Reason
from cloud_bridge.readiness.telling import MOST_TOLD, News, tell
from cloud_bridge.time_zones import zone_or_utc
from cloud_bridge.vehicles.plan import ChargeTarget, PlanReason, latest_begin, next_time, plan
from cloud_bridge.vehicles.providers.provider import Reading
from cloud_bridge.wire import Heartbeat

NOW_MS = 1_768_500_000_000
ZONES = ("Europe/London", "Pacific/Apia", "America/St_Johns", "Australia/Lord_Howe", "UTC", "Mars/Olympus", "")
# Around both clock changes in London, and around the new year.
MOMENTS = [1_774_742_400_000, 1_792_886_400_000, 1_798_758_000_000]

minutes = st.integers(0, 26 * 60).map(lambda some: some * MINUTE_MS)
held = st.lists(st.tuples(minutes, minutes).map(lambda two: (NOW_MS + min(two), NOW_MS + max(two))), max_size=5)
moments = st.sampled_from(MOMENTS).flatmap(lambda at: st.integers(at - DAY_MS, at + DAY_MS))
targets = st.builds(
    ChargeTarget, st.integers(0, 23), st.integers(0, 59), st.floats(20, 100), st.floats(1, 250), st.floats(1, 22)
)
percents = st.floats(0, 100)
heartbeats = st.builds(
    Heartbeat,
    state=st.sampled_from(["A1", "B1", "B2", "C1", "C2", "E", "F", None]),
    amps=st.sampled_from([0.0, 6.0, 32.0, None]),
    allowed_amps=st.sampled_from([0.0, 16.0, None]),
    limited_by=st.sampled_from(["installer", "cloud", "schedule", "load_manager", "other", None]),
    limited_until_s=st.none() | st.integers(0, 1 << 40),
    unit_time_s=st.none() | st.integers(0, 1 << 40),
    also_in_force=st.none() | st.lists(st.sampled_from(["cloud", "override", "schedule"]), max_size=2),
    random_delay_s=st.none() | st.integers(0, 1800),
    watts=st.none() | st.floats(0, 1e6),
    total_wh=st.none() | st.integers(0, 1 << 40),
    faults=st.none() | st.lists(st.just("rcd_dc"), max_size=1),
)
cars = st.none() | st.builds(
    Car, st.integers(NOW_MS - 2 * DAY_MS, NOW_MS + HOUR_MS), st.none() | percents, st.none() | st.booleans()
)
plans = st.builds(
    ReadyPlan,
    minutes.map(lambda some: NOW_MS + some),
    minutes.map(lambda some: NOW_MS + some),
    st.floats(20, 100),
    st.floats(1, 250),
    st.floats(1000, 22_000),
)
facts = st.builds(Facts, st.none() | heartbeats, st.just(NOW_MS), st.booleans(), cars, held)


@given(held, minutes)
def test_the_time_that_is_free_is_all_that_is_not_held(held: list[Span], until: int) -> None:
    free = free_spans(NOW_MS, NOW_MS + until, held)
    edges = sorted({NOW_MS, NOW_MS + until, *(edge for span in (*held, *free) for edge in span)})
    for begins_ms, ends_ms in zip(edges, edges[1:], strict=False):
        is_held = any(one <= begins_ms and ends_ms <= other for one, other in held)
        is_free = any(one <= begins_ms and ends_ms <= other for one, other in free)
        assert is_free == (begins_ms < NOW_MS + until and not is_held)


@given(held, minutes, minutes)
def test_from_the_latest_begin_on_there_is_as_much_time_as_is_needed_and_no_more(
    held: list[Span], until: int, needed: int
) -> None:
    avoided = _apart(held)
    begin_ms = latest_begin(NOW_MS + until, needed, avoided, NOW_MS)
    free_ms = sum(ends - begins for begins, ends in free_spans(begin_ms, NOW_MS + until, avoided))
    assert NOW_MS <= begin_ms <= NOW_MS + until
    assert free_ms == needed or (begin_ms == NOW_MS and free_ms < needed)


@given(st.integers(0, 23), st.integers(0, 59), moments, st.sampled_from(ZONES))
def test_the_next_such_time_is_within_a_day_and_shown_by_the_clock_on_the_wall(
    hour: int, minute: int, now_ms: int, time_zone: str
) -> None:
    at_ms = next_time(hour, minute, now_ms, time_zone)
    assert now_ms < at_ms <= now_ms + 26 * HOUR_MS
    local = datetime.fromtimestamp(at_ms / 1000, UTC).astimezone(zone_or_utc(time_zone))
    an_hour_before = (datetime.fromtimestamp(at_ms / 1000, UTC) - timedelta(hours=1)).astimezone(local.tzinfo)
    is_skipped = local.utcoffset() != an_hour_before.utcoffset()
    assert (local.hour, local.minute) == (hour, minute) or is_skipped


@given(targets, percents, moments, st.sampled_from(ZONES))
def test_a_plan_begins_before_its_departure_and_never_before_now(
    target: ChargeTarget, percent: float, now_ms: int, time_zone: str
) -> None:
    found = plan(target, Reading(now_ms, percent), now_ms, time_zone)
    assert now_ms <= found.begin_ms < found.ready_ms
    assert found.pause_ms == (found.begin_ms - now_ms if found.because is PlanReason.TIME_LEFT else 0)


@settings(max_examples=300)
@given(plans, facts, st.none() | heartbeats, minutes)
def test_whatever_is_heard_there_is_a_verdict_with_a_reason_and_a_percentage(
    plan: ReadyPlan, first: Facts, later: Heartbeat | None, after_ms: int
) -> None:
    watched, now_ms = follow(Watched(), first, plan, NOW_MS), NOW_MS + after_ms
    second = first._replace(heartbeat=later, heard_ms=now_ms)
    watched = follow(watched, second, plan, now_ms)
    found = outlook(plan, watched, second, now_ms)
    may_be_another = found.reason is Reason.WHICH_VEHICLE and second.has_others
    assert (found.reason is None) == (found.verdict is Verdict.ON_TRACK) or may_be_another
    assert found.reason is None or found.reason in ADVICE
    assert found.percent is None or 0 <= found.percent <= 100
    assert found.full_ms is None or now_ms <= found.full_ms <= plan.ready_ms


outlooks = st.sampled_from(
    [
        Outlook(Verdict.ON_TRACK, None, 90),
        Outlook(Verdict.ON_TRACK),
        Outlook(Verdict.AT_RISK, None, 40),
        Outlook(Verdict.WILL_MISS, None, 40),
        Outlook(Verdict.WILL_MISS),
        Outlook(Verdict.NOT_KNOWN),
    ]
)


@given(plans, st.lists(st.tuples(st.integers(1, 30), outlooks), max_size=60))
def test_whatever_is_seen_little_is_told_and_taken_back_in_turn(plan: ReadyPlan, seen: list[Any]) -> None:
    watched, now_ms, told = Watched(), NOW_MS, []
    for after_min, found in seen:
        now_ms += after_min * MINUTE_MS
        watched, news = tell(plan, watched, found, now_ms)
        if news is not None:
            assert now_ms < plan.ready_ms
            told.append(news is News.TAKEN_BACK)
    assert told == [False, True, False, True][: len(told)]
    assert len(told) <= 2 * MOST_TOLD


def _apart(spans: list[Span]) -> list[Span]:
    """Return the spans in order, with touching ones merged."""
    found: list[Span] = []
    for begins_ms, ends_ms in sorted(spans):
        if found and begins_ms <= found[-1][1]:
            found[-1] = (found[-1][0], max(ends_ms, found[-1][1]))
        else:
            found.append((begins_ms, ends_ms))
    return found
