"""Are the owner's hours followed to the second, in local time, and does an unknown time cause no wait?"""

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


@pytest.mark.parametrize(
    "text, day, clock, hours",
    [
        ("default", 0, "08:00:00", 3),
        ("mon 22:00-24:00; tue 00:00-05:00", 0, "23:00:00", 6),  # across midnight
        ("mon 08:00-11:00 10:00-12:00", 0, "09:00:00", 3),  # one span leads into the next
        ("mon-fri 00:00-24:00", 0, "12:00:00", 4 * 24 + 12),
        ("mon-sun 00:00-24:00", 0, "12:00:00", None),
        ("default", 0, "12:00:00", 0),
    ],
)
def test_the_end_of_the_hours_is_told(text, day, clock, hours):
    for monday_s in (MONDAY_S, SUMMER_MONDAY_S):
        now_s = at(monday_s, day, clock)
        ends_s = None if hours is None else now_s + hours * 3600
        assert schedule.allowed_again_s(schedule.read(text), now_s) == ends_s


@pytest.mark.parametrize("text", ["mon-sun 00:00-04:00", "sat-sun 00:00-24:00", "sun 01:00-03:00; sat 20:00-24:00"])
def test_the_end_of_the_hours_is_right_when_the_clocks_change(text):
    hours = schedule.read(text)
    for sunday_s in (1774742400, 1792886400):  # 00:00 UTC of 29 March and 25 October 2026
        for now_s in range(sunday_s - 6 * 3600, sunday_s + 5 * 3600, 1800):
            ends_s = now_s
            while schedule.avoided_until(hours, ends_s) is not None:
                ends_s += 1800
            assert schedule.allowed_again_s(hours, now_s) == ends_s


def test_an_end_in_the_hour_that_there_is_not_is_told_all_the_same():
    """29 March 2026 at 00:30 UTC; 01:30 local time does not exist."""
    hours = schedule.read("sun 00:00-01:30")
    assert 1774746000 <= schedule.allowed_again_s(hours, 1774744200) <= 1774749600


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
