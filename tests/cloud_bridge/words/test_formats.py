"""Are dates, numbers, durations and money formatted in the reader's language?"""

from collections.abc import Callable
from datetime import UTC, datetime
from gettext import NullTranslations

import pytest

from cloud_bridge.currencies import CURRENCIES
from cloud_bridge.distances import Distances
from cloud_bridge.months import Month
from cloud_bridge.time_zones import span
from cloud_bridge.web.presentation import words
from cloud_bridge.web.presentation.tariff_form import TariffForm, filled, read
from cloud_bridge.words import formats
from cloud_bridge.words.catalogues import catalogue_of
from cloud_bridge.words.language import speaking

AT = datetime(2026, 11, 22, 7, 42, 11, tzinfo=UTC)
AT_MS = int(AT.timestamp() * 1000)
BERLIN = "Europe/Berlin"
POUNDS, EUROS, FORINTS = CURRENCIES["GBP"], CURRENCIES["EUR"], CURRENCIES["HUF"]
SAID: dict[Callable[[], str], tuple[str, str, str]] = {  # in English, German, French
    lambda: formats.weekday(AT): ("Sun", "So", "dim."),
    lambda: formats.weekday_day(AT): ("Sun 22 Nov", "So., 22. Nov.", "dim. 22 nov."),
    lambda: formats.weekday_time(AT): ("Sun, 07:42", "So, 07:42", "dim., 07:42"),
    lambda: formats.day(AT): ("22 Nov", "22. Nov.", "22 nov."),
    lambda: formats.day_year(AT): ("22 Nov 2026", "22. Nov. 2026", "22 nov. 2026"),
    lambda: formats.full_date(AT): ("22 November 2026", "22. November 2026", "22 novembre 2026"),
    lambda: Month(2026, 11).name: ("November 2026", "November 2026", "novembre 2026"),
    lambda: words.moment(AT_MS, BERLIN): (
        "Sun 22 Nov 2026, 08:42:11 CET",
        "So., 22. Nov. 2026, 08:42:11 CET",
        "dim. 22 nov. 2026, 08:42:11 CET",
    ),
    lambda: words.day_and_time(AT_MS, BERLIN): ("Sun 22 Nov, 08:42", "So., 22. Nov., 08:42", "dim. 22 nov., 08:42"),
    lambda: span(AT_MS, AT_MS + 7_200_000, BERLIN)[:24]: (
        "Sun 22 Nov, 8:42 to 10:4",
        "So., 22. Nov., 8:42 bis ",
        "dim. 22 nov., 8:42 to 10",
    ),
    lambda: words.ago(31 * 60_000): ("31 minutes ago", "vor 31 Minuten", "il y a 31 minutes"),
    lambda: words.ago(3600_000): ("1 hour ago", "vor 1 Stunde", "il y a 1 heure"),
    lambda: words.ago(50 * 3600_000): ("2 days ago", "vor 2 Tagen", "il y a 2 jours"),
    lambda: words.lasting(60_000): ("1 minute", "1 Minute", "1 minute"),
    lambda: words.lasting(50 * 3600_000): ("2 days", "2 Tage", "2\u00a0jours"),
    lambda: formats.number(1234.56, 1): ("1234.6", "1.234,6", "1\u202f234,6"),
    lambda: formats.number(5): ("5", "5", "5"),
    lambda: formats.count(12345): ("12,345", "12.345", "12\u202f345"),
    lambda: formats.shortest(8.5): ("8.5", "8,5", "8,5"),
    lambda: formats.percent(0.9956, 1): ("99.6%", "99,6\u00a0%", "99,6\u00a0%"),
    lambda: formats.percent(0.4): ("40%", "40\u00a0%", "40\u00a0%"),
    lambda: formats.as_told(1234.5, ",.1f"): ("1,234.5", "1.234,5", "1\u202f234,5"),
    lambda: formats.as_told(6.5, "g"): ("6.5", "6,5", "6,5"),
    lambda: POUNDS.amount(123456): ("£1234.56", "1.234,56\u00a0£", "1\u202f234,56\u00a0£GB"),
    lambda: EUROS.amount(5): ("€0.05", "0,05\u00a0€", "0,05\u00a0€"),
    lambda: FORINTS.amount(12345): ("HUF 12345", "12.345\u00a0HUF", "12\u202f345\u00a0HUF"),
    lambda: EUROS.rate(850): ("8.5 cents", "8,5 Cent", "8,5 cents"),
    lambda: Distances.KILOMETRES.words(1234): ("1234 km", "1.234 km", "1\u202f234 km"),
    lambda: Distances.MILES.words(16.1): ("10 miles", "10 Meilen", "10 miles"),
    lambda: formats.listed(["a", "b", "c"]): ("a, b and c", "a, b und c", "a, b et c"),
    lambda: formats.listed([]): ("", "", ""),
}


@pytest.mark.parametrize("said", SAID, ids=[english for english, _, _ in SAID.values()])
def test_it_is_written_as_the_language_has_it(said: Callable[[], str], monkeypatch: pytest.MonkeyPatch) -> None:
    """French has no catalogue yet, but its dates and numbers need none."""
    monkeypatch.setattr("cloud_bridge.words.language.LANGUAGES", ("en", "de", "fr"))
    monkeypatch.setattr("cloud_bridge.words.language.catalogue_of", _no_french)
    for language, expected in zip(("en", "de", "fr"), SAID[said], strict=True):
        with speaking(language):
            assert said() == expected


def _no_french(language: str) -> NullTranslations:
    return NullTranslations() if language == "fr" else catalogue_of(language)


@pytest.mark.parametrize("typed", ["24,5", "24.5", " 24,50 "])
@pytest.mark.parametrize("language", ["en", "de"])
def test_a_price_is_read_with_a_comma_too_and_shown_as_it_is_written_there(language: str, typed: str) -> None:
    tariff = read(TariffForm(typed))
    assert tariff is not None and tariff.rate == 2450
    with speaking(language):
        assert filled(tariff).rate == {"en": "24.5", "de": "24,5"}[language]
        assert read(filled(tariff)) == tariff
