"""Does the clock show British local time, with summer time to the second?"""

import pytest

from firmware.charging import uk_time

# 00:59:59 and 01:00:00 UTC of the days on which the clocks change, from the calendar: 31 March and 27 October 2024, 30 March
# and 26 October 2025, 29 March and 25 October 2026, 28 March and 31 October 2027.
SPRING = (1711846800, 1743296400, 1774746000, 1806195600)
AUTUMN = (1729990800, 1761440400, 1792890000, 1824944400)


@pytest.mark.parametrize("change_s", SPRING)
def test_summer_time_begins_on_the_last_sunday_of_march_at_one(change_s):
    assert not uk_time.is_summer(change_s - 1) and uk_time.is_summer(change_s)
    assert uk_time.local(change_s - 1) == (6, 3599) and uk_time.local(change_s) == (6, 7200)


@pytest.mark.parametrize("change_s", AUTUMN)
def test_summer_time_ends_on_the_last_sunday_of_october_at_one_utc(change_s):
    assert uk_time.is_summer(change_s - 1) and not uk_time.is_summer(change_s)
    assert uk_time.local(change_s - 1) == (6, 7199) and uk_time.local(change_s) == (6, 3600)


def test_summer_time_is_right_for_as_long_as_a_modem_can_tell_the_time():
    """The last Sundays of March and October 2069 (modem/replies.py, CLOCK_YEARS) are the 31st and the 27th."""
    for change_s, is_summer in ((3131917200, True), (3150061200, False)):
        assert uk_time.is_summer(change_s) is is_summer and uk_time.is_summer(change_s - 1) is not is_summer


def test_new_year_belongs_to_the_right_year():
    for new_year_s in (1704067200, 1735689600, 1767225600, 4102444800):  # 2024, 2025, 2026, 2100
        assert not uk_time.is_summer(new_year_s - 1) and not uk_time.is_summer(new_year_s)
        assert uk_time.local(new_year_s)[1] == 0 and uk_time.local(new_year_s - 1)[1] == 86399
    assert uk_time.local(1767225600)[0] == 3  # a Thursday
