"""A meter with an S0 output (IEC 62053-31): so many pulses for a kilowatt-hour. Power is worked out from their distance.

The register lives in our memory alone. What the board counted since the last checkpoint (7 minutes of charging) is lost in
a power cut, because nothing is written while the supply collapses; a meter with a register of its own loses nothing.
"""

from firmware.metering.meter import Meter

HOUR_MS = 3600000
BOUNCE_MS = 15  # a pulse and its pause last at least 30 ms each (IEC 62053-31), so closer edges are one pulse


class PulseMeter(Meter):
    def __init__(self, pulses_per_kwh, kept_wh=0):
        self._per_kwh = pulses_per_kwh
        self._kept_wh = kept_wh
        self._pulses = 0
        self._last_ms = None
        self._distance_ms = None  # of the last two

    def pulse(self, now_ms):
        """An edge on the input; called by its interrupt, so it allocates nothing but whole numbers."""
        if self._last_ms is not None:
            distance_ms = now_ms - self._last_ms
            if distance_ms < BOUNCE_MS:
                return
            self._distance_ms = distance_ms
        self._last_ms = now_ms
        self._pulses += 1

    def poll(self, now_ms, inputs):
        inputs.meter_wh = self._kept_wh + self._pulses * 1000 // self._per_kwh
        inputs.power_w = self._power_w(now_ms)
        inputs.current_ma = inputs.power_w * 1000000 // inputs.supply_mv if inputs.supply_mv else 0

    def _power_w(self, now_ms):
        """From the distance of the last two pulses; when the next one is late, the power is less than that and falls."""
        if self._distance_ms is None:
            return 0
        longest_ms = max(self._distance_ms, now_ms - self._last_ms)
        return 1000 * HOUR_MS // (self._per_kwh * longest_ms)
