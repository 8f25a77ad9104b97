"""The virtual rig: a unit that exists in this process only."""

from collections.abc import Collection
from pathlib import Path

from hil_tests.fixtures.background import Background
from hil_tests.rig.plain import PlainRig
from hil_tests.rig.unit import Unit


class VirtualRig(PlainRig):
    """A virtual unit with its flash in `folder`. The same seed gives the same delays of the mobile network. `unit` is
    for a panel."""

    def __init__(
        self,
        background: Background,
        folder: Path,
        seed: int = 0,
        time_scale: float = 1,
        manners: Collection[str] = (),
    ) -> None:
        self.unit = background.call(lambda: Unit(folder, seed, manners=manners))
        super().__init__(background, self.unit, time_scale)
