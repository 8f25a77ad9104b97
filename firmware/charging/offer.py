"""When the offer on the pilot may change: 5 s after the last change, unless safety lowers it. Pure."""

DUTY_CHANGE_MS = 5000  # IEC 61851-1 table A.6, as EVerest cites it


class Offer:
    def __init__(self, now_ms):
        self._changed_ms = now_ms - DUTY_CHANGE_MS

    def step(self, now_ms, offered_a, wanted_a, ceiling_a):
        """The amperes to offer now. Wishes wait; an offer above the lowest ceiling does not."""
        if wanted_a == offered_a:
            return offered_a
        if 0 < offered_a <= ceiling_a and now_ms - self._changed_ms < DUTY_CHANGE_MS:
            return offered_a
        self._changed_ms = now_ms
        return wanted_a
