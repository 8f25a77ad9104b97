"""How often something may be. Pure; times are seconds, monotonic."""

import random
from collections import deque

FIRST_S, MOST_S = 5.0, 300.0


class Pace:
    """At most so many within so long."""

    def __init__(self, most: int, within_s: float) -> None:
        self._within_s = within_s
        self._times_s: deque[float] = deque(maxlen=most)

    def take(self, now_s: float) -> bool:
        """Whether there may be one more now; then it counts."""
        if len(self._times_s) == self._times_s.maxlen and now_s - self._times_s[0] < self._within_s:
            return False
        self._times_s.append(now_s)
        return True


def wait_s(failures: int) -> float:
    """Before the next try, after so many in a row that failed: longer each time, and never the same for many at once."""
    longest_s = min(FIRST_S * 2.0 ** min(failures, 16), MOST_S)
    return longest_s * random.uniform(0.5, 1.0)
