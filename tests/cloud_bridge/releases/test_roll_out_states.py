"""Does a roll-out go through its rings, and does a unit's state follow its own reports, in whatever order they come?"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud_bridge.releases.release_errors import ReleaseError
from cloud_bridge.releases.roll_out_states import (
    LOADING,
    RINGS,
    ROLL_OUTS,
    UNITS,
    Happened,
    RollOutState,
    Told,
    UnitState,
    follow,
    ring_ends,
    unit_after,
)


def test_every_state_has_its_row() -> None:
    assert set(ROLL_OUTS) == set(RollOutState)
    assert set(UNITS) == set(UnitState)


@pytest.mark.parametrize(
    ("units", "ends"),
    [
        (0, (0, 0, 0, 0)),
        (1, (1, 1, 1, 1)),
        (2, (1, 1, 1, 2)),
        (50, (1, 1, 5, 50)),
        (2000, (1, 20, 200, 2000)),
        (10**6, (1, 10_000, 100_000, 10**6)),
    ],
)
def test_rings_are_one_unit_one_percent_ten_percent_and_all(units: int, ends: tuple[int, ...]) -> None:
    assert ring_ends(units) == ends
    assert len(ends) == len(RINGS)


def test_what_has_ended_cannot_be_stopped_twice() -> None:
    assert follow(RollOutState.DONE, Happened.STOP) is RollOutState.STOPPED
    with pytest.raises(ReleaseError, match="the roll-out is stopped already"):
        follow(RollOutState.STOPPED, Happened.STOP)


def after(*told: Told) -> UnitState:
    state = UnitState.WAITING
    for one in told:
        state = unit_after(state, one)
    return state


@pytest.mark.parametrize(
    ("told", "state"),
    [
        ((Told.SENT, Told.TAKEN, Told.INSTALLED, Told.RUNS, Told.TRIAL, Told.GOOD), UnitState.GOOD),
        ((Told.SENT, Told.GOOD), UnitState.GOOD),  # everything between was lost
        ((Told.SENT, Told.TAKEN, Told.INSTALLED, Told.TRIAL, Told.ROLLED_BACK), UnitState.ROLLED_BACK),
        ((Told.SENT, Told.TAKEN, Told.GOOD, Told.ROLLED_BACK), UnitState.ROLLED_BACK),  # hung after an hour
        ((Told.SENT, Told.TAKEN, Told.ROLLED_BACK, Told.GOOD), UnitState.ROLLED_BACK),
        ((Told.SENT, Told.TAKEN, Told.GOOD, Told.CORRUPT), UnitState.CORRUPT),
        ((Told.SENT, Told.GOOD, Told.CORRUPT, Told.INSTALLED, Told.GOOD), UnitState.GOOD),  # it was installed again
        ((Told.SENT, Told.REFUSED), UnitState.REFUSED),
        ((Told.SENT, Told.TAKEN, Told.WITHDRAWN), UnitState.WITHDRAWN),
        ((Told.SENT, Told.TAKEN, Told.WITHDRAWN, Told.TRIAL), UnitState.TRIAL),  # the unit had it already
        ((Told.SENT, Told.REFUSED, Told.TRIAL), UnitState.TRIAL),  # the command came twice
        ((Told.TAKEN,), UnitState.WAITING),  # without a command
        ((Told.RUNS,), UnitState.GOOD),  # by cable
    ],
)
def test_a_unit_goes_by_its_own_words(told: tuple[Told, ...], state: UnitState) -> None:
    assert after(*told) is state


@given(st.lists(st.sampled_from(Told), max_size=20))
def test_no_words_bring_a_unit_back_from_where_it_went_back(told: list[Told]) -> None:
    state = UnitState.WAITING
    for one in told:
        later = unit_after(state, one)
        if state is UnitState.ROLLED_BACK:
            assert later is state
        if state in (UnitState.TRIAL, UnitState.GOOD):
            assert later not in LOADING
        state = later
