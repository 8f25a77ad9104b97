"""Does a unit charge again after each mains cut at a random instant, in the same session, with nothing lost?

The firmware's process is killed at any point as its rail collapses, on a real littlefs.
"""

import asyncio
import contextlib
import itertools
import random
import time
from dataclasses import dataclass, field
from pathlib import Path

from hil_tests.bench import tally
from hil_tests.rig.console import ConsoleError, ConsoleSilent
from hil_tests.rig.unit import Unit

CHARGES_WITHIN_S = 5  # after the boot
CUT_AFTER_S = (0.0, 1.5)  # after it charges again
CUT_IN_BOOT_PART = 0.2  # share of the cuts followed by another before it charges
IN_BOOT_S = (0.0, 0.6)
OFF_S = (0.05, 0.6)  # the shortest are dips, some of which the rail survives
LONG_OFF_S, LONG_OFF_PART = 2.0, 0.1  # long enough for the car to open S2
LOSS_WH = 20  # 10 s at 32 A
ASK_TIMES = 5
LOOK_S = 0.01


@dataclass
class Cuts:
    """The results."""

    count: int = 0  # cuts, each checked afterwards
    in_boot: int = 0  # further cuts, before it charged again
    boot_to_c2_s: list[float] = field(default_factory=list)
    lost_wh: list[float] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    def join(self, other: "Cuts") -> None:
        """Add the results of another unit."""
        self.count += other.count
        self.in_boot += other.in_boot
        self.boot_to_c2_s += other.boot_to_c2_s
        self.lost_wh += other.lost_wh
        self.wrong += other.wrong

    def held(self) -> bool:
        """Return whether the promise was kept."""
        return self.count > 0 and not self.wrong

    def report(self) -> list[str]:
        """Return the lines to print."""
        lines = [
            f"mains cuts at random instants of a charge: {self.count}, each looked at; {self.in_boot} more while it booted"
        ]
        if self.boot_to_c2_s:
            times = sorted(self.boot_to_c2_s)
            lines.append(f"  mains back to C2: p50 {times[len(times) // 2]:.2f}  worst {times[-1]:.2f} s, limit 5 s")
        if self.lost_wh:
            lines.append(f"  energy lost: worst {max(self.lost_wh):.1f} Wh, limit {LOSS_WH} Wh (10 s of charging)")
        return [*lines, f"  wrong: {len(self.wrong)}", *(f"    {what}" for what in self.wrong[:10])]


class CutBench(Unit):
    """A virtual unit on bad mains."""

    def __init__(self, folder: Path, seed: int) -> None:
        super().__init__(folder, seed)
        self._random = random.Random(seed)
        self.cuts = Cuts()

    async def cut(self, count: int) -> Cuts:
        """Charge through `count` cuts."""
        await self.start()
        self.board.vehicle.plugged = True
        watching = asyncio.create_task(self._watch())
        try:
            await self._charging()
            for number in range(count):
                self.cuts.count = number + 1
                await asyncio.sleep(self._random.uniform(*CUT_AFTER_S))
                await self._cut()
                if self._random.random() < CUT_IN_BOOT_PART:
                    self.cuts.in_boot += 1
                    await asyncio.sleep(self._random.uniform(*IN_BOOT_S))
                    await self._cut()
                await self._look(time.monotonic())
                tally.one_more()
        finally:
            watching.cancel()
            await self.stop()
        return self.cuts

    async def _cut(self) -> None:
        self.mains(False)
        await asyncio.sleep(LONG_OFF_S if self._random.random() < LONG_OFF_PART else self._random.uniform(*OFF_S))
        self.mains(True)

    async def _look(self, on_s: float) -> None:
        """Check that it charges in the same session, with its energy, and never had a fault."""
        try:
            await self._charging()
        except TimeoutError:
            self._wrong(f"not charging {CHARGES_WITHIN_S} s after the boot")
            return
        self.cuts.boot_to_c2_s.append(time.monotonic() - on_s)
        for _ in itertools.repeat(None, ASK_TIMES):
            with contextlib.suppress(ConsoleError, ConsoleSilent):
                status = dict(line.split(" ", 1) for line in await self.ask("status", within_s=1))
                self.cuts.lost_wh.append(self.board.meter_wh - int(status["session_wh"]))
                if status["session"] != "1" or self.cuts.lost_wh[-1] > LOSS_WH:
                    self._wrong(str(status))
                if faults := await self.ask("faults"):
                    self._wrong(str(faults))
                return
        self._wrong("the console is silent")

    async def _charging(self) -> None:
        async with asyncio.timeout(CHARGES_WITHIN_S):
            while True:
                if self.board.contact_closed and self.board.offered_a:
                    return
                await asyncio.sleep(LOOK_S)

    async def _watch(self) -> None:
        """Check that the light is never red on the way."""
        while True:
            red, green, blue = self.board.outputs.led
            if red and not green and not blue:
                self._wrong("red")
                return
            await asyncio.sleep(LOOK_S)

    def _wrong(self, what: str) -> None:
        self.cuts.wrong.append(f"cut {self.cuts.count}: {what}")


def run(folder: Path, seed: int, count: int) -> Cuts:
    """Run one unit in this process."""

    async def work() -> Cuts:
        return await CutBench(folder, seed).cut(count)

    return asyncio.run(work())
