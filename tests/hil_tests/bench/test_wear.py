"""Do car, house and line each wear the contactor within its budget, for the worst of an hour? Whole days: `bench wear`."""

import random

import pytest

from hil_tests.bench.wear import (
    BY_THE_CONTACTOR,
    FAMILIES,
    HOUR_MS,
    MINUTE_MS,
    SECOND_MS,
    Family,
    Plan,
    drawn,
    outcome,
)

EACH = [family for families in FAMILIES.values() for family in families]


@pytest.mark.parametrize("family", EACH, ids=lambda family: family.name)
def test_each_is_within_the_budget_and_opens_in_time(family: Family) -> None:
    seed = random.randrange(1 << 32)
    plans = [Plan(turns) for turns in family.turns] or [BY_THE_CONTACTOR, drawn(random.Random(seed))]
    for place, plan in enumerate(plans):
        found = outcome(family, plan, HOUR_MS)
        assert found.held() and found.hour <= 30, (seed, found)
        assert found.hour or place, "it closes at all"


def test_one_that_reacts_to_the_contactor_is_as_bad_as_any() -> None:
    """So that the random choice hides nothing worse."""
    for family in EACH:
        if not family.turns:
            hour = outcome(family, BY_THE_CONTACTOR, HOUR_MS).hour
            assert outcome(family, Plan(((True, 10 * SECOND_MS), (False, 10 * SECOND_MS))), HOUR_MS).hour <= hour


def test_a_drawn_plan_has_a_period_of_1_s_to_10_min() -> None:
    rng = random.Random(1)
    for _ in range(1000):
        plan = drawn(rng)
        assert SECOND_MS - 40 <= sum(ms for _, ms in plan.turns) <= 10 * MINUTE_MS + 40
        assert all(ms > 0 for _, ms in plan.turns) and {present for present, _ in plan.turns} == {True, False}
