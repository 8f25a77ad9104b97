"""Does a month begin and end at local midnight of the site, also when the clocks change in it?"""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud_bridge.durations import DAY_MS, HOUR_MS
from cloud_bridge.months import Month, month_of, months_back, read_month

ZONES = ["Europe/London", "Europe/Berlin", "Asia/Kolkata", "Pacific/Auckland", "America/Sao_Paulo", "UTC", "Mars/Base"]
months = st.builds(Month, st.integers(2020, 2098), st.integers(1, 12))


def utc_ms(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


@pytest.mark.parametrize(
    ("month", "zone", "begins", "hours"),
    [
        (Month(2026, 10), "Europe/London", "2026-09-30T23:00", 31 * 24 + 1),
        (Month(2026, 3), "Europe/Berlin", "2026-02-28T23:00", 31 * 24 - 1),
        (Month(2026, 2), "Europe/Berlin", "2026-01-31T23:00", 28 * 24),
    ],
)
def test_the_month_in_which_the_clocks_change_is_an_hour_longer_or_shorter(
    month: Month, zone: str, begins: str, hours: int
) -> None:
    assert month.begins_ms(zone) == utc_ms(begins)
    assert month.ends_ms(zone) - month.begins_ms(zone) == hours * HOUR_MS


@given(months, st.sampled_from(ZONES))
def test_every_moment_is_in_the_month_that_the_clock_of_the_site_shows(month: Month, zone: str) -> None:
    begins_ms, ends_ms = month.begins_ms(zone), month.ends_ms(zone)
    assert month_of(begins_ms, zone) == month_of(ends_ms - 1, zone) == month
    assert month_of(begins_ms - 1, zone) == month.before and month_of(ends_ms, zone) == month.after
    assert month.before.after == month
    assert 27 * DAY_MS < ends_ms - begins_ms < 32 * DAY_MS
    assert read_month(str(month)) == month


@pytest.mark.parametrize(
    "text", ["", "2026", "2026-13", "2026-00", "2026-1", "1999-12", "2100-01", "2026-10\n", "٢٠٢٦-١٠"]
)
def test_what_is_no_month(text: str) -> None:
    assert read_month(text) is None


def test_months_back_are_the_newest_first_and_bounded() -> None:
    assert months_back(Month(2026, 2), Month(2025, 12), 9) == [Month(2026, 2), Month(2026, 1), Month(2025, 12)]
    assert months_back(Month(2026, 2), Month(2020, 1), 2) == [Month(2026, 2), Month(2026, 1)]
    assert Month(2026, 10).name == "October 2026"
