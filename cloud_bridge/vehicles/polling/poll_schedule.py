"""How often a car is polled. Pure.

Often enough for a dashboard while it charges, and seldom otherwise. After failures with exponential backoff, and not before
the time that the provider names.
"""

from cloud_bridge.durations import MINUTE_MS
from cloud_bridge.vehicles.linking.link import Link
from cloud_bridge.vehicles.providers.provider import Reading
from cloud_bridge.vehicles.providers.provider_errors import AUTHORISE_AGAIN, Trouble

CHARGING_MS = 10 * MINUTE_MS
IDLE_MS = 30 * MINUTE_MS
FIRST_RETRY_MS = MINUTE_MS // 2  # within the shortest grace period for a refresh whose response was lost (README.md)
LONGEST_RETRY_MS = 60 * MINUTE_MS
LOST_MS = 24 * 60 * MINUTE_MS  # a withdrawn consent is restored without the driver only if the provider was wrong


def next_look_ms(link: Link, reading: Reading | None, failures: int, retry_after_ms: int | None = None) -> int:
    """Return how long to wait before the next poll. `failures` are consecutive and include this poll."""
    if (
        link.reason in AUTHORISE_AGAIN and link.reason is not Trouble.REFUSED
    ):  # the operator may be able to end a refusal
        return LOST_MS
    if failures:
        backoff_ms = min(FIRST_RETRY_MS << min(failures - 1, 16), LONGEST_RETRY_MS)
        return max(backoff_ms, retry_after_ms or 0)
    return CHARGING_MS if reading is not None and reading.charging else IDLE_MS
