"""When does a roll-out go to its next ring, when does it wait, and what stops it?"""

from cloud_bridge.releases.decision import SOAK_MS, RingCount, decide
from cloud_bridge.releases.roll_out_states import Happened
from cloud_bridge.releases.verdict import Count, Seen, Sign

NOTHING = [Seen(sign, Count(20, 0), Count(1000, 3)) for sign in Sign]


def happened(ring: int, count: RingCount, lasted_ms: int = SOAK_MS, seen: list[Seen] = NOTHING) -> Happened | None:
    return decide(ring, count, lasted_ms, SOAK_MS, seen).happened


def test_a_ring_is_passed_when_its_time_is_over_and_half_of_it_is_good() -> None:
    assert happened(1, RingCount(20, 0, 20), SOAK_MS - 1) is None
    assert happened(1, RingCount(20, 0, 9)) is None
    assert happened(1, RingCount(20, 0, 10)) is Happened.RING_PASSED
    assert happened(1, RingCount(20, 10, 5)) is Happened.RING_PASSED
    assert happened(3, RingCount(20, 0, 10)) is Happened.LAST_RING_PASSED


def test_a_unit_that_never_says_good_holds_the_first_ring_for_ever() -> None:
    assert happened(0, RingCount(1, 0, 0), 100 * SOAK_MS) is None
    assert happened(0, RingCount(1, 0, 1)) is Happened.RING_PASSED


def test_a_ring_without_takers_is_passed_at_once() -> None:
    assert happened(1, RingCount(0, 0, 0), 0) is Happened.RING_PASSED
    assert happened(1, RingCount(3, 3, 0), 0) is Happened.RING_PASSED


def test_one_sign_stops_the_first_ring_and_later_ones_take_more() -> None:
    bad = [Seen(Sign.SILENT, Count(1, 1), Count(1999, 60))]
    assert decide(0, RingCount(1, 0, 1), SOAK_MS, SOAK_MS, bad).happened is Happened.STOP
    few = [Seen(Sign.WATCHDOG, Count(200, 3), Count(1800, 20))]
    assert happened(2, RingCount(180, 0, 180), 0, few) is None
    many = [*NOTHING, Seen(Sign.WATCHDOG, Count(200, 12), Count(1800, 20))]
    stop = decide(2, RingCount(180, 0, 180), 0, SOAK_MS, many)
    assert stop.happened is Happened.STOP
    assert stop.why == "12 of 200 updated units were reset by their watchdog, of the rest 20 of 1800"
