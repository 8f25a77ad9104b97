"""Are the owner's hours kept to the second, in local time, and is an unknown time no reason to wait?"""

import pytest

from firmware.charging import schedule

MONDAY_S = 1768176000  # 12 January 2026, 00:00 UTC, winter
SUMMER_MONDAY_S = 1783897200  # 13 July 2026, 00:00 in London, 23:00 UTC of the day before
DEFAULT = schedule.read("default")


def at(start_s, day, clock):
    hours, minutes, seconds = clock.split(":")
    return start_s + day * 86400 + int(hours) * 3600 + int(minutes) * 60 + int(seconds)


@pytest.mark.parametrize(
    "day, clock, avoided",
    [
        (0, "07:59:59", False),
        (0, "08:00:00", True),
        (0, "10:59:59", True),
        (0, "11:00:00", False),
        (4, "15:59:59", False),
        (4, "16:00:00", True),
        (4, "21:59:59", True),
        (4, "22:00:00", False),
        (5, "09:00:00", False),
        (6, "18:00:00", False),
    ],
)
def test_the_default_hours_avoid_weekdays_8_to_11_and_16_to_22_in_local_time(day, clock, avoided):
    """[R10a] [R10d]"""
    for monday_s in (MONDAY_S, SUMMER_MONDAY_S):
        assert (schedule.avoided_until(DEFAULT, at(monday_s, day, clock)) is not None) == avoided


def test_on_the_day_the_clocks_change_local_time_rules():
    """[R10d] Friday before and Monday after 29 March 2026, both at 07:30 UTC: 07:30 and 08:30 on the wall."""
    assert schedule.avoided_until(DEFAULT, 1774596600) is None
    assert schedule.avoided_until(DEFAULT, 1774855800) is not None


def test_an_unknown_time_charges():
    """[R10e]"""
    assert schedule.avoided_until(DEFAULT, None) is None


@pytest.mark.parametrize("text", ["", "off"])
def test_nothing_is_avoided_before_the_owner_has_chosen_or_when_it_was_removed(text):
    """[R10b] [R10c]"""
    assert schedule.read(text) == ()


def test_the_owners_own_hours():
    """[R10c]"""
    hours = schedule.read("sat 10:00-12:00; mon-fri 00:00-24:00")
    assert schedule.avoided_until(hours, at(MONDAY_S, 5, "11:59:59")) == 12 * 3600
    assert schedule.avoided_until(hours, at(MONDAY_S, 4, "23:59:59")) == 24 * 3600
    assert schedule.avoided_until(hours, at(MONDAY_S, 5, "00:00:00")) is None


BAD = [
    "mon",
    "monday 08:00-11:00",
    "fri-mon 08:00-11:00",
    "mon 11:00-08:00",
    "mon 8:00-11:00",
    "mon 24:01-24:02",
    ";",
    "mon 08:60-09:00",
]


@pytest.mark.parametrize("text", BAD)
def test_a_text_that_is_no_schedule_is_refused_with_a_reason(text):
    assert schedule.complaint(text)


def test_more_hours_than_a_week_needs_are_refused():
    assert schedule.complaint("; ".join(["mon 08:00-09:00"] * 25))
