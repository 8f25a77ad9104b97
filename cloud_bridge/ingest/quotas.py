"""Message quotas: a token bucket for each unit. Pure: times are seconds of a monotonic clock.

A charging unit sends one message a minute. After days without a network it also sends its outbox, of at most 300
records (firmware/storage/outbox.py). So a unit that works correctly never empties its bucket.
"""

from collections import OrderedDict
from typing import NamedTuple

BURST = 5000  # packets at once: sixteen full outboxes
PER_S = 1.0  # sustained rate: sixty times that of a charging unit
MAX_UNITS = (
    10_000  # buckets in memory; that of the unit without a packet for the longest time is dropped, and is then full
)


class Used(NamedTuple):
    """The used part of a bucket at a given time."""

    packets: float
    at_s: float


class Quotas:
    """The buckets that are not full. After a restart all buckets are full."""

    def __init__(self, burst: int = BURST, per_s: float = PER_S) -> None:
        self._burst, self._per_s = burst, per_s
        self._used: OrderedDict[str, Used] = OrderedDict()

    def take(self, unit_id: str, now_s: float) -> bool:
        """Take one packet from the unit's bucket. Return False if it is empty; a refused packet uses nothing."""
        before = self._used.get(unit_id)
        used = 0.0 if before is None else max(0.0, before.packets - (now_s - before.at_s) * self._per_s)
        if used + 1 > self._burst:
            return False
        self._used[unit_id] = Used(used + 1, now_s)
        self._used.move_to_end(unit_id)
        if len(self._used) > MAX_UNITS:
            self._used.popitem(last=False)
        return True
