"""The unit's total energy, derived from the meter's register. It never decreases, and never exceeds what was possible. Pure.

A meter on a bus occasionally answers with the value of another register and a correct CRC: 100 Wh were counted as 19,400
(SmartEVSE-3#198). A reading is accepted if the circuit can have delivered the difference since the last one. Any other reading
is in doubt. The next reading that fits the last good one compensates for it. If none fits for AGREED_MS, and the readings in
doubt agree with each other, the meter was replaced or its register was reset; the difference is not counted as energy.
"""

MOST_W = 22080  # 80 A at 276 V
SLACK_WH = 40  # the most that a meter adds at once: twice its last digit, its own delay, and 4 s of silence at MOST_W
LONGEST_S = 3600  # limit of the time between two readings in the calculation of the possible energy
CUT_WH = 3000  # more than MOST_W delivers between two checkpoints (storage/checkpoint.py), the last before a power cut
AGREED_MS = 10000  # several rounds of a meter's registers (metering/sdm.py)


class Register:
    """The energy register. `total_wh` and `meter_wh` (the last good reading) are restored after a power cut. The energy
    metered between the checkpoint (storage/checkpoint.py) and the cut is then added from the meter's own register.
    """

    def __init__(self, total_wh: int | None = None, meter_wh: int = 0) -> None:
        self.total_wh = total_wh  # None on a new unit before the first reading
        self.meter_wh = meter_wh
        self.good_since_ms: int | None = None  # time of the last good reading; None if it was restored
        self._doubt_since_ms: int | None = None  # start of consistent readings in doubt
        self._doubt_wh = 0  # the latest reading in doubt

    def read(self, now_ms: int, meter_wh: int | None) -> bool:
        """Process a reading, None for no reading. Return True if the meter was replaced or reset; `meter_wh` is then its first
        reading.

        If `good_since_ms` is set, a reading equal to `meter_wh` need not be processed.
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
        """Return the most energy that the circuit can have delivered since the last good reading."""
        if self.good_since_ms is None:
            return CUT_WH
        return SLACK_WH + min((now_ms - self.good_since_ms) // 1000, LONGEST_S) * MOST_W // 3600

    def _is_another(self, now_ms: int, meter_wh: int) -> bool:
        """Return whether the readings in doubt have agreed for AGREED_MS, with no good reading between them."""
        since_ms, step_wh = self._doubt_since_ms, meter_wh - self._doubt_wh
        self._doubt_wh = meter_wh
        is_next = since_ms is not None and (self.good_since_ms is None or self.good_since_ms <= since_ms)
        if since_ms is None or not is_next or not 0 <= step_wh <= SLACK_WH + MOST_W * AGREED_MS // 3600000:
            self._doubt_since_ms = now_ms
            return False
        return now_ms - since_ms >= AGREED_MS
