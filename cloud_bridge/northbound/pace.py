"""How often something may happen. Pure; times are seconds, monotonic."""

import random
from collections import deque

FIRST_S, MOST_S = 5.0, 300.0


class Pace:
    """Allows at most a number of events within a time."""

    def __init__(self, most: int, within_s: float) -> None:
        self._within_s = within_s
        self._times_s: deque[float] = deque(maxlen=most)

    def take(self, now_s: float) -> bool:
        """Return whether one more is allowed now; if so, it is counted."""
        if len(self._times_s) == self._times_s.maxlen and now_s - self._times_s[0] < self._within_s:
            return False
        self._times_s.append(now_s)
        return True


def wait_s(failures: int) -> float:
    """How long to wait before the next try, after so many failures in a row: longer each time, and partly random, so
    that many do not try at the same moment."""
    longest_s = min(FIRST_S * 2.0 ** min(failures, 16), MOST_S)
    return longest_s * random.uniform(0.5, 1.0)
