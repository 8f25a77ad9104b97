"""How far an installer's job is, for the driver of the charge point. Pure."""

from cloud_bridge.durations import DAY_MS
from cloud_bridge.store.jobs import Progress
from cloud_bridge.web.presentation import words

DONE_FOR_MS = 7 * DAY_MS  # as long as that a job is done is news


def told(job: Progress | None, now_ms: int, time_zone: str) -> str | None:
    """None: there is nothing to say. The latest step is told, with its day."""
    if job is None:
        return None
    if job.closed_ms is not None:
        is_news = now_ms - job.closed_ms < DONE_FOR_MS
        return f"The work at your charger was done on {words.day(job.closed_ms, time_zone)}." if is_news else None
    if job.visited_ms is not None:
        visited = words.day(job.visited_ms, time_zone)
        return f"An installer was at your charger on {visited}. The work is not closed yet."
    if not job.has_installer:
        return "We are looking for an installer for your charger."
    return f"Your installer was asked on {words.day(job.raised_ms, time_zone)} to look at your charger."
