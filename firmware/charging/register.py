"""The unit's total energy, from the meter's register. It never runs backwards. Pure."""

LEAP_WH = 20000  # a meter that was silent for an hour at 80 A counts 18 kWh; more between two readings is a wrong one


class Register:
    """`total_wh` and `meter_wh` survive a power cut (storage/checkpoint.py), so what the meter counted since they were
    stored is there again after it.
    """

    def __init__(self, total_wh=None, meter_wh=0):
        self.total_wh = total_wh  # None until a new unit has read its meter
        self.meter_wh = meter_wh

    def read(self, meter_wh):
        """Take a reading, None if there is none yet. One that fell (a meter that began again) or leapt adds nothing."""
        if meter_wh is None:
            return
        if self.total_wh is None:
            self.total_wh = meter_wh
        elif 0 <= meter_wh - self.meter_wh <= LEAP_WH:
            self.total_wh += meter_wh - self.meter_wh
        self.meter_wh = meter_wh
