"""Dates, times, numbers, lengths of time and money as the language of now writes them. Pure, but for whose language that is.

English is written here, in our own style: "Sun 22 Nov, 07:42". Every other language is written as the CLDR has it (Babel), so
a new language needs nothing here. Clocks have 24 hours everywhere.
"""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from functools import cache

from babel import Locale
from babel.dates import format_skeleton, format_timedelta
from babel.lists import format_list
from babel.numbers import format_currency, format_decimal, format_percent
from babel.units import format_unit

from cloud_bridge.words.catalogues import ENGLISH
from cloud_bridge.words.language import gettext as _
from cloud_bridge.words.language import language_now

NEVER_COARSER = 10**6  # for format_timedelta, which would say "in a minute" from 51 seconds on


@cache
def _locale_of(language: str) -> Locale:
    return Locale.parse(language)


def _locale() -> Locale | None:
    """None: English."""
    language = language_now()
    return None if language == ENGLISH else _locale_of(language)


def weekday(at: date) -> str:
    """Sun"""
    locale = _locale()
    return f"{at:%a}" if locale is None else format_skeleton("E", at, locale=locale)


def weekday_day(at: date) -> str:
    """Sun 22 Nov"""
    locale = _locale()
    return f"{at:%a} {at.day} {at:%b}" if locale is None else format_skeleton("MMMEd", at, locale=locale)


def weekday_day_year(at: date) -> str:
    """Sun 22 Nov 2026"""
    locale = _locale()
    return f"{at:%a} {at.day} {at:%b %Y}" if locale is None else format_skeleton("yMMMEd", at, locale=locale)


def weekday_time(at: datetime) -> str:
    """Sun, 07:42"""
    return f"{weekday(at)}, {at:%H:%M}"


def day(at: date) -> str:
    """22 Nov"""
    locale = _locale()
    return f"{at.day} {at:%b}" if locale is None else format_skeleton("MMMd", at, locale=locale)


def day_year(at: date) -> str:
    """22 Nov 2026"""
    locale = _locale()
    return f"{at.day} {at:%b %Y}" if locale is None else format_skeleton("yMMMd", at, locale=locale)


def full_date(at: date) -> str:
    """22 November 2026"""
    locale = _locale()
    return f"{at.day} {at:%B %Y}" if locale is None else format_skeleton("yMMMMd", at, locale=locale)


def month(at: date) -> str:
    """November 2026"""
    locale = _locale()
    return f"{at:%B %Y}" if locale is None else format_skeleton("yMMMM", at, locale=locale)


def lasting(number: int, unit: str) -> str:
    """31 minutes. `unit`: second, minute, hour, day. static/age.js says the same."""
    locale = _locale()
    if locale is None:
        return f"{number} {unit}" if number == 1 else f"{number} {unit}s"
    return format_unit(number, f"duration-{unit}", locale=locale)


def ago(number: int, unit: str) -> str:
    """31 minutes ago. static/age.js says the same."""
    locale = _locale()
    if locale is None:
        return f"{lasting(number, unit)} ago"
    age = -timedelta(**{f"{unit}s": number})
    return format_timedelta(age, granularity=unit, threshold=NEVER_COARSER, add_direction=True, locale=locale)  # type: ignore[arg-type]


def count(value: int) -> str:
    """12,345"""
    locale = _locale()
    return f"{value:,}" if locale is None else format_decimal(value, locale=locale)


def number(value: float, digits: int = 0) -> str:
    """With so many decimals: 1234.5; where English is not read, thousands are set apart: 1.234,5."""
    locale = _locale()
    if locale is None:
        return f"{value:.{digits}f}"
    return format_decimal(value, "#,##0" + ("." + "0" * digits if digits else ""), locale=locale)


def shortest(value: float) -> str:
    """With as many decimals as it has, four at most: 8.5"""
    locale = _locale()
    return f"{value:g}" if locale is None else format_decimal(value, "#,##0.####", locale=locale)


def as_told(value: float, form: str) -> str:
    """`form`: "g" or ",.1f", as Python's format() has it for English."""
    if _locale() is None:
        return f"{value:{form}}"
    return shortest(value) if form == "g" else number(value, int(form.removeprefix(",.").removesuffix("f")))


def percent(share: float, digits: int = 0) -> str:
    """99.5%, of 0.995"""
    locale = _locale()
    if locale is None:
        return f"{share:.{digits}%}"
    pattern = locale.percent_formats[None].pattern
    return format_percent(share, pattern.replace("0", "0." + "0" * digits) if digits else pattern, locale=locale)


def money(amount: float, code: str, sign: str, digits: int) -> str:
    """£5.54; `sign` stands before the amount in English."""
    locale = _locale()
    if locale is None:
        return f"{sign}{amount:.{digits}f}"
    pattern = locale.currency_formats["standard"].pattern.partition(";")[0]
    pattern = pattern.replace("0.00", "0." + "0" * digits if digits else "0")
    return format_currency(amount, code, pattern, locale=locale, currency_digits=False)


def listed(names: Sequence[str]) -> str:
    """n1, n2 and n3"""
    locale = _locale()
    if locale is not None:
        return format_list(names, locale=locale)
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}" if names else ""


def from_to(first: str, last: str) -> str:
    """9:00 to 12:00"""
    return _("{first} to {last}").format(first=first, last=last)


def name_of(language: str) -> str:
    """In itself: Deutsch"""
    return (_locale_of(language).get_language_name() or language).capitalize()
