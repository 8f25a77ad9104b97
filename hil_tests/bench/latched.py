"""Losses of the supply at random instants with a latched fault: does it survive every brown-out, and no cut of the
mains?

A fault that only a person clears ends a charge. At a random instant afterwards, most often within the 250 ms in which
its checkpoint may still be unwritten, the supply is lost: for less than half a second, after which the processor finds
a brown-out, or for 30 s. Some units lose it once more while they start.

brown-out          the light is red from its first sign on, and the fault waits for a person; the button then clears it
cut, cause gone    never red again, and charging by itself
cut, cause there   red again; once the cause is gone, the button clears it
cut, brown-out     in the start after the cut: counted, not judged. Before the firmware has run, it cannot tell whether the cut
                   has cleared the memory or the brown-out has damaged it; the fault then stays latched

The firmware's process is killed at any point as its rail collapses, on a real littlefs. The rig decides which of the
two a loss was by how long the rail was dead. The 30 s pass at once, because nothing of the unit runs in them.
"""

import asyncio
import contextlib
import itertools
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from hil_tests.bench import tally
from hil_tests.rig.console import ConsoleError, ConsoleSilent
from hil_tests.rig.unit import Unit

FAULTS = ("rcd_ac", "rcd_dc", "contactor_stuck_open", "contactor_welded")  # each latches a fault of the same name
BROWN_OUT, CUT, CUT_CAUSE_THERE = "brown-out", "mains cut, cause gone", "mains cut, cause still there"
MIXED = "mains cut, then a brown-out"
KINDS = (BROWN_OUT, BROWN_OUT, BROWN_OUT, CUT, CUT, CUT_CAUSE_THERE)
YOUNG_MS, OLD_MS = 250, 3000  # the age of the fault when the mains are lost
YOUNG_PART = 0.7
DEAD_S, CUT_S = (0.02, 0.35), 30.0  # of the rail in a brown-out; of the mains in a cut
AGAIN_PART = 0.25  # share of the losses followed by another before the unit has started, or just after
IN_START_S = (0.0, 1.5)
RED_FOR_S = 0.5
STARTS_WITHIN_S = 180  # the firmware may have to be compiled
SHOWS_WITHIN_S = 30  # for a unit that hangs; a busy machine is not a fault of the unit
PRESS_EVERY_S = 2
ASK_TIMES = 5
WRONG_MAX = 10
LOOK_S = 0.005


@dataclass
class Latched:
    """The results of one unit, or of several together."""

    seed: int = 0
    by_kind: Counter[str] = field(default_factory=Counter)
    by_fault: Counter[str] = field(default_factory=Counter)
    young: int = 0  # faults that were at most YOUNG_MS old
    again: int = 0  # further losses, while the unit started
    kept_in_mixture: int = 0  # still latched after a cut followed by a brown-out
    wrong: list[str] = field(default_factory=list)

    def join(self, other: "Latched") -> None:
        """Add the results of another unit."""
        self.by_kind += other.by_kind
        self.by_fault += other.by_fault
        self.young += other.young
        self.again += other.again
        self.kept_in_mixture += other.kept_in_mixture
        self.wrong += other.wrong

    def held(self) -> bool:
        """Return whether the promise was kept."""
        return self.by_kind.total() > 0 and not self.wrong

    def report(self) -> list[str]:
        """Return the lines to print."""
        return [
            f"losses of the supply at random instants with a latched fault: {self.by_kind.total()}, seed {self.seed}; "
            f"{self.again} more while the unit started",
            *(f"  {kind:30} {count:5}" for kind, count in sorted(self.by_kind.items())),
            *(f"  {fault:30} {count:5}" for fault, count in sorted(self.by_fault.items())),
            f"  still latched after {MIXED}: {self.kept_in_mixture}",
            f"  not older than {YOUNG_MS} ms: {self.young}",
            f"  wrong: {len(self.wrong)}",
            *(f"    {what}" for what in self.wrong[:WRONG_MAX]),
        ]


class LatchedBench(Unit):
    """A virtual unit with faults, on bad mains."""

    def __init__(self, folder: Path, seed: int) -> None:
        super().__init__(folder, seed)
        self.board.vehicle.closes_s2_without_pwm = True
        self._random = random.Random(seed)
        self._what = ""
        self._short: list[bool] = []  # for each loss of the supply since the fault: whether it was a brown-out
        self.latched = Latched(seed)

    async def measure(self, count: int) -> Latched:
        """Lose the supply `count` times."""
        await self.start()
        try:
            await self._until(lambda: self._lit, STARTS_WITHIN_S)
            self.board.vehicle.plugged = True
            while self.latched.by_kind.total() < count and len(self.latched.wrong) < WRONG_MAX:
                await self._charging()
                await self._lose()
                tally.one_more()
        except TimeoutError:
            self._wrong(f"nothing happens any more: {self.test_bench.status}")
        finally:
            await self.stop()
        return self.latched

    async def _lose(self) -> None:
        fault, kind = self._random.choice(FAULTS), self._random.choice(KINDS)
        self._short = []
        self.board.set_fault(fault, True)
        if fault == "contactor_welded":  # it shows when the contactor is told to open
            self.board.vehicle.wants_charge = self.board.vehicle.s2_closed = False
        await self._until(lambda: self._red)
        is_young = self._random.random() < YOUNG_PART
        age_ms = self._random.uniform(0, YOUNG_MS if is_young else OLD_MS)
        await asyncio.sleep(age_ms / 1000)
        if kind != CUT_CAUSE_THERE:
            self._mend(fault)
        await self._switch_off_and_on(DEAD_S if kind == BROWN_OUT else None)
        if self._random.random() < AGAIN_PART:
            self.latched.again += 1
            await asyncio.sleep(self._random.uniform(*IN_START_S))
            await self._switch_off_and_on(DEAD_S if kind == BROWN_OUT else None)
        if kind == BROWN_OUT and not all(self._short):  # the machine was busy, and the rail dead for longer
            kind = MIXED if self._short[-1] else CUT
        self._what = f"{sum(self.latched.by_kind.values())}: {fault}, {age_ms:.0f} ms old, {kind}"
        self.latched.by_kind[kind] += 1
        self.latched.by_fault[fault] += 1
        self.latched.young += age_ms <= YOUNG_MS
        await self._until(lambda: self._lit)
        if kind == CUT:
            await self._goes_on()
        elif kind == MIXED:
            self.latched.kept_in_mixture += self._red
        elif kind == CUT_CAUSE_THERE:
            await self._comes_back(fault)
        else:
            await self._stays_red(fault)
        self._mend(fault)

    def _mend(self, fault: str) -> None:
        self.board.set_fault(fault, False)
        self.board.vehicle.wants_charge = self.board.vehicle.s2_closed = True

    async def _switch_off_and_on(self, off_s: tuple[float, float] | None) -> None:
        """Lose the rail for a random time within `off_s`, or the mains for CUT_S if it is None."""
        self.mains(False)
        await self._until(lambda: not self.board.powered and not self.running)
        if off_s is not None:
            await asyncio.sleep(self._random.uniform(*off_s))
        else:
            self.pass_time(CUT_S)
        self.mains(True)
        await self._until(lambda: self.running)
        self._short.append(self.browned_out)

    async def _goes_on(self) -> None:
        """Check that it charges by itself and is never red."""
        async with asyncio.timeout(SHOWS_WITHIN_S):
            while not self.board.contact_closed:
                if self._red:
                    self._wrong("still latched after a cut of the mains")
                    return
                await asyncio.sleep(LOOK_S)

    async def _comes_back(self, fault: str) -> None:
        """Check that the fault is latched again. Some faults show only when the contactor is to close."""
        async with asyncio.timeout(SHOWS_WITHIN_S):
            while True:
                with contextlib.suppress(ConsoleError, ConsoleSilent):
                    if any(line.startswith(f"{fault} needs_person") for line in await self.ask("faults", within_s=1)):
                        break
                await asyncio.sleep(LOOK_S)
        if not self._red:
            self._wrong("latched, and not red")

    async def _stays_red(self, fault: str) -> None:
        """Check that the light is red without interruption, and that the console reports that a person is needed."""
        until_s = asyncio.get_running_loop().time() + RED_FOR_S
        while asyncio.get_running_loop().time() < until_s:
            if self._lit and not self._red:
                self._wrong("not latched any more")
                return
            await asyncio.sleep(LOOK_S)
        for _ in itertools.repeat(None, ASK_TIMES):
            with contextlib.suppress(ConsoleError, ConsoleSilent):
                told = await self.ask("faults", within_s=1)
                if not any(line.startswith(f"{fault} needs_person") for line in told):
                    self._wrong(f"the console says {told}")
                return
        self._wrong("the console is silent")

    @property
    def _lit(self) -> bool:
        return any(self.board.outputs.led)

    @property
    def _red(self) -> bool:
        red, green, blue = self.board.outputs.led
        return red > 0 and green == blue == 0

    async def _charging(self) -> None:
        """Wait until it charges, and press the button at times."""
        async with asyncio.timeout(SHOWS_WITHIN_S):
            while True:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(PRESS_EVERY_S):
                        if self._red:
                            self.button()
                        return await self._until(lambda: self.board.contact_closed and not self._red)

    async def _until(self, holds: Callable[[], bool], within_s: float = SHOWS_WITHIN_S) -> None:
        async with asyncio.timeout(within_s):
            for _ in itertools.count():
                if holds():
                    return
                await asyncio.sleep(LOOK_S)

    def _wrong(self, what: str) -> None:
        self.latched.wrong.append(f"{self._what}: {what}")


def run(folder: Path, seed: int, count: int) -> Latched:
    """Run one unit in this process."""

    async def work() -> Latched:
        return await LatchedBench(folder, seed).measure(count)

    return asyncio.run(work())
