"""Everything that a test can see of a charge point on a rig, virtual or real.

`pilot`, `amps` and `contactor` are readings of instruments on the wires, not reports of the firmware. The firmware's
own report is in `unit`: the last `status` of its console. Not every rig offers everything: a test declares what it
needs (`pytest.mark.needs`), and is skipped where that is missing.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from hil_tests.sim.pilot import offered_ma, state

# What a rig may offer besides the unit's own console.
OFFERS = {
    "pilot": "a car on the pilot wire that can be plugged in, and a meter there",
    "contactor": "a sense of the contactor's output",
    "light": "an eye on the unit's light",
    "power": "a meter of what the car draws",
    "button": "a finger on the unit's button",
    "mains": "a switch in the unit's supply",
    "modem_line": "the far end of the modem's line: the mobile network is ours, and so the way to a cloud",
}

# Faults that can be caused by name. PASSING_FAULTS end with their cause. LASTING_FAULTS stay until a person has checked
# the unit. NO_FAULTS are not faults of the charge point: its light must not turn red.
PASSING_FAULTS = (
    "over_temperature",
    "sensor_lost",
    "supply_low",
    "pen_lost",
    "diode",
    "pilot_short",
    "proximity",
    "over_current",
)
LASTING_FAULTS = ("rcd_ac", "rcd_dc", "contactor_welded", "contactor_stuck_open")
NO_FAULTS = ("pilot_noise", "brown_out", "ventilation")
FAULTS = PASSING_FAULTS + LASTING_FAULTS + NO_FAULTS


@dataclass(frozen=True)
class VehicleReading:
    """The car at the end of the cable."""

    plugged: bool = False
    s2_closed: bool = False  # the car requests energy
    current_a: float = 0


@dataclass(frozen=True)
class NetworkReading:
    """The mobile network around the unit, as the rig sets it."""

    up: bool = True
    csq: int = 99


@dataclass(frozen=True)
class Reading:
    """What the instruments show. Without an instrument, its reading is the default below."""

    led: tuple[int, int, int] = (0, 0, 0)
    contactor: bool = False
    pilot_mv: tuple[int, int] = (0, 0)  # high and low level; equal while the pilot is steady
    duty_percent: float = 0  # 100 = steady high, 0 = steady low
    power_w: int = 0
    rail: bool = False  # the unit's processor has power
    mains: bool = True
    vehicle: VehicleReading = VehicleReading()
    faults: tuple[str, ...] = ()  # causes that are present now
    tamper: bool = False  # the enclosure is open

    @property
    def pilot(self) -> str:
        """The control pilot's state on the wire, "A1" to "F"."""
        return state(*self.pilot_mv)

    @property
    def amps(self) -> float:
        """The current offered by the duty cycle on the wire."""
        return offered_ma(round(self.duty_percent * 655.35)) / 1000

    @property
    def red(self) -> bool:
        """Whether the light shows a fault: red only."""
        red, green, blue = self.led
        return red > 0 and green == 0 and blue == 0


@dataclass(frozen=True)
class Observation(Reading):
    """One reading of everything: the instruments, the modem, and the unit's own status."""

    csq: int = 99  # as the modem reports it now; 99 = unknown
    operator: str | None = None  # PLMN of the network the modem is registered with
    operator_name: str | None = None
    network: NetworkReading = NetworkReading()
    unit: dict[str, str] = field(default_factory=dict)

    @property
    def mode(self) -> str | None:
        """Whether the unit considers itself connected: "smart", "link_lost" or "standalone"."""
        return self.unit.get("mode")


class Rig(Protocol):
    """What a test can do to a unit, and what it can see of it."""

    def fault_names(self) -> tuple[str, ...]:
        """Return the names of the faults that this rig can cause."""

    def plug(self) -> None:
        """Plug the car in."""

    def unplug(self) -> None:
        """Pull the plug."""

    def fault(self, name: str, on: bool) -> None:
        """Cause the fault `name`, or end it. Raises ValueError for an unknown name."""

    def network(self, *, up: bool | None = None, csq: int | None = None) -> None:
        """Switch the mobile network on or off, or set its signal."""

    def mains(self, on: bool) -> None:
        """Switch the mains."""

    def button(self) -> None:
        """Press the unit's button briefly."""

    def disturb_modem(self, how: str) -> None:
        """Disturb the modem: "garbage" on its line, another "speed" on it, "hang", "brown_out" or "drop_pdp"."""

    def console(self, command: str) -> list[str]:
        """Send a command to the service console and return the answer's lines. Raises ConsoleError with the unit's refusal."""

    def console_losses(self) -> str:
        """Describe what the console's line has lost since the start: lines sent again, and commands without an answer."""

    def longest_wait_s(self) -> float:
        """Return the longest time that the unit's program waited for a processor of this computer since the last call,
        including a wait in progress. 0 for a unit with its own processor."""

    def observe(self) -> Observation:
        """Return one observation."""

    def wait_for(self, predicate: Callable[[Observation], bool], within_s: float) -> Observation:
        """Observe until the predicate holds. Fail with the last observation after `within_s` (on the rig's time scale)."""

    def never(self, predicate: Callable[[Observation], bool], for_s: float) -> None:
        """Observe for `for_s`. Fail with the observation as soon as the predicate holds."""

    def full_log(self) -> str:
        """Return everything that happened so far, for the message of a failing test."""

    def close(self) -> None:
        """Release the unit."""
