"""Limits the rate of change of the offer: at least 5 s between changes, unless a ceiling requires a lower offer. Pure.

Withdrawing the offer and making it again are limited too, so that alternating claims do not wear out the contactor.
"""

DUTY_CHANGE_MS = 5000  # IEC 61851-1 table A.6, as EVerest cites it


class OfferLimiter:
    """The times of the last change and of the last withdrawal."""

    def __init__(self, now_ms: int) -> None:
        self._unchanged_since_ms = now_ms - DUTY_CHANGE_MS
        self._withdrawn_since_ms = self._unchanged_since_ms

    def withdraw(self, now_ms: int) -> None:
        """Record that a claim withdrew the offer."""
        self._withdrawn_since_ms = now_ms

    def rests(self, now_ms: int) -> bool:
        """Return whether the offer was withdrawn less than DUTY_CHANGE_MS ago."""
        return now_ms - self._withdrawn_since_ms < DUTY_CHANGE_MS

    def step(self, now_ms: int, offered_a: float, wanted_a: float, ceiling_a: float) -> float:
        """Return the current to offer, A. A change is postponed unless the present offer is above the lowest ceiling."""
        if wanted_a == offered_a:
            return offered_a
        if 0 < offered_a <= ceiling_a and now_ms - self._unchanged_since_ms < DUTY_CHANGE_MS:
            return offered_a
        self._unchanged_since_ms = now_ms
        return wanted_a
