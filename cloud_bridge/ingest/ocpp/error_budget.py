"""A limit on the CALLERRORs that a charger is sent. Pure; times are seconds of a monotonic clock.

Some chargers repeat a CALL at once, endlessly, if it is answered with a CALLERROR. Without an answer they repeat it
only after a timeout of half a minute or more. So beyond the limit no answer is sent, which slows down the loop. Every
frame still counts as contact.
"""

from collections import deque

ERRORS_AT_ONCE, WITHIN_S = 20, 60.0


class ErrorBudget:
    """The budget of one connection."""

    def __init__(self) -> None:
        self._times_s: deque[float] = deque(maxlen=ERRORS_AT_ONCE)

    def take(self, now_s: float) -> bool:
        """Return whether one more CALLERROR may be sent now, and count it if so."""
        if len(self._times_s) == ERRORS_AT_ONCE and now_s - self._times_s[0] < WITHIN_S:
            return False
        self._times_s.append(now_s)
        return True
