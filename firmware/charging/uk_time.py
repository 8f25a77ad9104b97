"""Local time in Great Britain. Pure integer arithmetic, because the epoch of the time module differs between boards.

Summer time runs from the last Sunday of March to the last Sunday of October, changing at 01:00 UTC (Summer Time Act 1972
as amended in 2002).
"""

DAY_S, HOUR_S = 86400, 3600
MARCH, OCTOBER = 3, 10


def local(epoch_s: int) -> tuple[int, int]:
    """Return (weekday, seconds since midnight) of local time; Monday is 0. `epoch_s`: seconds since 1970, UTC."""
    local_s = epoch_s + (HOUR_S if is_summer(epoch_s) else 0)
    return _weekday(local_s // DAY_S), local_s % DAY_S


def is_summer(epoch_s: int) -> bool:
    """Return whether summer time is in force at `epoch_s`."""
    year = (
        1970 + epoch_s // DAY_S * 400 // 146097
    )  # 146097 days in 400 years; may be one too high around New Year, which is never in summer
    return _change_s(year, MARCH) <= epoch_s < _change_s(year, OCTOBER)


def _change_s(year: int, month: int) -> int:
    """Return 01:00 UTC on the last Sunday of a month of 31 days, in seconds since 1970."""
    last = _days(year, month, 31)
    return (last - (_weekday(last) + 1) % 7) * DAY_S + HOUR_S


def _weekday(days: int) -> int:
    return (days + 3) % 7  # 1 January 1970 was a Thursday


def _days(year: int, month: int, day: int) -> int:
    """Return the days from 1 January 1970 to this Gregorian date. Years begin in March, so that the leap day is last."""
    if month < MARCH:
        year, month = year - 1, month + 12
    return 365 * year + year // 4 - year // 100 + year // 400 + (153 * (month - MARCH) + 2) // 5 + day - 719469
