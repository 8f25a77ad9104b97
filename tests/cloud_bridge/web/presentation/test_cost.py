"""Is a session's cost the sum over its time, also across midnight and when the clocks change?"""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cloud_bridge.charging_hours import stored
from cloud_bridge.currencies import CURRENCIES
from cloud_bridge.store.sites import Tariff
from cloud_bridge.web.presentation.cost import Span, cost, tariff_words

LONDON = "Europe/London"
BEGINS = [  # nights in winter and summer, and those in which the clocks go forward and back
    datetime(2026, 1, 10, 18, tzinfo=UTC),
    datetime(2026, 7, 10, 18, tzinfo=UTC),
    datetime(2026, 3, 28, 18, tzinfo=UTC),
    datetime(2026, 10, 24, 18, tzinfo=UTC),
]
minutes = st.integers(0, 1439)


def summed(energy_wh: int, started_s: int, ended_s: int, tariff: Tariff, zone: str) -> float:
    """Compute the cost second by second from the wall clock, independently."""
    night = {(tariff.off_peak_from + n) % 1440 for n in range((tariff.off_peak_to - tariff.off_peak_from) % 1440)}
    rates = []
    for at_s in range(started_s, ended_s):
        wall = (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=at_s)).astimezone(ZoneInfo(zone))
        rates.append((tariff.off_peak_rate or 0) if wall.hour * 60 + wall.minute in night else tariff.rate)
    return energy_wh / len(rates) * sum(rates) / 100_000


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(BEGINS),
    st.integers(0, 12 * 3600),
    st.integers(1, 9000),
    minutes,
    minutes,
    st.sampled_from([LONDON, "Europe/Berlin", "Asia/Kolkata", "Australia/Lord_Howe"]),
)
def test_the_cost_is_the_sum_over_the_time(
    begin: datetime, after_s: int, lasting_s: int, from_min: int, to_min: int, zone: str
) -> None:
    started_s = int(begin.timestamp()) + after_s
    tariff = Tariff(2800, 850, from_min, to_min)
    spent = cost(22_000, Span(started_s, started_s + lasting_s), tariff, zone)
    assert spent == pytest.approx(summed(22_000, started_s, started_s + lasting_s, tariff, zone))


@pytest.mark.parametrize(
    ("night", "cheap_hours", "hours"),
    [("2026-01-10", 6, 12), ("2026-03-28", 5, 11), ("2026-10-24", 7, 13)],
)
def test_the_night_of_23_30_to_05_30_is_an_hour_shorter_or_longer_when_the_clocks_change(
    night: str, cheap_hours: int, hours: int
) -> None:
    begin = datetime.fromisoformat(f"{night}T20:00").replace(tzinfo=ZoneInfo(LONDON))
    end_s = int((datetime.fromisoformat(f"{night}T08:00") + timedelta(days=1)).replace(tzinfo=begin.tzinfo).timestamp())
    began_s = int(begin.timestamp())
    assert end_s - began_s == hours * 3600
    tariff = Tariff(hours * 100, 0, 23 * 60 + 30, 5 * 60 + 30)
    assert cost(1000, Span(began_s, end_s), tariff, LONDON) == pytest.approx(hours - cheap_hours)


def test_the_energy_lies_in_the_hours_of_charging() -> None:
    """Plugged in from 18:00 to 08:00: energy charged only from 00:30 to 05:30 only costs the off-peak rate."""
    began_s = int(datetime(2026, 1, 10, 18, tzinfo=UTC).timestamp())
    go, ended_s = Tariff(2800, 850, 30, 330), began_s + 14 * 3600
    for hours, pence in (
        ("mon-sun 00:00-00:30 05:30-24:00", 85),
        ("mon-sun 00:00-00:30 01:30-05:30 06:30-24:00", (85 + 280) / 2),  # one hour at each rate
        ("mon-sun 00:00-24:00", (5 * 85 + 9 * 280) / 14),  # never: the hours were not followed
        ("off", (5 * 85 + 9 * 280) / 14),
    ):
        allowed = stored(hours)
        assert allowed is not None
        assert cost(10_000, Span(began_s, ended_s, allowed), go, LONDON) == pytest.approx(pence), hours


def test_a_part_of_a_minute_counts_as_that_part() -> None:
    at_s = int(datetime(2026, 1, 10, 23, 29, 50, tzinfo=UTC).timestamp())
    assert cost(1000, Span(at_s, at_s + 20), Tariff(2000, 1000, 23 * 60 + 30, 330), LONDON) == pytest.approx(15)


def test_a_tariff_in_words() -> None:
    night = Tariff(2800, 850, 30, 330)
    assert tariff_words(night, CURRENCIES["GBP"]) == "8.5p per kWh from 00:30 to 05:30, 28p at other times"
    assert tariff_words(Tariff(3050), CURRENCIES["EUR"]) == "30.5 cents per kWh"
