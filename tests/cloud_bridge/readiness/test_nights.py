"""A sample of the nights of `python -m hil_tests.bench readiness`, with fixed numbers, equal on every machine."""

from hil_tests.bench.readiness.lived import live_some
from hil_tests.bench.readiness.nights import Nights

FIRST, COUNT = 20_000, 60


def test_of_a_sample_of_nights_each_miss_is_told_in_time() -> None:
    found = Nights(live_some(range(FIRST, FIRST + COUNT)))
    assert any(one.has_begun for one in found.nights), "or it shows nothing"
    assert found.missed() == []
    assert found.false() == []
