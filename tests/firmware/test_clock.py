"""Is the platform's clock read with its own epoch, and set to the day of the build if it is behind that?"""

import time

import pytest

from firmware.clock import EPOCH_2000_S, at_least, epoch_s
from firmware.version import BUILT_S
from firmware.wall_clock import EARLIEST_S


class Port:
    """A platform whose clock counts from `year`, and has counted `seconds`."""

    def __init__(self, year, seconds):
        self.year, self.seconds = year, seconds
        self.told = []

    def gmtime(self, seconds):
        return (self.year, 1, 1, 0, 0, 0, 0, 1)

    def time(self):
        return self.seconds


@pytest.mark.parametrize(("year", "epoch"), [(1970, 0), (2000, EPOCH_2000_S)])
def test_the_epoch_is_what_the_platform_says(year, epoch):
    assert epoch_s(Port(year, 0)) == epoch


def test_the_platform_of_this_test_is_understood():
    assert time.time() + epoch_s(time) > EARLIEST_S


@pytest.mark.parametrize(
    ("year", "seconds"),
    [(2000, 0), (2000, 3600), (2000, BUILT_S - EPOCH_2000_S - 1), (1970, 0), (1970, BUILT_S - 1)],
)
def test_a_clock_that_is_behind_the_build_is_put_to_its_day(year, seconds):
    port = Port(year, seconds)
    at_least(port, BUILT_S, port.told.append)
    assert port.told == [BUILT_S]


@pytest.mark.parametrize(("year", "seconds"), [(2000, BUILT_S - EPOCH_2000_S), (1970, BUILT_S), (1970, BUILT_S + 9)])
def test_a_clock_that_may_be_right_is_left_alone(year, seconds):
    port = Port(year, seconds)
    at_least(port, BUILT_S, port.told.append)
    assert port.told == []


def test_the_build_is_no_earlier_than_any_time_that_is_believed():
    assert BUILT_S >= EARLIEST_S
