"""Is an unknown time a state, a step of the time an event, and drift neither?"""

import pytest

from firmware.wall_clock import CLOUD, CONSOLE, EARLIEST_S, NETWORK, NETWORK_MAX_S, STEP_S, WallClock
from tests.firmware.link.fake_clock import FakeClock

NOON_S = EARLIEST_S + 43200


def known():
    clock = FakeClock()
    clock.now = 10000
    wall_clock = WallClock(clock)
    return clock, wall_clock, wall_clock.set(NOON_S, NETWORK)


def test_unknown_until_told():
    wall_clock = WallClock(FakeClock())
    assert wall_clock.now() is None and wall_clock.at(0) is None


@pytest.mark.parametrize("said", [None, 0, -1, 1072915200, EARLIEST_S - 1])
def test_a_time_that_cannot_be_true_says_nothing(said):
    wall_clock = WallClock(FakeClock())
    assert wall_clock.set(said, NETWORK) is None
    assert wall_clock.now() is None


def test_once_known_it_runs_on_our_own_clock_also_backwards():
    clock, wall_clock, step_s = known()
    assert step_s == 0
    clock.now += 90000
    assert wall_clock.now() == NOON_S + 90
    assert wall_clock.at(0) == NOON_S - 10


@pytest.mark.parametrize("off_s", [1 - STEP_S, 0, STEP_S - 1])
def test_drift_is_corrected_without_a_word(off_s):
    _, wall_clock, _ = known()
    assert wall_clock.set(NOON_S + off_s, NETWORK) is None
    assert wall_clock.now() == NOON_S + off_s


@pytest.mark.parametrize("off_s", [STEP_S, -STEP_S, 86400, -3600])
def test_a_step_is_told(off_s):
    _, wall_clock, _ = known()
    assert wall_clock.set(NOON_S + off_s, NETWORK) == off_s
    assert wall_clock.now() == NOON_S + off_s


@pytest.mark.parametrize("source, off_s", [(CLOUD, 3600), (CLOUD, -3600), (CLOUD, 5 * 86400), (CONSOLE, 3 * 31557600)])
def test_a_network_that_is_wrong_is_corrected_and_believed_no_more(source, off_s):
    _, wall_clock, _ = known()
    assert wall_clock.set(NOON_S + off_s, source) == off_s
    assert wall_clock.set(NOON_S, NETWORK) is None
    assert wall_clock.now() == NOON_S + off_s
    assert wall_clock.set(NOON_S, CLOUD) == -off_s


def test_a_network_that_is_decades_ahead_is_not_believed():
    wall_clock = WallClock(FakeClock())
    assert wall_clock.set(NETWORK_MAX_S + 1, NETWORK) is None
    assert wall_clock.now() is None
    assert wall_clock.set(NETWORK_MAX_S + 1, CLOUD) == 0
