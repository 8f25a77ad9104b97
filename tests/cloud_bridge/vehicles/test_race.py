"""Is a grant ever lost when many processes refresh it at once and are killed meanwhile? A few rounds of race.py."""

from tests.cloud_bridge.vehicles.race import SECOND_CHANCE_S, race


def test_no_grant_is_lost_by_racing_and_killing() -> None:
    figures = race(rounds=4, workers=5, kills=2, second_chance_s=SECOND_CHANCE_S, seed=8)
    assert figures.refreshers_killed == 4
    assert figures.second_chances <= 4
