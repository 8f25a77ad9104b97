"""Do ceilings always apply, and below them the lowest claim that has not expired?"""

from firmware.charging.limits import PAUSE_A, Claim, in_force, rule

CEILINGS = (("installer", 32), ("cable", 20))


def test_without_a_wish_the_lowest_ceiling_is_offered():
    assert rule(CEILINGS, (), 0)[:2] == (20, "cable")


def test_no_wish_lifts_a_ceiling():
    assert rule(CEILINGS, (Claim("override", 80, None, "now", None),), 0)[:2] == (20, "cable")


def test_an_override_sets_the_schedule_aside_and_no_limit_of_the_cloud():
    hours, owner = Claim("schedule", PAUSE_A, None, "hours", None), Claim("override", 80, None, "now", None)
    cloud = Claim("cloud", 10, None, "peak", None)
    for claims in ((hours, owner, cloud), (cloud, owner, hours)):
        assert rule(CEILINGS, claims, 0)[:2] == (10, "cloud")
        assert in_force(rule(CEILINGS, claims, 0), claims, 0, 0).also == ("override",)
    assert rule(CEILINGS, (owner, hours), 0)[:2] == (20, "cable")
    assert rule(CEILINGS, (cloud, hours), 0)[:2] == (PAUSE_A, "schedule")


def test_a_wish_ends_at_its_expiry_to_the_millisecond():
    pause = Claim("cloud", PAUSE_A, 1000, "peak", None)
    assert rule(CEILINGS, (pause,), 999).amps == PAUSE_A
    assert rule(CEILINGS, (pause,), 1000).amps == 20


def test_the_ruling_tells_when_what_rules_ends():
    pause, allowance = Claim("cloud", PAUSE_A, 1000, "peak", 777), Claim("load_manager", 10, 1000, "house", 888)
    assert rule(CEILINGS, (pause, allowance), 0).ends_s == 777
    assert rule(CEILINGS + (("load_manager", 10),), (allowance,), 0)[1:] == ("load_manager", "the lowest ceiling", 888)
    assert rule(CEILINGS + (("load_manager", 6),), (allowance,), 1000).ends_s is None, "the fallback has no end"
    assert rule(CEILINGS, (Claim("cloud", 32, 1000, "peak", 777),), 0)[1:] == ("cable", "the lowest ceiling", None)


def test_less_than_6_a_is_a_pause():
    assert rule(CEILINGS, (Claim("cloud", 5, None, "little sun", None),), 0).amps == PAUSE_A
    assert rule((("installer", 32), ("cable", 0)), (), 0).amps == PAUSE_A
