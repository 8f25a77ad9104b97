"""Thermal derating: reduces the current in a warm enclosure, to avoid the over-temperature fault. Pure, with hysteresis."""

from firmware.charging.debounce import HOT_MS

# (temperature in C at which the step begins, temperature at which it ends, maximum in quarters of the circuit's rating)
# OpenEVSE: half at 65 C, a quarter at 68 C, back at 62 C and 65 C. Over-temperature is a fault (faults.py).
STEPS = (
    (65, 62, 2),
    (68, 65, 1),
)
FULL = 4


class Derating:
    """`quarters`: the allowed current, in quarters of the circuit's rating; `temperature_c`: the last reading;
    `hotter_since_ms`: when the readings began to require less than `quarters`, None if they do not.
    """

    def __init__(self) -> None:
        self.quarters = FULL
        self.temperature_c: float | None = None
        self.hotter_since_ms: int | None = None

    def step(self, now_ms: int, temperature_c: float | None) -> bool:
        """Process a reading; return whether `quarters` has changed. None (sensor failure) changes nothing: it is a fault."""
        self.temperature_c = temperature_c
        if temperature_c is None:
            return False
        quarters = FULL
        for hot_c, cool_c, reduced in STEPS:
            if temperature_c >= hot_c or (self.quarters <= reduced and temperature_c > cool_c):
                quarters = reduced
        if quarters >= self.quarters:
            self.hotter_since_ms = None
        elif self.hotter_since_ms is None:
            self.hotter_since_ms = now_ms
            return False
        elif now_ms - self.hotter_since_ms < HOT_MS:
            return False
        else:
            self.hotter_since_ms = None
        before, self.quarters = self.quarters, quarters
        return quarters != before
