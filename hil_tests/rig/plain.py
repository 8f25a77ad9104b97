"""rig/contract.py for plain steps, such as a test's: a unit that lives on an event loop in the background."""

import time
from collections.abc import Callable

from hil_tests.fixtures.background import Background
from hil_tests.rig.bench import Bench
from hil_tests.rig.contract import Observation
from hil_tests.rig.unit import Unit

LOOK_EVERY_S = 0.01
CONSOLE_WITHIN_S = 3


class PlainRig:
    """`unit` is started here, and stopped by `close`. `time_scale` stretches what is allowed for time."""

    def __init__(self, background: Background, unit: Unit | Bench, time_scale: float = 1) -> None:
        self._background, self._time_scale = background, time_scale
        self._unit = unit
        background.run(unit.start())

    def close(self) -> None:
        """Lets go of the unit."""
        self._background.run(self._unit.stop())

    def fault_names(self) -> tuple[str, ...]:
        """What can be broken here."""
        return self._unit.fault_names()

    def plug(self) -> None:
        """Plugs the car in."""
        self._background.call(self._unit.plug)

    def unplug(self) -> None:
        """Pulls the plug."""
        self._background.call(self._unit.unplug)

    def fault(self, name: str, on: bool) -> None:
        """Breaks something by name, or mends it. Raises ValueError for an unknown name."""
        self._background.call(self._unit.fault, name, on)

    def network(self, *, up: bool | None = None, csq: int | None = None) -> None:
        """Switches the mobile network, or moves the antenna."""
        self._background.call(self._unit.network, up, csq)

    def mains(self, on: bool) -> None:
        """Switches the mains."""
        self._background.call(self._unit.mains, on)

    def button(self) -> None:
        """Presses the unit's button shortly."""
        self._background.call(self._unit.button)

    def disturb_modem(self, how: str) -> None:
        """Troubles the modem: "garbage", "speed", "hang", "brown_out" or "drop_pdp"."""
        self._background.call(self._unit.disturb_modem, how)

    def console(self, command: str) -> list[str]:
        """Asks the service console; raises ConsoleError with what it said if it refuses."""
        return self._background.run(self._unit.ask(command, CONSOLE_WITHIN_S * self._time_scale))

    def console_losses(self) -> str:
        """What the line of the console has lost since the start, in words."""
        return self._background.call(self._unit.console_losses)

    def longest_wait_s(self) -> float:
        """The longest that the unit's program was kept waiting for a processor of this computer since the last call."""
        return self._background.call(self._unit.longest_wait_s)

    def observe(self) -> Observation:
        """Looks once."""
        return self._background.call(self._unit.observe)

    def wait_for(self, predicate: Callable[[Observation], bool], within_s: float) -> Observation:
        """Looks until the predicate holds; fails with what was seen last if it does not in time."""
        within_s *= self._time_scale
        deadline_s = time.monotonic() + within_s
        while not predicate(seen := self.observe()):
            if time.monotonic() > deadline_s:
                raise AssertionError(f"not within {within_s} s; seen last: {seen}")
            time.sleep(LOOK_EVERY_S)
        return seen

    def never(self, predicate: Callable[[Observation], bool], for_s: float) -> None:
        """Looks for that long; fails with what was seen as soon as the predicate holds."""
        end_s = time.monotonic() + for_s
        while time.monotonic() < end_s:
            seen = self.observe()
            if predicate(seen):
                raise AssertionError(f"it held: {seen}")
            time.sleep(LOOK_EVERY_S)

    def full_log(self) -> str:
        """What happened so far, for the message of a failing test."""
        return self._background.call(self._unit.full_log)
