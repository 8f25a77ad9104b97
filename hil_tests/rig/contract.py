"""All that a test sees of a charge point on a rig, virtual or real.

`pilot`, `amps` and `contactor` are what instruments on the wire read, not what the firmware says of itself;
what it says of itself is in `unit`, its console's last `status`. Not every rig offers everything: a test says what it needs
(`pytest.mark.needs`) and is skipped where that is lacking.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from hil_tests.sim.pilot import offered_ma, state

# What a rig may offer beside the unit's own console, and what it is for.
OFFERS = {
    "pilot": "a car on the pilot wire that can be plugged in, and a meter there",
    "contactor": "a sense of the contactor's output",
    "light": "an eye on the unit's light",
    "power": "a meter of what the car draws",
    "button": "a finger on the unit's button",
    "mains": "a switch in the unit's supply",
    "modem_line": "the far end of the modem's line: the mobile network is ours, and so the way to a cloud",
}

# What can be broken by name. The first are over when their cause is gone; what the second did has to be looked at by a
# person; the third are no faults of the charge point, so nothing may be red.
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
    s2_closed: bool = False  # it asks for energy
    current_a: float = 0


@dataclass(frozen=True)
class NetworkReading:
    """The mobile network around the unit, as the rig sets it."""

    up: bool = True
    csq: int = 99


@dataclass(frozen=True)
class Reading:
    """What the instruments show. In place of one that the rig does not have stands what is written here."""

    led: tuple[int, int, int] = (0, 0, 0)
    contactor: bool = False
    pilot_mv: tuple[int, int] = (0, 0)  # high and low level; equal while the pilot is steady
    duty_percent: float = 0  # 100 = steady high, 0 = steady low
    power_w: int = 0
    rail: bool = False  # the unit's processor has a supply
    mains: bool = True
    vehicle: VehicleReading = VehicleReading()
    faults: tuple[str, ...] = ()  # causes that are on now
    tamper: bool = False  # the enclosure is open

    @property
    def pilot(self) -> str:
        """The state on the wire, "A1" .. "F"."""
        return state(*self.pilot_mv)

    @property
    def amps(self) -> float:
        """Offered by the duty cycle on the wire."""
        return offered_ma(round(self.duty_percent * 655.35)) / 1000

    @property
    def red(self) -> bool:
        """The light says that there is a fault: red and nothing else."""
        red, green, blue = self.led
        return red > 0 and green == 0 and blue == 0


@dataclass(frozen=True)
class Observation(Reading):
    """One look at everything: the instruments, the modem, and what the unit says of itself."""

    csq: int = 99  # as the modem reads it now; 99 = no reading
    operator: str | None = None  # PLMN of the network the modem is registered with
    operator_name: str | None = None
    network: NetworkReading = NetworkReading()
    unit: dict[str, str] = field(default_factory=dict)

    @property
    def mode(self) -> str | None:
        """Whether the unit thinks itself connected: "smart", "link_lost" or "standalone"."""
        return self.unit.get("mode")


class Rig(Protocol):
    """What can be done to a unit, and what can be seen of it."""

    def fault_names(self) -> tuple[str, ...]:
        """What can be broken here."""

    def plug(self) -> None:
        """Plugs the car in."""

    def unplug(self) -> None:
        """Pulls the plug."""

    def fault(self, name: str, on: bool) -> None:
        """Breaks something by name, or mends it. Raises ValueError for an unknown name."""

    def network(self, *, up: bool | None = None, csq: int | None = None) -> None:
        """Switches the mobile network, or moves the antenna."""

    def mains(self, on: bool) -> None:
        """Switches the mains."""

    def button(self) -> None:
        """Presses the unit's button shortly."""

    def disturb_modem(self, how: str) -> None:
        """Troubles the modem: "garbage" on its line, another "speed" on it, "hang", "brown_out", "drop_pdp"."""

    def console(self, command: str) -> list[str]:
        """Asks the service console; raises ConsoleError with what it said if it refuses."""

    def console_losses(self) -> str:
        """What the line of the console has lost since the start, in words: lines written again, commands unanswered."""

    def longest_wait_s(self) -> float:
        """The longest that the unit's program was kept waiting for a processor of this computer since the last call, or is
        now; 0 of a unit that has a processor of its own."""

    def observe(self) -> Observation:
        """Looks once."""

    def wait_for(self, predicate: Callable[[Observation], bool], within_s: float) -> Observation:
        """Looks until the predicate holds; fails with what was seen last if it does not in time (the rig's time scale)."""

    def never(self, predicate: Callable[[Observation], bool], for_s: float) -> None:
        """Looks for that long; fails with what was seen as soon as the predicate holds."""

    def full_log(self) -> str:
        """What happened so far, for the message of a failing test."""

    def close(self) -> None:
        """Lets go of the unit."""
