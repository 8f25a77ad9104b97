"""The unit's total energy, derived from the meter's register; it never decreases. Pure."""

LEAP_WH = 20000  # one hour at 80 A is 18 kWh; a larger step between two readings is invalid


class Register:
    """`total_wh` and `meter_wh` (the last reading) are restored after a power cut, and so is the energy metered since the
    checkpoint (storage/checkpoint.py).
    """

    def __init__(self, total_wh: int | None = None, meter_wh: int = 0) -> None:
        self.total_wh = total_wh  # None on a new unit before the first reading
        self.meter_wh = meter_wh

    def read(self, meter_wh: int | None) -> None:
        """Process a reading, None for no reading. A decrease (meter replaced) or a step above LEAP_WH adds nothing."""
        if meter_wh is None:
            return
        if self.total_wh is None:
            self.total_wh = meter_wh
        elif 0 <= meter_wh - self.meter_wh <= LEAP_WH:
            self.total_wh += meter_wh - self.meter_wh
        self.meter_wh = meter_wh
