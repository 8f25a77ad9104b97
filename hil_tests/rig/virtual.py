"""The virtual rig: rig/contract.py over a virtual unit of this machine."""

import time
from collections.abc import Callable
from pathlib import Path

from hil_tests.rig.background import Background
from hil_tests.rig.contract import Observation
from hil_tests.rig.unit import Unit
from hil_tests.sim.board import FAULTS

LOOK_EVERY_S = 0.01


class VirtualRig:
    """A unit that lives on the background loop; made running, ended by `close`."""

    def __init__(self, background: Background, folder: Path, seed: int = 0) -> None:
        self._background = background
        self._unit = background.call(lambda: Unit(folder, seed))
        background.run(self._unit.start())

    @property
    def unit(self) -> Unit:
        """The unit itself, for a panel to show."""
        return self._unit

    def close(self) -> None:
        """Takes the unit off the wall."""
        self._background.run(self._unit.stop())

    def plug(self) -> None:
        """Plugs the car in."""
        self._background.call(self._unit.plug)

    def unplug(self) -> None:
        """Pulls the plug."""
        self._background.call(self._unit.unplug)

    def fault(self, name: str, on: bool) -> None:
        """Breaks something by name, or mends it. Raises ValueError for an unknown name."""
        self._background.call(self._unit.fault, name, on)

    def fault_names(self) -> tuple[str, ...]:
        """The names, those that mend themselves first."""
        return FAULTS

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
        """Troubles the modem: "garbage", "hang", "brown_out" or "drop_pdp"."""
        self._background.call(self._unit.disturb_modem, how)

    def console(self, command: str) -> list[str]:
        """Asks the service console; raises ConsoleError with what it said if it refuses."""
        return self._background.run(self._unit.ask(command))

    def observe(self) -> Observation:
        """Looks once."""
        return self._background.call(self._unit.observe)

    def wait_for(self, predicate: Callable[[Observation], bool], within_s: float) -> Observation:
        """Looks until the predicate holds; fails with what was seen last if it does not in time."""
        deadline_s = time.monotonic() + within_s
        while not predicate(seen := self.observe()):
            if time.monotonic() > deadline_s:
                raise AssertionError(f"not within {within_s} s; seen last: {seen}")
            time.sleep(LOOK_EVERY_S)
        return seen

    def story(self) -> str:
        """What happened so far, for the message of a failing test."""
        return self._background.call(self._unit.whole_story)
