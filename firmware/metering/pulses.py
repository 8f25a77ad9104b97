"""A meter with a pulse output S0 (IEC 62053-31). Power is calculated from the interval between pulses.

The energy register is in memory only. Pulses since the last checkpoint (7 minutes of charging) are lost in a power cut,
because nothing is written while the supply collapses. A meter with its own register loses nothing.
"""

from firmware.metering.meter import Meter

if False:  # for mypy alone
    from firmware.charging.io import Inputs

HOUR_MS = 3600000
BOUNCE_MS = 15  # a pulse and its pause last at least 30 ms each (IEC 62053-31), so closer edges are one pulse


class PulseMeter(Meter):
    """`pulses_per_kwh`: the meter's constant; `kept_wh`: the register at the start."""

    def __init__(self, pulses_per_kwh: int, kept_wh: int = 0) -> None:
        self._per_kwh = pulses_per_kwh
        self._kept_wh = kept_wh
        self._pulses = 0
        self._last_ms: int | None = None
        self._interval_ms: int | None = None  # between the last two pulses

    def pulse(self, now_ms: int) -> None:
        """Count an edge of the input. Called from its interrupt, so it allocates no objects but integers."""
        if self._last_ms is not None:
            interval_ms = now_ms - self._last_ms
            if interval_ms < BOUNCE_MS:
                return
            self._interval_ms = interval_ms
        self._last_ms = now_ms
        self._pulses += 1

    def poll(self, now_ms: int, inputs: "Inputs") -> None:
        inputs.meter_wh = self._kept_wh + self._pulses * 1000 // self._per_kwh
        inputs.power_w = self._power_w(now_ms)
        inputs.current_ma = inputs.power_w * 1000000 // inputs.supply_mv if inputs.supply_mv else 0

    def _power_w(self, now_ms: int) -> int:
        """Return the power from the last interval, or from the time since the last pulse if that is longer."""
        if self._interval_ms is None or self._last_ms is None:
            return 0
        longest_ms = max(self._interval_ms, now_ms - self._last_ms)
        return 1000 * HOUR_MS // (self._per_kwh * longest_ms)
