"""How many CALLERRORs a charger may have. Pure; times are seconds, monotonic.

Some send again at once, and for ever, what was answered by one. A CALL that has no answer is sent again only after the charger
has waited for it, half a minute and more; so beyond a few there is none, and the loop is slow. Each of its frames is a contact
all the same.
"""

from collections import deque

ERRORS_AT_ONCE, WITHIN_S = 20, 60.0


class ErrorBudget:
    """Of one connection."""

    def __init__(self) -> None:
        self._times_s: deque[float] = deque(maxlen=ERRORS_AT_ONCE)

    def take(self, now_s: float) -> bool:
        """Whether one more may be sent now; then it counts as sent."""
        if len(self._times_s) == ERRORS_AT_ONCE and now_s - self._times_s[0] < WITHIN_S:
            return False
        self._times_s.append(now_s)
        return True
