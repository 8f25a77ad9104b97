"""Mains cuts at random instants of a charge: is it charging again each time, in the same session, with nothing lost?

The firmware's process is killed as its rail collapses, in the middle of whatever it does, on a real littlefs.
"""

import asyncio
import contextlib
import itertools
import random
import time
from dataclasses import dataclass, field
from pathlib import Path

from hil_tests.rig.console import ConsoleError, ConsoleSilent
from hil_tests.rig.unit import Unit

CHARGES_WITHIN_S = 5  # of the boot
CUT_AFTER_S = (0.05, 2.5)  # of the mains being back: some cuts come before it charges again
OFF_S = (0.05, 0.6)  # the shortest are dips, for some of which the rail holds
LOSS_WH = 20  # 10 s at 32 A
CHECK_EVERY = 10  # cuts: then it may charge, and is asked what it knows
LOOK_S = 0.01


@dataclass
class Cuts:
    """What was seen."""

    count: int = 0
    boot_to_c2_s: list[float] = field(default_factory=list)
    lost_wh: list[float] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)


class CutBench(Unit):
    """A virtual unit on bad mains."""

    def __init__(self, folder: Path, seed: int) -> None:
        super().__init__(folder, seed)
        self._random = random.Random(seed)
        self.cuts = Cuts()

    async def cut(self, count: int) -> Cuts:
        """Charges through `count` cuts."""
        await self.start()
        self.board.vehicle.plugged = True
        watching = asyncio.create_task(self._watch())
        try:
            await self._charging()
            for number in range(count):
                await asyncio.sleep(self._random.uniform(*CUT_AFTER_S))
                self.mains(False)
                await asyncio.sleep(self._random.uniform(*OFF_S))
                self.mains(True)
                self.cuts.count += 1
                if number % CHECK_EVERY == 0:
                    await self._check(time.monotonic())
            await self._check(time.monotonic())
        finally:
            watching.cancel()
            await self.stop()
        return self.cuts

    async def _check(self, on_s: float) -> None:
        try:
            await self._charging()
        except TimeoutError:
            self.cuts.wrong.append(f"cut {self.cuts.count}: not charging {CHARGES_WITHIN_S} s after the boot")
            return
        self.cuts.boot_to_c2_s.append(time.monotonic() - on_s)
        await asyncio.sleep(1)
        for _ in itertools.repeat(None, 3):
            with contextlib.suppress(ConsoleError, ConsoleSilent):
                status = dict(line.split(" ", 1) for line in await self.ask("status"))
                self.cuts.lost_wh.append(self.board.meter_wh - int(status["session_wh"]))
                if status["session"] != "1" or self.cuts.lost_wh[-1] > LOSS_WH:
                    self.cuts.wrong.append(f"cut {self.cuts.count}: {status}")
                return
        self.cuts.wrong.append(f"cut {self.cuts.count}: the console is silent")

    async def _charging(self) -> None:
        async with asyncio.timeout(CHARGES_WITHIN_S):
            while True:
                if self.board.contact_closed and self.board.offered_a:
                    return
                await asyncio.sleep(LOOK_S)

    async def _watch(self) -> None:
        """No fault on the way, not for a moment."""
        while True:
            red, green, blue = self.board.outputs.led
            if red and not green and not blue:
                self.cuts.wrong.append(f"cut {self.cuts.count}: red")
                return
            await asyncio.sleep(LOOK_S)
