"""The unit's total energy, derived from the meter's register; it never decreases, and is never more than was possible. Pure.

A meter on a bus answers with another register's value now and then, with a right CRC: 100 Wh were counted as 19,400
(SmartEVSE-3#198). A reading counts if the circuit can have delivered it since the last one. Any other is in doubt: the next
reading that fits the last good one makes up for it. If none does for AGREED_MS, and the readings in doubt agree with each
other, the meter is another one, or began again: that is no energy.
"""

MOST_W = 22080  # 80 A at 276 V
SLACK_WH = 40  # what a meter shows at once: twice its last digit, its own time, and 4 s of silence at MOST_W
LONGEST_S = 3600  # between two readings, for the bound: a meter that was silent for longer is read as if for an hour
CUT_WH = (
    3000  # more than MOST_W gives between two checkpoints (storage/checkpoint.py), the last of them before a power cut
)
AGREED_MS = 10000  # several rounds of a meter's registers (metering/sdm.py)


class Register:
    """`total_wh` and `meter_wh` (the last good reading) are restored after a power cut, and so is the energy metered since the
    checkpoint (storage/checkpoint.py).
    """

    def __init__(self, total_wh: int | None = None, meter_wh: int = 0) -> None:
        self.total_wh = total_wh  # None on a new unit before the first reading
        self.meter_wh = meter_wh
        self.good_since_ms: int | None = None  # when it was read last; None: restored
        self._doubt_since_ms: int | None = None
        self._doubt_wh = 0  # the newest reading in doubt

    def read(self, now_ms: int, meter_wh: int | None) -> bool:
        """Process a reading, None for no reading. True: it is another meter's, and `meter_wh` is where that begins.

        One that is the same as before need not be processed, if `good_since_ms` is set.
        """
        if meter_wh is None:
            return False
        another = False
        if self.total_wh is None:
            self.total_wh = meter_wh
        elif 0 <= meter_wh - self.meter_wh <= self._possible_wh(now_ms):
            self.total_wh += meter_wh - self.meter_wh
        else:
            another = self._is_another(now_ms, meter_wh)
            if not another:
                return False
        self.meter_wh, self.good_since_ms, self._doubt_since_ms = meter_wh, now_ms, None
        return another

    def _possible_wh(self, now_ms: int) -> int:
        """Since the last good reading."""
        if self.good_since_ms is None:
            return CUT_WH
        return SLACK_WH + min((now_ms - self.good_since_ms) // 1000, LONGEST_S) * MOST_W // 3600

    def _is_another(self, now_ms: int, meter_wh: int) -> bool:
        """Whether the readings in doubt have agreed for long enough, with no good one between them."""
        since_ms, step_wh = self._doubt_since_ms, meter_wh - self._doubt_wh
        self._doubt_wh = meter_wh
        is_next = since_ms is not None and (self.good_since_ms is None or self.good_since_ms <= since_ms)
        if since_ms is None or not is_next or not 0 <= step_wh <= SLACK_WH + MOST_W * AGREED_MS // 3600000:
            self._doubt_since_ms = now_ms
            return False
        return now_ms - since_ms >= AGREED_MS
