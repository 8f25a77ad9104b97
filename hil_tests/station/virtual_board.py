"""The physics of a unit in a fixture: a board with its own tolerances and defects, and a load in place of a car."""

import random
from collections.abc import Collection
from dataclasses import dataclass

from hil_tests.sim.board import Board
from hil_tests.sim.vehicle import Vehicle

# Defects of a unit, by name.
DEFECTS = {
    "weak_pilot": "the pilot's +12 V supply sags",
    "deaf_pilot_input": "the pilot input reads the same whatever is there",
    "contactor_welded": "its contacts are welded shut",
    "contactor_stuck_open": "its coil is dead",
    "mirror_lost": "the mirror contact is not connected",
    "wrong_meter_constant": "the meter is set to twice the pulses of its type",
    "no_sim": "there is no SIM",
    "low_csq": "the antenna's plug is loose",
    "late_rcd": "the residual current sensor takes 0.4 s",
    "dark_green": "the green LED is dead",
    "proximity_open": "the proximity wire is broken",
}

WEAK_PILOT = 0.88  # factor of the positive half-wave: 10.6 V without a vehicle
METER_FACTOR = 0.5
LATE_RCD_S = 0.4
READS_GAIN, READS_ZERO_MV = (0.97, 1.03), (-150, 150)  # the converter's errors, drawn by the seed


class Load(Vehicle):
    """The fixture's resistors and heater in place of a car. S2 follows the fixture's command, with or without PWM."""

    def _move_s2(self, elapsed_s: float, pwm: bool) -> None:
        self.s2_closed = self.plugged and self.wants_charge

    def switch(self, state: str) -> None:
        """Switch to state A, B or C of IEC 61851-1. Raises ValueError for any other."""
        if state not in ("A", "B", "C"):
            raise ValueError(f"no load {state}: A, B or C")
        self.plugged, self.wants_charge = state != "A", state == "C"


@dataclass
class Sensor:
    """The residual current sensor: it trips `delay_s` after a current begins to flow."""

    delay_s: float = 0.0
    flows_for_s: float | None = None

    def step(self, elapsed_s: float) -> None:
        """Advance the time for which a current has flowed."""
        if self.flows_for_s is not None:
            self.flows_for_s += elapsed_s

    @property
    def trips(self) -> bool:
        """Whether its output is active."""
        return self.flows_for_s is not None and self.flows_for_s >= self.delay_s


class MadeBoard(Board):
    """A board from production. `seed` draws its tolerances."""

    def __init__(self, defects: Collection[str] = (), seed: int = 0, meter_wh: float = 0) -> None:
        strange = set(defects).difference(DEFECTS)
        if strange:
            raise ValueError(f"no defect is called {', '.join(sorted(strange))}")
        self.load = Load()
        super().__init__(self.load, meter_wh)
        self.defects = frozenset(defects)
        drawn = random.Random(seed)
        self._gain, self._zero_mv = drawn.uniform(*READS_GAIN), drawn.uniform(*READS_ZERO_MV)
        self.proximity_ohm: int | None = None  # the resistor in the fixture's plug
        self.sensor = Sensor(LATE_RCD_S if "late_rcd" in defects else 0.0)
        for name in ("contactor_welded", "contactor_stuck_open"):
            if name in defects:
                self.set_fault(name, True)

    def step(self, elapsed_s: float) -> None:
        """Advance the sensor and the board."""
        self.sensor.step(elapsed_s)
        super().step(elapsed_s)

    def pilot_mv(self) -> tuple[int, int]:
        """Return the two levels on the pilot wire."""
        high_mv, low_mv = super().pilot_mv()
        if "weak_pilot" in self.defects and high_mv > 0:
            return round(high_mv * WEAK_PILOT), (round(high_mv * WEAK_PILOT) if low_mv == high_mv else low_mv)
        return high_mv, low_mv

    def inputs(self) -> dict[str, int | bool | None]:
        """Return what the microcontroller reads, through real-life components."""
        seen = super().inputs()
        for name in ("pilot_high_mv", "pilot_low_mv"):
            there = 9_000 if "deaf_pilot_input" in self.defects else seen[name] or 0
            seen[name] = round((there - self._zero_mv) / self._gain)
        if "mirror_lost" in self.defects:
            seen["contactor_closed"] = False
        if "wrong_meter_constant" in self.defects:
            seen["power_w"] = round(METER_FACTOR * self.power_w)
        return seen

    def _rcd_trips(self) -> tuple[bool, bool]:
        ac_trips, dc_trips = super()._rcd_trips()
        return ac_trips or self.sensor.trips, dc_trips

    def _proximity_ohm(self) -> int | None:
        return None if "proximity_open" in self.defects else self.proximity_ohm
