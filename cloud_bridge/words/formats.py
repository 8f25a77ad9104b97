"""Dates, times, numbers, durations and money in the current language. Pure, except that the language is a context variable.

English is formatted here, in our own style: "Sun 22 Nov, 07:42". Every other language is formatted by the CLDR (Babel), so a
new language needs no code here. The 24-hour clock is used everywhere.
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

NEVER_COARSER = 10**6  # for format_timedelta, which would otherwise round up to the next unit


@cache
def _locale_of(language: str) -> Locale:
    return Locale.parse(language)


def _locale() -> Locale | None:
    """Return the locale, or None for English."""
    language = language_now()
    return None if language == ENGLISH else _locale_of(language)


def weekday(at: date) -> str:
    """Return a weekday: Sun."""
    locale = _locale()
    return f"{at:%a}" if locale is None else format_skeleton("E", at, locale=locale)


def weekday_day(at: date) -> str:
    """Return a day: Sun 22 Nov."""
    locale = _locale()
    return f"{at:%a} {at.day} {at:%b}" if locale is None else format_skeleton("MMMEd", at, locale=locale)


def weekday_day_year(at: date) -> str:
    """Return a day: Sun 22 Nov 2026."""
    locale = _locale()
    return f"{at:%a} {at.day} {at:%b %Y}" if locale is None else format_skeleton("yMMMEd", at, locale=locale)


def weekday_time(at: datetime) -> str:
    """Return a time: Sun, 07:42."""
    return f"{weekday(at)}, {at:%H:%M}"


def day(at: date) -> str:
    """Return a day: 22 Nov."""
    locale = _locale()
    return f"{at.day} {at:%b}" if locale is None else format_skeleton("MMMd", at, locale=locale)


def day_year(at: date) -> str:
    """Return a day: 22 Nov 2026."""
    locale = _locale()
    return f"{at.day} {at:%b %Y}" if locale is None else format_skeleton("yMMMd", at, locale=locale)


def full_date(at: date) -> str:
    """Return a date: 22 November 2026."""
    locale = _locale()
    return f"{at.day} {at:%B %Y}" if locale is None else format_skeleton("yMMMMd", at, locale=locale)


def month(at: date) -> str:
    """Return a month: November 2026."""
    locale = _locale()
    return f"{at:%B %Y}" if locale is None else format_skeleton("yMMMM", at, locale=locale)


def lasting(number: int, unit: str) -> str:
    """Return a duration: 31 minutes. `unit` is second, minute, hour or day. static/age.js produces the same text."""
    locale = _locale()
    if locale is None:
        return f"{number} {unit}" if number == 1 else f"{number} {unit}s"
    return format_unit(number, f"duration-{unit}", locale=locale)


def ago(number: int, unit: str) -> str:
    """Return an age: 31 minutes ago. static/age.js produces the same text."""
    locale = _locale()
    if locale is None:
        return f"{lasting(number, unit)} ago"
    age = -timedelta(**{f"{unit}s": number})
    return format_timedelta(age, granularity=unit, threshold=NEVER_COARSER, add_direction=True, locale=locale)  # type: ignore[arg-type]


def count(value: int) -> str:
    """Return a number: 12,345."""
    locale = _locale()
    return f"{value:,}" if locale is None else format_decimal(value, locale=locale)


def number(value: float, digits: int = 0) -> str:
    """Return a number with so many decimals: 1234.5. Other languages than English also separate thousands: 1.234,5."""
    locale = _locale()
    if locale is None:
        return f"{value:.{digits}f}"
    return format_decimal(value, "#,##0" + ("." + "0" * digits if digits else ""), locale=locale)


def shortest(value: float) -> str:
    """Return a number with as many decimals as it has, at most four: 8.5."""
    locale = _locale()
    return f"{value:g}" if locale is None else format_decimal(value, "#,##0.####", locale=locale)


def as_told(value: float, form: str) -> str:
    """Format a number. `form` is "g" or ",.1f", as in Python's format()."""
    if _locale() is None:
        return f"{value:{form}}"
    return shortest(value) if form == "g" else number(value, int(form.removeprefix(",.").removesuffix("f")))


def percent(share: float, digits: int = 0) -> str:
    """Return a percentage: 99.5% for 0.995."""
    locale = _locale()
    if locale is None:
        return f"{share:.{digits}%}"
    pattern = locale.percent_formats[None].pattern
    return format_percent(share, pattern.replace("0", "0." + "0" * digits) if digits else pattern, locale=locale)


def money(amount: float, code: str, sign: str, digits: int) -> str:
    """Return an amount: £5.54. In English, `sign` is put in front of it."""
    locale = _locale()
    if locale is None:
        return f"{sign}{amount:.{digits}f}"
    pattern = locale.currency_formats["standard"].pattern.partition(";")[0]
    pattern = pattern.replace("0.00", "0." + "0" * digits if digits else "0")
    return format_currency(amount, code, pattern, locale=locale, currency_digits=False)


def listed(names: Sequence[str]) -> str:
    """Return a list: n1, n2 and n3."""
    locale = _locale()
    if locale is not None:
        return format_list(names, locale=locale)
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}" if names else ""


def from_to(first: str, last: str) -> str:
    """Return a range: 9:00 to 12:00."""
    return _("{first} to {last}").format(first=first, last=last)


def name_of(language: str) -> str:
    """Return the language's own name: Deutsch."""
    return (_locale_of(language).get_language_name() or language).capitalize()
