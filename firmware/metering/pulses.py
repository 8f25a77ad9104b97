"""A meter with a pulse output S0 (IEC 62053-31). Power is calculated from the interval between pulses.

The energy register is in memory only. Pulses since the last checkpoint (7 minutes of charging) are lost in a power cut,
because nothing is written while the supply collapses. A meter with its own register loses nothing.
"""

if False:  # for mypy alone
    from firmware.charging.io import Inputs

HOUR_MS = 3600000
TICKS_MASK = 2**30 - 1  # time.ticks_ms() wraps at 2**30 on 32 bits, and at a multiple of it on other platforms
BOUNCE_MS = 15  # pulse and pause last at least 30 ms each (IEC 62053-31), so closer edges belong to one pulse


class PulseMeter:
    """A Meter (meter.py). `pulses_per_kwh`: the meter's constant; `kept_wh`: the register at the start."""

    def __init__(self, pulses_per_kwh: int, kept_wh: int = 0) -> None:
        self._per_kwh = pulses_per_kwh
        self._kept_wh = kept_wh
        self._pulses = 0
        self._last_ms: int | None = None
        self._interval_ms: int | None = None  # between the last two pulses
        self._since_ms = 0  # time since the last pulse
        self.silent = False

    def pulse(self, ticks_ms: int) -> None:
        """Count an edge of the input at `ticks_ms` of time.ticks_ms(). Called from an interrupt, so it allocates no memory."""
        if self._last_ms is not None:
            interval_ms = ticks_ms - self._last_ms & TICKS_MASK
            if interval_ms < BOUNCE_MS:
                return
            self._interval_ms = interval_ms
        self._last_ms = ticks_ms
        self._since_ms = 0
        self._pulses += 1

    def poll(self, elapsed_ms: int, inputs: "Inputs") -> None:
        if self._since_ms <= HOUR_MS:
            self._since_ms += elapsed_ms
        kwh, rest = self._pulses // self._per_kwh, self._pulses % self._per_kwh  # keeps each a small integer of 31 bits
        inputs.meter_wh = self._kept_wh + kwh * 1000 + rest * 1000 // self._per_kwh
        inputs.power_w = self._power_w()
        inputs.current_ma = inputs.power_w * 1000 // (inputs.supply_mv // 100) * 10 if inputs.supply_mv else 0

    def _power_w(self) -> int:
        """Return the power from the last interval, or from the time since the last pulse if that is longer."""
        if self._interval_ms is None:
            return 0
        return HOUR_MS // max(self._interval_ms, self._since_ms) * 1000 // self._per_kwh
