"""Do ceilings always rule, and does the strongest wish that has not expired rule below them?"""

from firmware.charging.limits import PAUSE_A, Claim, rule

CEILINGS = (("installer", 32), ("cable", 20))


def test_without_a_wish_the_lowest_ceiling_is_offered():
    assert rule(CEILINGS, (), 0)[:2] == (20, "cable")


def test_no_wish_lifts_a_ceiling():
    assert rule(CEILINGS, (Claim("override", 80, None, "now"),), 0)[:2] == (20, "cable")


def test_the_order_of_sources_decides_and_not_the_order_of_arrival():
    cloud, owner = Claim("cloud", PAUSE_A, None, "peak"), Claim("override", 16, None, "now")
    assert rule(CEILINGS, (cloud, owner), 0)[:2] == (16, "override")
    assert rule(CEILINGS, (owner, cloud), 0)[:2] == (16, "override")
    assert rule(CEILINGS, (cloud,), 0)[:2] == (PAUSE_A, "cloud")


def test_a_wish_ends_at_its_expiry_to_the_millisecond():
    pause = Claim("cloud", PAUSE_A, 1000, "peak")
    assert rule(CEILINGS, (pause,), 999).amps == PAUSE_A
    assert rule(CEILINGS, (pause,), 1000).amps == 20


def test_less_than_6_a_is_a_pause():
    assert rule(CEILINGS, (Claim("cloud", 5, None, "little sun"),), 0).amps == PAUSE_A
    assert rule((("installer", 32), ("cable", 0)), (), 0).amps == PAUSE_A
