"""All that a test sees of a charge point on a rig, virtual or real.

`pilot`, `amps` and `contactor` are what instruments on the wire read, not what the firmware says of itself;
what it says of itself is in `unit`, its console's last `status`.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True)
class VehicleReading:
    """The car at the end of the cable."""

    plugged: bool
    s2_closed: bool  # it asks for energy
    current_a: float
    battery_percent: float


@dataclass(frozen=True)
class NetworkReading:
    """The mobile network around the unit, as the rig sets it."""

    up: bool
    csq: int


@dataclass(frozen=True)
class Observation:
    """One look at everything."""

    led: tuple[int, int, int]
    contactor: bool
    pilot: str  # "A1" .. "F"
    pilot_mv: tuple[int, int]  # high and low level; equal while the pilot is steady
    duty_percent: float  # 100 = steady high, 0 = steady low
    amps: float  # offered by the duty cycle on the wire
    power_w: int
    csq: int  # as the modem reads it now; 99 = no reading
    operator: str | None  # PLMN of the network the modem is registered with
    operator_name: str | None
    mains: bool
    mains_back_in_s: float | None  # while the mains are off for a time
    vehicle: VehicleReading
    network: NetworkReading
    faults: tuple[str, ...]  # causes that are on now
    tamper: bool  # the enclosure is open
    mode: str | None
    running: bool  # the firmware's process is there
    unit: dict[str, str] = field(default_factory=dict)

    @property
    def red(self) -> bool:
        """The light says that there is a fault: red and nothing else."""
        red, green, blue = self.led
        return red > 0 and green == 0 and blue == 0


class Rig(Protocol):
    """What can be done to a unit, and what can be seen of it."""

    def plug(self) -> None:
        """Plugs the car in."""

    def unplug(self) -> None:
        """Pulls the plug."""

    def fault(self, name: str, on: bool) -> None:
        """Breaks something by name, or mends it. Raises ValueError for an unknown name."""

    def fault_names(self) -> tuple[str, ...]:
        """The names, those that mend themselves first."""

    def network(self, *, up: bool | None = None, csq: int | None = None) -> None:
        """Switches the mobile network, or moves the antenna."""

    def mains(self, on: bool) -> None:
        """Switches the mains."""

    def button(self) -> None:
        """Presses the unit's button shortly."""

    def disturb_modem(self, how: str) -> None:
        """Troubles the modem: "garbage" on its line, "hang", "brown_out", "drop_pdp"."""

    def console(self, command: str) -> list[str]:
        """Asks the service console; raises ConsoleError with what it said if it refuses."""

    def observe(self) -> Observation:
        """Looks once."""

    def wait_for(self, predicate: Callable[[Observation], bool], within_s: float) -> Observation:
        """Looks until the predicate holds; fails with what was seen last if it does not in time."""

    def story(self) -> str:
        """What happened so far, for the message of a failing test."""
