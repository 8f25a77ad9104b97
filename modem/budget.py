"""Budgets of so many a day: the times at which something was done, as a list that is kept in flash. Pure."""

HOUR_S = 3_600
DAY_S = 24 * HOUR_S


def times(stored) -> list:
    """Times from flash, as far as they are any."""
    stored = stored if isinstance(stored, list) else []
    return [time for time in stored if isinstance(time, int) and time >= 0]


def recent(done: list, now_s: int) -> list:
    """Those of the last 24 hours."""
    return [time for time in done if now_s - time < DAY_S]
