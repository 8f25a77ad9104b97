"""The figures of a siege and their limits. Pure."""

from typing import NamedTuple

UNACKNOWLEDGED_LIMIT_S = 5.0
PAGE_P99_LIMIT_MS = 200.0
LOG_LIMIT_KB_PER_MIN = 1000.0
MEMORY_LIMIT_MB = 600.0  # resident: the bridge, and up to four password hashes at 64 MiB each


class Figure(NamedTuple):
    """`limit` is the highest good value. With `is_timed`, a busy machine alone can exceed it."""

    name: str
    value: float
    unit: str
    limit: float
    is_timed: bool = False

    @property
    def is_broken(self) -> bool:
        return self.value > self.limit

    def __str__(self) -> str:
        unit = f" {self.unit}" if self.unit else ""
        verdict = "BROKEN" if self.is_broken else "ok"
        return f"{self.name + ':':<52}{self.value:>10,.1f}{unit}, limit {self.limit:,.0f}{unit}: {verdict}"


class Seen(NamedTuple):
    """The measurements of a siege. Times are in seconds; no list of times is empty."""

    minutes: float
    unit_waits_s: list[float]
    records_lost: int
    page_times_s: list[float]
    pages_failed: int
    server_errors: int
    faults: int
    log_faults: int
    log_bytes: int
    memory_mb: list[float]
    duties_late: int


def p99(values: list[float]) -> float:
    """Return the 99th percentile."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))]


def figures(seen: Seen) -> list[Figure]:
    """Return the figures in the order of the report."""
    return [
        Figure("longest time of a good unit unacknowledged", max(seen.unit_waits_s), "s", UNACKNOWLEDGED_LIMIT_S, True),
        Figure("acknowledged events that are not in the store", seen.records_lost, "", 0),
        Figure("pages of readers, p99", p99(seen.page_times_s) * 1000, "ms", PAGE_P99_LIMIT_MS, True),
        Figure("pages of readers without an answer of 200", seen.pages_failed, "", 0),
        Figure("answers 5xx to anybody", seen.server_errors, "", 0),
        Figure("other faults that attackers found", seen.faults, "", 0),
        Figure("errors and tracebacks in the log", seen.log_faults, "", 0),
        Figure("growth of the log", seen.log_bytes / 1000 / seen.minutes, "kB/min", LOG_LIMIT_KB_PER_MIN),
        Figure("highest memory of the bridge", max(seen.memory_mb), "MB", MEMORY_LIMIT_MB),
        Figure("duties that are late at the end", seen.duties_late, "", 0, True),
    ]
