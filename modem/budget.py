"""Daily budgets: a list of the times of an action in the last 24 hours, which is stored in flash. Pure."""

HOUR_S = 3_600
DAY_S = 24 * HOUR_S


def times(stored: object) -> list[int]:
    """Return the valid times, seconds, of a list read from flash; [] if it is not a list."""
    stored = stored if isinstance(stored, list) else []
    return [time for time in stored if isinstance(time, int) and time >= 0]


def recent(done: list[int], now_s: int) -> list[int]:
    """Return the times in `done` that lie within the 24 hours before `now_s`."""
    return [time for time in done if now_s - time < DAY_S]
