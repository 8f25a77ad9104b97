"""Do ceilings always apply, and below them the lowest claim that has not expired?"""

import pytest

from firmware.charging.control_state import ControlState, Setup
from firmware.charging.derating import FULL
from firmware.charging.limits import (
    PAUSE_A,
    READ_WITHIN_MS,
    Claim,
    ceilings,
    expiry_ms,
    in_force,
    rule,
    unread,
)

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


@pytest.mark.parametrize(
    "of_state, quarters, found",
    [
        ({}, FULL, (("installer", 32),)),
        ({"faults": ("pilot",)}, FULL, (("installer", 32), ("safety", 0))),
        ({"band": "D"}, FULL, (("installer", 32), ("ventilation", 0))),
        ({"contactor_rests": True}, FULL, (("installer", 32), ("contactor", 0))),
        ({"vehicle_pauses": True}, FULL, (("installer", 32), ("vehicle", 0))),
        ({}, 2, (("installer", 32), ("temperature", 16))),
        ({}, 1, (("installer", 32), ("temperature", 8))),
    ],
)
def test_each_ceiling_has_its_reason(of_state, quarters, found):
    state = ControlState(Setup(32, True, False, 0, True))
    for name, value in of_state.items():
        setattr(state, name, value)
    assert ceilings(state, quarters, (), 0) == found


def test_a_ceiling_by_temperature_is_no_pause():
    assert ceilings(ControlState(Setup(10, True, False, 0, True)), 1, (), 0)[1] == ("temperature", 6)


def test_a_unit_that_is_not_commissioned_says_so():
    assert ceilings(ControlState(Setup(6, True, False, 0, False)), FULL, (), 0) == (("commissioning", 6),)


def test_a_detachable_cable_is_a_ceiling_and_none_is_a_pause():
    state = ControlState(Setup(32, False, True, 0, True))
    assert ceilings(state, FULL, (), 0)[1] == ("cable", 0)
    state.cable_a, state.band = 20, "D"
    assert ceilings(state, FULL, (), 0) == (("installer", 32), ("cable", 20))


def test_a_load_manager_s_allowance_counts_while_it_is_valid_and_else_the_fallback():
    state = ControlState(Setup(32, True, False, 10, True))
    allowance = (Claim("load_manager", 25, 1000, "house", None),)
    assert ceilings(state, FULL, allowance, 999)[1] == ("load_manager", 25)
    assert ceilings(state, FULL, allowance, 1000)[1] == ("load_manager", 10)
    assert ceilings(state, FULL, (), 0)[1] == ("load_manager", 10)


def test_before_the_owner_s_wishes_are_read_there_is_a_pause_that_ends():
    assert rule(CEILINGS, unread(500), 500 + READ_WITHIN_MS - 1)[:2] == (PAUSE_A, "schedule")
    assert rule(CEILINGS, unread(500), 500 + READ_WITHIN_MS)[:2] == (20, "cable")


@pytest.mark.parametrize(
    "until_ms, first_ms",
    [
        ((), 3601000),
        ((None,), 3601000),
        ((1000,), 3601000),
        ((1001,), 1001),
        ((5000, 2000, 3000), 2000),
        ((3601000,), 3601000),
        ((9999999,), 3601000),
    ],
)
def test_the_ruling_is_made_again_when_the_first_claim_expires_and_each_hour(until_ms, first_ms):
    assert expiry_ms(tuple([Claim("cloud", 10, at_ms, "", None) for at_ms in until_ms]), 1000) == first_ms
