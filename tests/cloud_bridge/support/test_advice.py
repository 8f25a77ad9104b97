"""Does the advice follow both the whole time and its last hour?"""

import pytest

from cloud_bridge.contact import Gap
from cloud_bridge.durations import DAY_MS, HOUR_MS, MINUTE_MS
from cloud_bridge.support.advice import advise, compare
from cloud_bridge.support.evidence import Evidence
from cloud_bridge.support.signal import Reading, over_time, summary

STEP_MS = 5 * MINUTE_MS


def evidence(*csq: tuple[int, int], gaps: tuple[Gap, ...] = ()) -> Evidence:
    """Return the evidence of a signal with these values and durations, in order."""
    readings, at_ms = [], 0
    for value, lasting_ms in csq:
        for _ in range(lasting_ms // STEP_MS):
            readings.append(Reading(at_ms, float(value), "23415", value, value, 1))
            at_ms += STEP_MS
    points = over_time(readings, at_ms)
    hour = [point for point in points if point.at_ms >= at_ms - HOUR_MS]
    return Evidence(
        from_ms=0,
        to_ms=at_ms,
        since_ms=0,
        ours=[],
        gaps=list(gaps),
        silent_ms=0,
        availability=1.0,
        points=points,
        signal=summary(points),
        last_hour=summary(hour),
        brown_outs=0,
        boots=0,
        moves=[],
        vehicle_events=[],
        fault_times=[],
        unreadable_gaps=0,
        unreadable=0,
    )


@pytest.mark.parametrize(
    ("found", "title"),
    [
        (evidence((20, DAY_MS)), "Nothing to do"),
        (evidence((20, DAY_MS), (9, HOUR_MS)), "Look for what has changed"),
        (evidence((20, DAY_MS), (9, STEP_MS)), "Look for what has changed"),
        (evidence((20, DAY_MS), (9, 12 * HOUR_MS), (20, DAY_MS)), "Look for when it is weak"),
        (evidence((20, DAY_MS), gaps=(Gap(0, HOUR_MS),)), "Look for what the times have in common"),
        (evidence((12, DAY_MS)), "Move or replace the antenna"),
        (evidence((5, DAY_MS)), "Fit a signal booster"),
        (evidence((20, 20 * MINUTE_MS)), "Measure on site"),
        (evidence(), "Measure on site"),
    ],
)
def test_first_advice(found: Evidence, title: str) -> None:
    assert advise(found)[0].title == title


@pytest.mark.parametrize("before_ms", [0, 20 * MINUTE_MS, HOUR_MS, DAY_MS, 14 * DAY_MS])
@pytest.mark.parametrize("weak_ms", [STEP_MS, 20 * MINUTE_MS, HOUR_MS, DAY_MS])
def test_a_signal_that_is_9_now_is_named_and_never_nothing_to_do(before_ms: int, weak_ms: int) -> None:
    given = advise(evidence((20, before_ms), (9, weak_ms)))
    assert "Nothing to do" not in [one.title for one in given]
    assert "CSQ was 9 last" in given[0].why or "typically 9" in given[0].why


def test_no_reading_in_the_last_hour_is_not_nothing_to_do() -> None:
    found = evidence((20, DAY_MS))._replace(last_hour=summary([]))
    assert advise(found)[0].title == "Measure on site"


def test_a_weak_place_that_is_better_now_is_said_to_be() -> None:
    assert "better in the last hour, 20" in advise(evidence((9, 14 * DAY_MS), (20, HOUR_MS)))[0].why


def test_a_visit_has_not_worked_while_the_signal_is_9_now() -> None:
    before = evidence((8, DAY_MS))
    assert compare(before, evidence((20, DAY_MS))).worked is True
    assert compare(before, evidence((20, DAY_MS), (9, STEP_MS))).worked is False
    assert compare(before, evidence((20, 30 * MINUTE_MS))).worked is None
