"""Is a distance shown in the reader's unit, and rounded once?"""

import pytest

from cloud_bridge.distances import KM_PER_MILE, Distances, usual


def test_whole_miles_of_a_maker_come_back_as_they_were_told() -> None:
    for miles in range(1000):
        assert Distances.MILES.words(miles * KM_PER_MILE) == f"{miles} miles"


def test_a_distance_is_rounded_once() -> None:
    """Slightly below half a mile: if it were first rounded to whole kilometres, it would be another mile."""
    assert Distances.MILES.words(160.1) == "99 miles"
    assert Distances.KILOMETRES.words(159.5) == "160 km"


@pytest.mark.parametrize(("zone", "unit"), [("Europe/London", "mi"), ("Europe/Dublin", "km"), ("Europe/Paris", "km")])
def test_what_is_usual(zone: str, unit: str) -> None:
    assert usual(zone) == unit
