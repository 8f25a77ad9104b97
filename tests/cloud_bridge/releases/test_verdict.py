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
    TOLERATED,
    Count,
    Seen,
    Sign,
    chance_if_alike,
    chance_of_rate,
    is_worse,
    reason,
)

FLEET = 2000
LOOKS = 24  # at each ring, an hour apart


@given(st.integers(1, 60), st.integers(0, 60), st.data())
def test_the_chance_is_fishers(updated: int, rest: int, data: st.DataObject) -> None:
    """Counted with whole numbers."""
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
    """The smallest number that stops it, by how many have installed it."""
    stops = [
        next(bad for bad in range(1, units + 1) if chance_of_rate(Count(units, bad), TOLERATED) < CHANCE_BACK)
        for units in (1, 20, 200, 2000)
    ]
    assert stops == [1, 1, 2, 6]


def hits(dice: random.Random, units: int, chance: float) -> int:
    """How many of the units are hit."""
    return sum(dice.random() < chance for _ in range(units)) if chance else 0


def rings(fleet: int) -> Iterator[tuple[int, int]]:
    """Number of each ring that adds units, and how many have the release then."""
    before = 0
    for ring, end in enumerate(ring_ends(fleet)):
        if end > before:
            yield ring, end
        before = end


def stopped_at(dice: random.Random, sign: Sign, usual: float, more: float, fleet: int = FLEET) -> int | None:
    """The ring at which a whole roll-out was stopped; None: it got to all. In a day at each ring `usual` of all units show the
    sign, and `more` of those that have the release."""
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
    """In 100 roll-outs, looked at 72 times each: 2 at most, where 0.5 would be usual. The first ring is one unit, whose own
    bad day stops it as often as units have one."""
    dice = random.Random(21)
    ended = [stopped_at(dice, Sign.WATCHDOG, usual, 0.0, fleet=500) for _ in range(100)]
    assert sum(ring not in (None, 0) for ring in ended) <= 2
    assert ended.count(0) <= 100 * usual + 6


def test_a_release_that_resets_every_tenth_unit_reaches_no_more_than_a_tenth() -> None:
    dice = random.Random(22)
    ended = [stopped_at(dice, Sign.WATCHDOG, 0.01, 0.1) for _ in range(20)]
    assert all(ring is not None and ring <= 2 for ring in ended)


def test_units_that_go_back_for_reasons_of_their_own_stop_nothing() -> None:
    """One of 10,000, in the whole of 200 roll-outs."""
    dice = random.Random(23)
    ended = [went_back_at(dice, 0.0001) for _ in range(200)]
    assert sum(ring is not None for ring in ended) <= 3


def test_a_release_that_one_unit_of_a_hundred_gives_back_never_reaches_all() -> None:
    dice = random.Random(24)
    for _ in range(100):
        assert went_back_at(dice, 0.01) is not None


def went_back_at(dice: random.Random, rate: float) -> int | None:
    """As `stopped_at`; each unit goes back with this chance when it has installed the release, a tenth of a ring at a time."""
    installed = bad = 0
    for ring, end in rings(FLEET):
        while installed < end:
            some = min(end - installed, max(1, FLEET // 10))
            installed, bad = installed + some, bad + hits(dice, some, rate)
            if is_worse(Seen(Sign.WENT_BACK, Count(installed, bad), Count(0, 0)), ring == 0):
                return ring
    return None
