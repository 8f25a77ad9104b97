"""Does a worker's memory stay constant with any number of units, without effects of what is dropped?"""

import pytest

from cloud_bridge.bounded_live import BoundedLive
from cloud_bridge.live import TIMELESS, Live


def test_only_the_units_heard_last_are_kept() -> None:
    live = BoundedLive(kept=3)
    for name in ("a", "b", "c", "a", "d"):
        live.unit(name)
    assert [name for name in "abcd" if live.find(name)] == ["a", "c", "d"]


def test_its_last_contact_is_a_hint_and_no_verdict() -> None:
    live = BoundedLive(kept=1)
    assert live.contact(live.unit("a"), 1000, 0) is None
    assert live.contact(live.unit("a"), 3000, 0) == 1000
    assert live.contact(live.unit("a"), 2000, 0) == 3000
    assert live.contact(live.unit("a"), 2500, 0) == 3000, "one from a backlog does not put it back"
    live.unit("b")
    assert live.contact(live.unit("a"), 4000, 0) is None, "forgotten: the store is asked (store/gaps.py)"
    assert live.heard() == [], "the stamps are the nodes', and no step of our clock moves them"


@pytest.mark.parametrize("kind", [Live, BoundedLive])
def test_no_more_units_wait_for_the_time_than_can_be_told(kind: type[Live]) -> None:
    live = kind()
    for number in range(TIMELESS + 10):
        live.timeless.add(f"cp-{number}")
    assert len(live.timeless) == TIMELESS
