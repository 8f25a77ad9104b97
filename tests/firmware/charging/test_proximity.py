"""Does a plug's resistor give the rating of its cable, and never more?"""

import pytest

from firmware.charging import proximity


@pytest.mark.parametrize("ohms, amps", [(1500, 13), (680, 20), (220, 32), (100, 63)])
def test_nominal_resistors(ohms, amps):
    assert proximity.rating_a(ohms) == amps


@pytest.mark.parametrize("ohms", [None, 0, 1, 74, 2701, 4500, 1000000])
def test_a_short_or_an_open_circuit_is_no_cable(ohms):
    assert proximity.rating_a(ohms) is None


def test_on_a_shared_edge_the_smaller_rating_wins():
    assert [proximity.rating_a(ohms) for ohms in (150, 330, 1000)] == [32, 20, 13]
