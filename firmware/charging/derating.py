"""Less current when the enclosure is warm, so that it need not stop when it is hot. Pure, with hysteresis."""

# From this temperature on, until it has fallen to this one, no more than this many quarters of the installer's maximum.
# OpenEVSE: half at 65 C, a quarter at 68 C, back at 62 C and 65 C; the stop is a fault (faults.py).
STEPS = (
    (65, 62, 2),
    (68, 65, 1),
)
FULL = 4


class Derating:
    """`quarters` of the installer's maximum are allowed now."""

    def __init__(self):
        self.quarters = FULL

    def step(self, temperature_c):
        """Take a reading; a sensor that is lost (None) changes nothing here, because it is a fault."""
        if temperature_c is None:
            return
        quarters = FULL
        for hot_c, cool_c, reduced in STEPS:
            if temperature_c >= hot_c or (self.quarters <= reduced and temperature_c > cool_c):
                quarters = reduced
        self.quarters = quarters
