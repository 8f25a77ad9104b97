"""A sample of the nights of `python -m hil_tests.bench readiness`, of a fixed seed: the same on every machine."""

from hil_tests.bench.readiness import Nights, live_some

SEED, COUNT = 20_000, 60


def test_of_a_sample_of_nights_misses_are_told_in_time_and_nothing_else() -> None:
    found = Nights(live_some(range(SEED, SEED + COUNT)))
    misses = [one for one in found.nights if one.is_miss]
    assert misses, "or it shows nothing"
    assert found.held(), "\n".join([*found.report(), *map(str, found.wrong())])
