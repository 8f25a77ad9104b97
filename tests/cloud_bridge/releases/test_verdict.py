"""How often is a good release stopped, and how far does a bad one get?"""

import random
from collections.abc import Iterator
from math import comb

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud_bridge.releases.roll_out_states import ring_ends
from cloud_bridge.releases.verdict import (
    CHANCE_BACK,
    OWN_MS,
    TOLERATED,
    Count,
    Own,
    Seen,
    Sign,
    chance_if_alike,
    chance_of_own,
    chance_of_rate,
    is_worse,
    reason,
)

FLEET = 2000
LOOKS = 24  # at each ring, an hour apart


@given(st.integers(1, 60), st.integers(0, 60), st.data())
def test_the_chance_is_fishers(updated: int, rest: int, data: st.DataObject) -> None:
    """Computed with integers."""
    bad_updated, bad_rest = data.draw(st.integers(0, updated)), data.draw(st.integers(0, rest))
    bad = bad_updated + bad_rest
    ways = sum(comb(updated, hit) * comb(rest, bad - hit) for hit in range(bad_updated, min(bad, updated) + 1))
    chance = chance_if_alike(Count(updated, bad_updated), Count(rest, bad_rest))
    assert chance == pytest.approx(ways / comb(updated + rest, bad), rel=1e-9)


@given(st.integers(0, 10**6), st.integers(0, 10**6), st.integers(0, 50), st.integers(0, 50))
def test_any_counts_have_a_verdict(updated: int, rest: int, bad: int, bad_rest: int) -> None:
    for sign in Sign:
        seen = Seen(sign, Count(updated, min(bad, updated)), Count(rest, min(bad_rest, rest)))
        assert is_worse(seen, is_first_ring=True) == (seen.updated.bad > 0)
        assert is_worse(seen, is_first_ring=False) in (True, False)
        assert reason(seen)


def test_as_many_go_back_as_the_readme_says() -> None:
    """The smallest number that stops it, by the number of units that have installed it."""
    stops = [
        next(bad for bad in range(1, units + 1) if chance_of_rate(Count(units, bad), TOLERATED) < CHANCE_BACK)
        for units in (1, 20, 200, 2000)
    ]
    assert stops == [1, 1, 2, 6]


def hits(dice: random.Random, units: int, chance: float) -> int:
    """Return how many of the units are affected."""
    return sum(dice.random() < chance for _ in range(units)) if chance else 0


def rings(fleet: int) -> Iterator[tuple[int, int]]:
    """Yield the number of each ring that adds units, and how many units then have the release."""
    before = 0
    for ring, end in enumerate(ring_ends(fleet)):
        if end > before:
            yield ring, end
        before = end


def stopped_at(dice: random.Random, sign: Sign, usual: float, more: float, fleet: int = FLEET) -> int | None:
    """Return the ring at which a whole roll-out was stopped, or None if it reached all.

    In a day at each ring, `usual` of all units show the sign, and `more` of those with the release.
    """
    for ring, has_it in rings(fleet):
        updated = rest = 0
        for _ in range(LOOKS):
            updated += hits(dice, has_it - updated, (usual + more) / LOOKS)
            rest += hits(dice, fleet - has_it - rest, usual / LOOKS)
            if is_worse(Seen(sign, Count(has_it, updated), Count(fleet - has_it, rest)), ring == 0):
                return ring
    return None


@pytest.mark.parametrize("usual", [0.001, 0.01, 0.05])
def test_a_good_release_is_seldom_stopped_after_its_first_unit(usual: float) -> None:
    """In 100 roll-outs with 72 looks each: at most 2, where 0.5 is expected.

    The first ring is one unit, whose own bad day stops the roll-out as often as units have one.
    """
    dice = random.Random(21)
    ended = [stopped_at(dice, Sign.WATCHDOG, usual, 0.0, fleet=500) for _ in range(100)]
    assert sum(ring not in (None, 0) for ring in ended) <= 2
    assert ended.count(0) <= 100 * usual + 6


def test_a_release_that_resets_every_tenth_unit_reaches_no_more_than_a_tenth() -> None:
    dice = random.Random(22)
    ended = [stopped_at(dice, Sign.WATCHDOG, 0.01, 0.1) for _ in range(20)]
    assert all(ring is not None and ring <= 2 for ring in ended)


def test_units_that_go_back_for_reasons_of_their_own_stop_nothing() -> None:
    """One of 10,000 units, in 200 roll-outs."""
    dice = random.Random(23)
    ended = [went_back_at(dice, 0.0001) for _ in range(200)]
    assert sum(ring is not None for ring in ended) <= 3


def test_a_release_that_one_unit_of_a_hundred_gives_back_never_reaches_all() -> None:
    dice = random.Random(24)
    for _ in range(100):
        assert went_back_at(dice, 0.01) is not None


def test_the_chance_beside_themselves_is_the_sign_tests() -> None:
    for since, before in ((0, 0), (1, 0), (5, 5), (14, 2), (700, 640)):
        ways = sum(comb(since + before, hit) for hit in range(since, since + before + 1))
        assert chance_of_own(Own(since, before)) == pytest.approx(ways / 2 ** (since + before), rel=1e-6)


def by_own_at(dice: random.Random, more: float) -> int | None:
    """Return the hour at which the last ring was stopped by comparing units with themselves, or None.

    Each unit installs the release at its own hour in two days. One unit of 20 is reset twice a day, the others twice in 100
    days; with the release, `more` of them a day in addition.
    """
    units = 500
    installed = [dice.randrange(48) for _ in range(units)]
    resets: list[list[int]] = []  # hours of each unit's resets, from two days before to four days after
    for at in installed:
        a_day = 2.0 if dice.random() < 0.05 else 0.02
        rate = [(a_day + (more if hour >= at else 0.0)) / 24 for hour in range(-48, 96)]
        resets.append([hour for hour, one in zip(range(-48, 96), rate, strict=True) if dice.random() < one])
    day = OWN_MS // 3_600_000
    for now in range(1, 96, 2):
        only_since = only_before = 0
        for at, hours in zip(installed, resets, strict=True):
            span = min(now - at, day)
            since, before = (any(begin <= hour < begin + span for hour in hours) for begin in (at, at - span))
            only_since, only_before = only_since + (since and not before), only_before + (before and not since)
        if is_worse(Seen(Sign.WATCHDOG, Count(units, only_since), Count(0, 0), Own(only_since, only_before)), False):
            return now
    return None


def test_a_good_release_is_seldom_stopped_beside_itself() -> None:
    """In 100 last rings with 48 looks each: at most 2."""
    dice = random.Random(25)
    assert sum(by_own_at(dice, 0.0) is not None for _ in range(100)) <= 2


def test_a_release_that_resets_units_is_stopped_beside_itself() -> None:
    dice = random.Random(26)
    assert all(by_own_at(dice, 0.1) is not None for _ in range(10))


def test_few_without_it_do_not_decide_and_many_do() -> None:
    bad = Seen(Sign.WATCHDOG, Count(1000, 40), Count(99, 4), Own(40, 4))
    assert bad.is_by_own
    assert is_worse(bad, is_first_ring=False)
    assert reason(bad) == "40 updated units were reset by their watchdog that were not before, against 4"
    assert not is_worse(bad._replace(rest=Count(1000, 40)), is_first_ring=False)


def went_back_at(dice: random.Random, rate: float) -> int | None:
    """Return the ring as `stopped_at` does. Each unit goes back with this chance after it has installed the release, a
    tenth of a ring at a time."""
    installed = bad = 0
    for ring, end in rings(FLEET):
        while installed < end:
            some = min(end - installed, max(1, FLEET // 10))
            installed, bad = installed + some, bad + hits(dice, some, rate)
            if is_worse(Seen(Sign.WENT_BACK, Count(installed, bad), Count(0, 0)), ring == 0):
                return ring
    return None
