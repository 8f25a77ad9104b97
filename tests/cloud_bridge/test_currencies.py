"""Is money formatted as usual at the site, and rounded once?"""

from zoneinfo import available_timezones

import pytest

from cloud_bridge.currencies import _OF_ZONE, CURRENCIES, currency_for


@pytest.mark.parametrize(
    ("code", "minor", "text", "major"),
    [
        ("GBP", 553.75, "£5.54", 5.54),
        ("EUR", 553.75, "€5.54", 5.54),
        ("CHF", 5, "CHF 0.05", 0.05),
        ("JPY", 553.75, "¥554", 554),
        ("HUF", 1234.4, "HUF 1234", 1234),
    ],
)
def test_an_amount(code: str, minor: float, text: str, major: float) -> None:
    currency = CURRENCIES[code]
    assert (currency.amount(minor), currency.major(minor)) == (text, major)


@pytest.mark.parametrize(
    ("zone", "code"),
    [
        ("Europe/London", "GBP"),
        ("Europe/Jersey", "GBP"),
        ("Europe/Dublin", "EUR"),
        ("Europe/Berlin", "EUR"),
        ("Europe/Zurich", "CHF"),
        ("America/New_York", "USD"),
        ("Africa/Lagos", "GBP"),  # not obvious: the owner chooses
        ("Europe/Atlantis", "GBP"),
    ],
)
def test_the_currency_of_a_site_is_that_of_its_time_zone_until_its_owner_says_otherwise(zone: str, code: str) -> None:
    assert currency_for(None, zone).code == code
    assert currency_for("SEK", zone).code == "SEK"
    assert currency_for("of a newer version", zone).code == code


def test_rates() -> None:
    assert CURRENCIES["GBP"].rate(850) == "8.5p"
    assert CURRENCIES["EUR"].rate(3000) == "30 cents"


def test_every_zone_is_one_and_has_one_currency() -> None:
    assert set(_OF_ZONE) <= available_timezones()
    assert set(_OF_ZONE.values()) <= set(CURRENCIES)
