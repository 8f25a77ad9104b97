"""Is no grant lost when many processes refresh it at once and are killed meanwhile? A few rounds of race.py."""

from tests.cloud_bridge.vehicles.race import SECOND_CHANCE_S, race


def test_no_grant_is_lost_by_racing_and_killing() -> None:
    figures = race(rounds=3, workers=4, kills=1, second_chance_s=SECOND_CHANCE_S, seed=8)
    assert figures.refreshers_killed > 0
    assert figures.lost == 0
