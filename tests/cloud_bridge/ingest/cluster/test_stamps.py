"""Is a contact never shown later than it was, and does it make no unit silent, whatever a node's clock shows?"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud_bridge.contact import FUTURE_MS
from cloud_bridge.durations import MINUTE_MS
from cloud_bridge.ingest.cluster.stamps import Stamp, stamp_of

NOW_MS = 1_800_000_000_000
waits = st.integers(0, 2 * 3600_000)


@given(waits, waits, st.integers(-3600_000, 3600_000))
def test_a_contact_is_never_later_than_now_and_never_far_from_when_it_was(
    waited_ms: int, before_ms: int, node_ahead_ms: int
) -> None:
    """It was stored `waited_ms` ago, and we had caught up `before_ms` before that."""
    stored_ms = NOW_MS - waited_ms
    caught_up_ms = stored_ms - before_ms
    stamp = stamp_of(stored_ms + node_ahead_ms, caught_up_ms, NOW_MS)
    assert stamp.at_ms <= NOW_MS
    assert stored_ms <= stamp.listened_at_ms + (FUTURE_MS + before_ms) * (not stamp.is_wrong)
    assert stamp.listened_at_ms <= NOW_MS
    if not stamp.is_estimated:
        allowed_ms = max(FUTURE_MS, abs(node_ahead_ms)) if not stamp.is_wrong else FUTURE_MS
        assert abs(stamp.at_ms - stored_ms) <= allowed_ms
    if abs(node_ahead_ms) <= FUTURE_MS:
        assert not stamp.is_wrong
        assert stamp.at_ms == min(stored_ms + node_ahead_ms, NOW_MS)


@given(waits, st.integers(0, FUTURE_MS), st.integers(FUTURE_MS + 1, 3600_000), st.sampled_from((-1, 1)))
def test_a_wrong_clock_of_a_node_shows_no_contact_that_was_not(
    waited_ms: int, before_ms: int, off_ms: int, sign: int
) -> None:
    stored_ms = NOW_MS - waited_ms
    stamp = stamp_of(stored_ms + sign * off_ms, stored_ms - before_ms, NOW_MS)
    if stamp.is_wrong and not stamp.is_estimated:
        assert stored_ms - before_ms == stamp.at_ms, "no later than it was"


@pytest.mark.parametrize("ahead_ms", [10 * MINUTE_MS, -10 * MINUTE_MS])
def test_a_node_that_is_ten_minutes_off_is_not_believed(ahead_ms: int) -> None:
    assert stamp_of(NOW_MS + ahead_ms, NOW_MS - 3000, NOW_MS) == Stamp(NOW_MS - 3000, NOW_MS, is_wrong=True)


def test_a_backlog_after_a_start_is_contact_at_its_own_time() -> None:
    hour_ms = 60 * MINUTE_MS
    assert stamp_of(NOW_MS - hour_ms, None, NOW_MS) == Stamp(NOW_MS - hour_ms, NOW_MS - hour_ms)


def test_a_stamp_of_the_future_after_a_start_is_only_an_estimate() -> None:
    assert stamp_of(NOW_MS + FUTURE_MS + 1, None, NOW_MS) == Stamp(NOW_MS, NOW_MS, True, True)
    assert stamp_of(NOW_MS + FUTURE_MS, None, NOW_MS) == Stamp(NOW_MS, NOW_MS)


@pytest.mark.parametrize(
    ("server_ms", "caught_up_ms", "stamp"),
    [
        (NOW_MS - 10, NOW_MS - 20, Stamp(NOW_MS - 10, NOW_MS - 10)),
        (NOW_MS - 30, NOW_MS - 20, Stamp(NOW_MS - 30, NOW_MS - 20)),
        (NOW_MS + 5, NOW_MS - 20, Stamp(NOW_MS, NOW_MS)),
        (NOW_MS - 5, NOW_MS + 5, Stamp(NOW_MS - 5, NOW_MS)),
        (NOW_MS - 20 - FUTURE_MS, NOW_MS - 20, Stamp(NOW_MS - 20 - FUTURE_MS, NOW_MS - 20)),
        (NOW_MS - 21 - FUTURE_MS, NOW_MS - 20, Stamp(NOW_MS - 20, NOW_MS, is_wrong=True)),
        (0, NOW_MS, Stamp(NOW_MS, NOW_MS, is_wrong=True)),
        (0, NOW_MS - FUTURE_MS, Stamp(NOW_MS - FUTURE_MS, NOW_MS, is_wrong=True)),
        (0, NOW_MS - FUTURE_MS - 1, Stamp(NOW_MS, NOW_MS, True, True)),
        (0, NOW_MS + 1, Stamp(NOW_MS, NOW_MS, True, True)),
    ],
)
def test_a_stamp_and_its_bounds_to_the_millisecond(server_ms: int, caught_up_ms: int, stamp: Stamp) -> None:
    assert stamp_of(server_ms, caught_up_ms, NOW_MS) == stamp
