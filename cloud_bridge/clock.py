"""The bridge's clock: UTC in whole milliseconds since 1970. Tests and the composition root hand one in."""

import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Anything that can tell the time."""

    def now_ms(self) -> int:
        """UTC, milliseconds since 1970-01-01."""
        ...


class SystemClock:
    """The machine's wall clock."""

    def now_ms(self) -> int:
        return time.time_ns() // 1_000_000


def iso_utc(at_ms: int) -> str:
    """ISO 8601 in UTC with milliseconds and Z, as in the HTTP interface: 2026-01-31T09:30:00.000Z."""
    moment = datetime.fromtimestamp(at_ms // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{moment}.{at_ms % 1000:03d}Z"
