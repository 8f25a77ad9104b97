"""When the offer on the pilot may change: 5 s after the last change, unless safety lowers it. Pure.

To withdraw it and to make it again are changes too: a wish that flutters must not wear out the contactor.
"""

DUTY_CHANGE_MS = 5000  # IEC 61851-1 table A.6, as EVerest cites it


class OfferLimiter:
    def __init__(self, now_ms):
        self._changed_ms = now_ms - DUTY_CHANGE_MS
        self._withdrawn_ms = self._changed_ms

    def withdraw(self, now_ms):
        """A wish took it away."""
        self._withdrawn_ms = now_ms

    def rests(self, now_ms):
        """It was withdrawn so lately that it may not be made again yet."""
        return now_ms - self._withdrawn_ms < DUTY_CHANGE_MS

    def step(self, now_ms, offered_a, wanted_a, ceiling_a):
        """The amperes to offer now. Claims wait; an offer above the lowest ceiling does not."""
        if wanted_a == offered_a:
            return offered_a
        if 0 < offered_a <= ceiling_a and now_ms - self._changed_ms < DUTY_CHANGE_MS:
            return offered_a
        self._changed_ms = now_ms
        return wanted_a
