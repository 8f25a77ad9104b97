"""rig/contract.py without `await`, for tests: the unit runs on an event loop in the background."""

import time
from collections.abc import Callable

from hil_tests.fixtures.background import Background
from hil_tests.rig.bench import Bench
from hil_tests.rig.contract import Observation
from hil_tests.rig.unit import Unit

LOOK_EVERY_S = 0.01
CONSOLE_WITHIN_S = 3


class PlainRig:
    """A rig that starts `unit` on construction and stops it on `close`. `time_scale` multiplies every deadline."""

    def __init__(self, background: Background, unit: Unit | Bench, time_scale: float = 1) -> None:
        self._background, self._time_scale = background, time_scale
        self._unit = unit
        background.run(unit.start())

    def close(self) -> None:
        """Release the unit."""
        self._background.run(self._unit.stop())

    def fault_names(self) -> tuple[str, ...]:
        """Return the names of the faults that this rig can cause."""
        return self._unit.fault_names()

    def plug(self) -> None:
        """Plug the car in."""
        self._background.call(self._unit.plug)

    def unplug(self) -> None:
        """Pull the plug."""
        self._background.call(self._unit.unplug)

    def fault(self, name: str, on: bool) -> None:
        """Cause the fault `name`, or end it. Raises ValueError for an unknown name."""
        self._background.call(self._unit.fault, name, on)

    def network(self, *, up: bool | None = None, csq: int | None = None) -> None:
        """Switch the mobile network on or off, or set its signal."""
        self._background.call(self._unit.network, up, csq)

    def mains(self, on: bool) -> None:
        """Switch the mains."""
        self._background.call(self._unit.mains, on)

    def button(self) -> None:
        """Press the unit's button briefly."""
        self._background.call(self._unit.button)

    def disturb_modem(self, how: str) -> None:
        """Disturb the modem: "garbage", "speed", "hang", "brown_out" or "drop_pdp"."""
        self._background.call(self._unit.disturb_modem, how)

    def console(self, command: str) -> list[str]:
        """Send a command to the service console and return the answer's lines. Raises ConsoleError with the unit's refusal."""
        return self._background.run(self._unit.ask(command, CONSOLE_WITHIN_S * self._time_scale))

    def console_losses(self) -> str:
        """Describe what the console's line has lost since the start."""
        return self._background.call(self._unit.console_losses)

    def longest_wait_s(self) -> float:
        """Return the longest time that the unit's program waited for a processor of this computer since the last call."""
        return self._background.call(self._unit.longest_wait_s)

    def observe(self) -> Observation:
        """Return one observation."""
        return self._background.call(self._unit.observe)

    def wait_for(self, predicate: Callable[[Observation], bool], within_s: float) -> Observation:
        """Observe until the predicate holds. Fail with the last observation after the deadline."""
        within_s *= self._time_scale
        deadline_s = time.monotonic() + within_s
        while not predicate(seen := self.observe()):
            if time.monotonic() > deadline_s:
                raise AssertionError(f"not within {within_s} s; seen last: {seen}")
            time.sleep(LOOK_EVERY_S)
        return seen

    def never(self, predicate: Callable[[Observation], bool], for_s: float) -> None:
        """Observe for `for_s`. Fail with the observation as soon as the predicate holds."""
        end_s = time.monotonic() + for_s
        while time.monotonic() < end_s:
            seen = self.observe()
            if predicate(seen):
                raise AssertionError(f"it held: {seen}")
            time.sleep(LOOK_EVERY_S)

    def full_log(self) -> str:
        """Return everything that happened so far, for the message of a failing test."""
        return self._background.call(self._unit.full_log)
