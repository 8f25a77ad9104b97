"""How much one unit may send: a token bucket for each. Pure: times are seconds of a monotonic clock.

A unit that charges sends a message a minute, and after days without a network at most all of its outbox (300 records,
firmware/storage/outbox.py). So an honest unit never empties its bucket, whatever has happened to it.
"""

from collections import OrderedDict
from typing import NamedTuple

BURST = 5000  # packets at once: sixteen full outboxes
PER_S = 1.0  # and for ever: sixty times what a unit that charges sends
MAX_UNITS = (
    10_000  # those that were longest without a packet are forgotten, and with that forgiven: their bucket is full
)


class Used(NamedTuple):
    """Of one bucket."""

    packets: float
    at_s: float


class Quotas:
    """The buckets that are not full. A restart forgives."""

    def __init__(self, burst: int = BURST, per_s: float = PER_S) -> None:
        self._burst, self._per_s = burst, per_s
        self._used: OrderedDict[str, Used] = OrderedDict()

    def take(self, unit_id: str, now_s: float) -> bool:
        """Whether the unit may send one more packet; what is refused uses nothing."""
        before = self._used.get(unit_id)
        used = 0.0 if before is None else max(0.0, before.packets - (now_s - before.at_s) * self._per_s)
        if used + 1 > self._burst:
            return False
        self._used[unit_id] = Used(used + 1, now_s)
        self._used.move_to_end(unit_id)
        if len(self._used) > MAX_UNITS:
            self._used.popitem(last=False)
        return True
