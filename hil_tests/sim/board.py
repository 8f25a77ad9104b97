"""The physics of a charge point's board: supply, contactor with its guard, leakage sensor, meter, pilot, enclosure.

They are independent of any firmware: `Outputs` are the levels on the microcontroller's pins, and `inputs()` is what its
sensors show. `powered` is the microcontroller's supply.
"""

import random
from dataclasses import dataclass

from hil_tests.sim.hardware_guard import HardwareGuard
from hil_tests.sim.pilot import STEADY_LOW_DUTY, offered_ma, plateaus, state
from hil_tests.sim.vehicle import CABLE_32A_OHM, Vehicle

# What can be disturbed by name, each as a cause in the physical world.
FAULTS = (
    "over_temperature",
    "sensor_lost",
    "supply_low",
    "pen_lost",
    "diode",
    "pilot_short",
    "proximity",
    "over_current",
    "rcd_ac",
    "rcd_dc",
    "contactor_welded",
    "contactor_stuck_open",
    "pilot_noise",
    "brown_out",
    "ventilation",
)

MAINS_MV = 230_000
LOW_MAINS_MV = 196_000  # below the 207 V of BS 7671 722.411.4.1
NO_PEN_MV = 262_000  # the neutral floats, and the loads of the other phases lift this phase above its 253 V
RAIL_MV = 5_000
BROWN_OUT_MV = 4_200
RAIL_DEAD_MV = 3_900  # the microcontroller stops
RAIL_FALL_MV_PER_S = 25_000  # so the rail is below 4,500 mV for some 24 ms before it is dead
AMBIENT_C = 24
HOT_C = 97
SHORTED_PROXIMITY_OHM = 10
NOISE_MV = 300  # on each reading of the pilot, in both directions
CONTACTOR_CLOSES_IN_S = 0.020
CONTACTOR_OPENS_IN_S = 0.015
RCD_TEST_TRIPS_IN_S = 0.020


@dataclass(frozen=True)
class Outputs:
    """Levels on the microcontroller's output pins. The defaults are the levels that pull resistors hold in a reset."""

    pilot_duty_u16: int = STEADY_LOW_DUTY
    contactor: bool = False
    led: tuple[int, int, int] = (0, 0, 0)
    modem_power: bool = False
    modem_pwrkey: bool = False
    rcd_test: bool = False
    watchdog: int = 0


RESET = Outputs()


class Board:
    """One charge point on its wall, with `vehicle` at the end of its cable. `step` advances the time."""

    def __init__(self, vehicle: Vehicle, meter_wh: float = 0) -> None:
        self.vehicle = vehicle
        self.outputs = RESET
        self.faults: set[str] = set()
        self.mains = False
        self.tamper = False
        self.button = False
        self.meter_wh = meter_wh
        self.contact_closed = False
        self.contact_moved_s = 0.0  # `now_s` of the last change
        self.guard = HardwareGuard()
        self.now_s = 0.0  # the time that was simulated
        self._rail_mv = 0.0
        self._contact_moving_for_s = 0.0
        self._rcd_test_for_s = 0.0
        self._random = random.Random(0)

    @property
    def powered(self) -> bool:
        """Whether the microcontroller has a supply."""
        return self._rail_mv >= RAIL_DEAD_MV

    @property
    def supply_mv(self) -> int:
        """RMS millivolts between line and neutral, before the contactor."""
        if not self.mains:
            return 0
        if "supply_low" in self.faults:
            return LOW_MAINS_MV
        return NO_PEN_MV if "pen_lost" in self.faults else MAINS_MV

    @property
    def pilot_state(self) -> str:
        """The state that a pilot meter between charge point and car shows."""
        return state(*self.pilot_mv())

    @property
    def offered_a(self) -> float:
        """The current that the duty cycle on the wire permits, in amperes."""
        return offered_ma(self.outputs.pilot_duty_u16) / 1000 if self.powered else 0

    def pilot_mv(self) -> tuple[int, int]:
        """Return the two levels on the pilot wire."""
        if not self.powered:
            return 0, 0
        shorted = "pilot_short" in self.faults
        return plateaus(self.outputs.pilot_duty_u16, self.vehicle.load_ohm(), self.vehicle.diode, shorted)

    def set_fault(self, name: str, on: bool) -> None:
        """Cause a fault, or end it. Raises ValueError for a name not in FAULTS."""
        if name not in FAULTS:
            raise ValueError(f"no fault is called {name!r}; there are {', '.join(FAULTS)}")
        (self.faults.add if on else self.faults.discard)(name)
        self.vehicle.diode = "diode" not in self.faults
        self.vehicle.greedy = "over_current" in self.faults
        self.vehicle.needs_ventilation = "ventilation" in self.faults

    def step(self, elapsed_s: float) -> None:
        """Advance everything by `elapsed_s`."""
        rail_mv = BROWN_OUT_MV if "brown_out" in self.faults else RAIL_MV
        self._rail_mv = rail_mv if self.mains else max(0.0, self._rail_mv - RAIL_FALL_MV_PER_S * elapsed_s)
        self.now_s += elapsed_s
        if not self.powered:
            self.outputs = RESET
        self._rcd_test_for_s = self._rcd_test_for_s + elapsed_s if self.outputs.rcd_test else 0
        rcd_trips = any(self._rcd_trips())
        self.guard.step(elapsed_s, self.pilot_mv()[0], rcd_trips, self.outputs.contactor)
        self._move_contact(elapsed_s)
        voltage_mv = self.supply_mv if self.contact_closed else 0
        seen_duty = self.outputs.pilot_duty_u16 if self.powered and "pilot_short" not in self.faults else 0
        self.vehicle.step(elapsed_s, seen_duty, voltage_mv)
        self.meter_wh += self.power_w * elapsed_s / 3600

    @property
    def power_w(self) -> int:
        """The power that flows into the car."""
        return round(self.vehicle.current_ma * self.supply_mv / 1e6) if self.contact_closed else 0

    def inputs(self) -> dict[str, int | bool | None]:
        """Return everything that the microcontroller can sense, in the units of its wires."""
        high_mv, low_mv = (mv + self._noise_mv() for mv in self.pilot_mv())
        rcd_ac_trip, rcd_dc_trip = self._rcd_trips()
        return {
            "pilot_high_mv": high_mv,
            "pilot_low_mv": low_mv,
            "proximity_ohm": self._proximity_ohm(),
            "contactor_closed": self.contact_closed,
            "guard_open": self.guard.open,
            "rcd_ac_trip": rcd_ac_trip,
            "rcd_dc_trip": rcd_dc_trip,
            "supply_mv": self.supply_mv,
            "rail_mv": round(self._rail_mv),
            "temperature_c": self._temperature_c(),
            "current_ma": self.vehicle.current_ma,
            "power_w": self.power_w,
            "meter_wh": int(self.meter_wh),
            "tamper": self.tamper,
            "button": self.button,
        }

    def _rcd_trips(self) -> tuple[bool, bool]:
        """Return whether the sensor trips on alternating current, and on direct current."""
        test_trips = self._rcd_test_for_s >= RCD_TEST_TRIPS_IN_S
        return "rcd_ac" in self.faults or test_trips, "rcd_dc" in self.faults or test_trips

    def _noise_mv(self) -> int:
        return self._random.randint(-NOISE_MV, NOISE_MV) if "pilot_noise" in self.faults else 0

    def _proximity_ohm(self) -> int | None:
        if "proximity" in self.faults:
            return SHORTED_PROXIMITY_OHM
        return CABLE_32A_OHM if self.vehicle.plugged else None

    def _temperature_c(self) -> int | None:
        if "sensor_lost" in self.faults:
            return None
        return HOT_C if "over_temperature" in self.faults else AMBIENT_C

    def _move_contact(self, elapsed_s: float) -> None:
        """Move the contacts after the coil, with their delay, unless they are welded or the coil is dead."""
        if "contactor_welded" in self.faults:
            self.contact_closed = True
            return
        wanted = self.guard.drives and self.mains and "contactor_stuck_open" not in self.faults
        if wanted == self.contact_closed:
            self._contact_moving_for_s = 0
            return
        self._contact_moving_for_s += elapsed_s
        if self._contact_moving_for_s >= (CONTACTOR_CLOSES_IN_S if wanted else CONTACTOR_OPENS_IN_S):
            self.contact_closed, self.contact_moved_s = wanted, self.now_s
