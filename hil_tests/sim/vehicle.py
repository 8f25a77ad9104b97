"""A car at the end of the cable: its resistors, its diode, its switch S2, and the current that it draws.

It closes S2 shortly after PWM begins and opens it when the PWM has ended. It draws no more current than the duty cycle
permits, unless configured to misbehave. Vehicles with other behaviour: manners.py.
"""

from dataclasses import dataclass

from hil_tests.sim.pilot import offered_ma

STATE_B_OHM = 2_740
STATE_C_OHM = 882  # 2.74 k and 1.3 k in parallel
STATE_D_OHM = 246  # 2.74 k and 270 in parallel
CABLE_32A_OHM = 220  # proximity resistor of a 32 A cable, IEC 61851-1 Annex B

CLOSES_S2_AFTER_S = 0.4
OPENS_S2_AFTER_S = 1.5  # after the PWM ended; IEC 61851-1 sequence 10.1 allows 3 s
RAMP_MA_PER_S = 16_000
GREEDY_FACTOR = 1.3  # of what is offered, if it misbehaves
GREEDY_MORE_MA = 3_000


@dataclass
class Vehicle:
    """One car. `step` advances the time; everything else can be set at any moment."""

    maximum_ma: int = 32_000
    battery_wh: float = 33_000
    capacity_wh: float = 60_000
    plugged: bool = False
    wants_charge: bool = True
    needs_ventilation: bool = False
    closes_s2_without_pwm: bool = False  # some cars stay at 6 V whatever the charge point offers
    diode: bool = True
    greedy: bool = False
    charger_starts_after_s: float = 0.5  # after the contactor has closed
    current_ma: int = 0
    s2_closed: bool = False
    _pwm_for_s: float = 0
    _pwm_gone_for_s: float = OPENS_S2_AFTER_S
    _live_for_s: float = 0

    @property
    def full(self) -> bool:
        """Whether the battery takes no more."""
        return self.battery_wh >= self.capacity_wh

    @property
    def battery_percent(self) -> float:
        """How full the battery is, in per cent."""
        return 100 * self.battery_wh / self.capacity_wh

    def permitted_ma(self, duty_u16: int) -> int:
        """Return the current that the pilot permits."""
        return offered_ma(duty_u16) if self.plugged else 0

    def load_ohm(self) -> int | None:
        """Return the resistance on the pilot wire, or None while it is not plugged in."""
        if not self.plugged:
            return None
        if not self.s2_closed:
            return STATE_B_OHM
        return STATE_D_OHM if self.needs_ventilation else STATE_C_OHM

    def step(self, elapsed_s: float, duty_u16: int, voltage_mv: int) -> None:
        """Advance by `elapsed_s`. `duty_u16` is the pilot's duty cycle, `voltage_mv` the voltage behind the contactor."""
        permitted_ma = self.permitted_ma(duty_u16)
        self._move_s2(elapsed_s, permitted_ma > 0)
        self._draw(elapsed_s, permitted_ma, voltage_mv)
        self.battery_wh += self.current_ma * voltage_mv / 1e6 * elapsed_s / 3600

    def _move_s2(self, elapsed_s: float, pwm: bool) -> None:
        self._pwm_for_s = self._pwm_for_s + elapsed_s if pwm else 0
        self._pwm_gone_for_s = 0 if pwm else self._pwm_gone_for_s + elapsed_s
        if not self.plugged or not self.wants_charge or self.full:
            self.s2_closed = False
        elif self.closes_s2_without_pwm or self._pwm_for_s >= CLOSES_S2_AFTER_S:
            self.s2_closed = True
        elif self._pwm_gone_for_s >= OPENS_S2_AFTER_S:
            self.s2_closed = False

    def _draw(self, elapsed_s: float, permitted_ma: int, voltage_mv: int) -> None:
        live = voltage_mv > 0 and self.s2_closed
        self._live_for_s = self._live_for_s + elapsed_s if live else 0
        if self._live_for_s < self.charger_starts_after_s:
            self.current_ma = 0
            return
        wanted_ma = min(permitted_ma, self.maximum_ma)
        if self.greedy and permitted_ma:
            wanted_ma = round(permitted_ma * GREEDY_FACTOR) + GREEDY_MORE_MA
        self.current_ma = min(wanted_ma, self.current_ma + round(RAMP_MA_PER_S * elapsed_s))
