"""Does the guard of a charge point act while its program does not? The firmware's process is frozen (SIGSTOP) during a
charge.

Four kinds, each at random instants:

freezes   the program never continues: the contactor is open within 100 ms of an unplug, of C to B and of a residual current,
          and within 1.2 s of the freeze where nothing else happens
stalls    the program continues after 30 to 330 ms, as on a port of MicroPython: no charge is interrupted
causes    the same stalls, and during or near each an unplug, C to B or a residual current: open within 100 ms
port      the stalls of a port with an ESP32's manners, in TLS handshakes, erases of the flash and long writes, while the
          unit talks to its cloud, writes settings and reconnects all the time; the same causes as before

Times are those of the simulated board, so the guard's results do not include delays of a busy machine.
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
from hil_tests.link_life.life import QUICK
from hil_tests.rig.console import ConsoleError, ConsoleSilent
from hil_tests.rig.unit import Unit

KINDS = ("freezes", "stalls", "causes")  # made by the rig
PORT = "port"
OPENS_WITHIN_MS = 100  # after a cause; IEC 61851-1 table A.6, sequences 7 and 8.1
DEAD_WITHIN_MS = 1200  # after a freeze without a cause
STALL_MS = (30, 330)  # of the port, see firmware/boards/tcall.md
ALONE_PART = 0.2  # share of the freezes without a cause
STARTS_WITHIN_S = 60
CHARGES_WITHIN_S = 90
PRESS_EVERY_S = 2
FORGIVEN_AFTER = 2  # closings: after a third the contactor rests (firmware/charging/README.md)
WATCHED_FOR_S = 3
BETWEEN_S = (0.0, 0.4)
LOOK_S = 0.005
TALKS_EVERY_S = (1.0, 4.0)
WRONG_MAX = 5
BUCKET_MS, LONG_BUCKET_MS, BAR = 10, 100, 50


@dataclass
class Freezes:
    """The results of one unit, or of several together."""

    count: int = 0
    by_cause_ms: dict[str, list[float]] = field(default_factory=dict)
    interrupted: int = 0  # charges interrupted by a stall without a cause
    stalls: Counter[str] = field(default_factory=Counter)  # of the port itself, by reason
    wrong: list[str] = field(default_factory=list)

    def join(self, other: "Freezes") -> None:
        """Add the results of another unit."""
        self.count += other.count
        for cause, times in other.by_cause_ms.items():
            self.by_cause_ms.setdefault(cause, []).extend(times)
        self.interrupted += other.interrupted
        self.stalls += other.stalls
        self.wrong += other.wrong

    def late(self) -> int:
        """Return the number of openings beyond their limit."""
        return sum(ms > limit_ms(cause) for cause, times in self.by_cause_ms.items() for ms in times)

    def held(self) -> bool:
        """Return whether the promise was kept."""
        return self.count > 0 and not self.late() and not self.interrupted and not self.wrong

    def report(self, kind: str) -> list[str]:
        """Return the lines to print."""
        lines = [f"{kind}: the firmware's process stands still as it charges, {self.count} times"]
        if self.stalls:
            lines = [
                f"{kind}: {self.count} causes beside the stalls of a port with an ESP32's manners",
                "  its stalls: " + ", ".join(f"{why} {count}" for why, count in sorted(self.stalls.items())),
            ]
        short = [ms for cause, times in self.by_cause_ms.items() if cause != "alone" for ms in times]
        lines += _histogram("cause -> contactor open", short, BUCKET_MS, OPENS_WITHIN_MS)
        lines += _histogram(
            "frozen, nothing else -> contactor open", self.by_cause_ms.get("alone", []), LONG_BUCKET_MS, DEAD_WITHIN_MS
        )
        lines += [
            f"    {cause:28} {len(ms):6}  worst {max(ms):6.1f} ms" for cause, ms in sorted(self.by_cause_ms.items())
        ]
        lines.append(
            f"  late: {self.late()}; charges interrupted by a stall: {self.interrupted}; wrong: {len(self.wrong)}"
        )
        return lines + [f"    {what}" for what in self.wrong[:10]]


def limit_ms(cause: str) -> int:
    """Return the limit from the cause to the open contactor."""
    return DEAD_WITHIN_MS if cause == "alone" else OPENS_WITHIN_MS


def _histogram(title: str, times: list[float], bucket_ms: int, bound_ms: int) -> list[str]:
    if not times:
        return []
    times = sorted(times)
    lines = [f"  {title}: {len(times)}"]
    for start in range(int(times[0]) // bucket_ms * bucket_ms, int(times[-1]) + 1, bucket_ms):
        count = sum(start <= ms < start + bucket_ms for ms in times)
        lines.append(f"  {start:4} .. {start + bucket_ms:4} ms {count:6} {'#' * -(-BAR * count // len(times))}")
    p50 = times[len(times) // 2]
    return [*lines, f"  p50 {p50:.1f}  worst {times[-1]:.1f} ms, limit {bound_ms} ms"]


class FreezeBench(Unit):
    """A virtual unit whose processor is frozen while it charges."""

    def __init__(self, folder: Path, seed: int, manners: tuple[str, ...] = ()) -> None:
        super().__init__(folder, seed, manners=manners)
        self.world.latencies = QUICK
        self.board.vehicle.closes_s2_without_pwm = True
        self._random = random.Random(seed)
        self._closings = 0
        self.freezes = Freezes()

    async def measure(self, kind: str, count: int, introduction: list[str]) -> Freezes:
        """Freeze it `count` times. `introduction` is a list of console commands that connect the unit to a cloud."""
        once = {
            "freezes": self._freeze,
            "stalls": self._stall,
            "causes": self._cause_in_stall,
            PORT: self._cause,
        }[kind]
        talking: asyncio.Task[None] | None = None
        await self.start()
        try:
            async with asyncio.timeout(STARTS_WITHIN_S):
                await self._until(lambda: any(self.board.outputs.led))
            if introduction:
                talking = asyncio.create_task(self._talk(introduction))
            self.board.vehicle.plugged = True
            while self.freezes.count < count and len(self.freezes.wrong) < WRONG_MAX:
                await self._charging()
                await asyncio.sleep(self._random.uniform(*BETWEEN_S))
                if not self.board.contact_closed:
                    self._wrong("a charge that was interrupted by nothing")
                    continue
                self.freezes.count += 1
                await once()
                tally.one_more()
        except TimeoutError:
            self._wrong(f"no charge {CHARGES_WITHIN_S} s after all was well: {self.test_bench.status}")
        finally:
            if talking is not None:
                talking.cancel()
            self.freezes.stalls = Counter(self._processor.stalls)
            await self.stop()
        return self.freezes

    async def _talk(self, introduction: list[str]) -> None:
        """Provision the unit; then write settings and reconnect in turn until cancelled."""
        for words in introduction:
            await self.ask(words, STARTS_WITHIN_S)
        for number in itertools.count():
            await asyncio.sleep(self._random.uniform(*TALKS_EVERY_S))
            wanted = f'provision {{"random_delay_max_s": {number % 1800}}}' if number % 2 else "override off"
            with contextlib.suppress(ConsoleError, ConsoleSilent):
                await self.ask(wanted)

    async def _freeze(self) -> None:
        alone = self._random.random() < ALONE_PART
        self.freeze()
        frozen_s = self.board.now_s
        try:
            if alone:
                await self._opens("alone", frozen_s)
            else:
                await asyncio.sleep(self._random.uniform(0, 0.6))
                await self._spoil_and_mend(self.thaw)
        finally:
            self.thaw()
        if alone:  # its fault waits longer each time it recurs with the same vehicle
            self.board.vehicle.plugged = False
            await self._until(lambda: self.board.pilot_state == "A1")
            self.board.vehicle.plugged = True

    async def _stall(self) -> None:
        closed_since_s = self.board.contact_moved_s
        await self._stand_still(self._random.uniform(*STALL_MS) / 1000)
        await asyncio.sleep(0.1)
        if self.board.contact_moved_s != closed_since_s:
            self.freezes.interrupted += 1

    async def _cause(self) -> None:
        await self._spoil_and_mend(lambda: None)

    async def _cause_in_stall(self) -> None:
        still_s = self._random.uniform(*STALL_MS) / 1000
        stalling = asyncio.create_task(self._stand_still(still_s))
        await asyncio.sleep(self._random.uniform(0, still_s + 0.05))
        await self._spoil_and_mend(lambda: None, stalling)

    async def _stand_still(self, seconds: float) -> None:
        self.freeze()
        try:
            await asyncio.sleep(seconds)
        finally:
            self.thaw()

    async def _spoil_and_mend(self, thaw: Callable[[], None], stalling: asyncio.Task[None] | None = None) -> None:
        name, spoil, mend = self._random.choice(self._causes())
        spoil()
        await self._opens(name, self.board.now_s)
        thaw()
        if stalling is not None:
            await stalling
        await self._until(lambda: not self.board.outputs.contactor)  # until the firmware has seen it
        mend()
        if name.startswith("rcd"):
            self.button()

    def _causes(self) -> list[tuple[str, Callable[[], None], Callable[[], None]]]:
        """Return name, start and end of each cause. The one that recovers soonest is the most frequent."""
        vehicle = self.board.vehicle

        def s2(closed: bool) -> None:
            vehicle.wants_charge = vehicle.s2_closed = closed

        def leakage(name: str) -> tuple[str, Callable[[], None], Callable[[], None]]:
            return name, lambda: self.board.set_fault(name, True), lambda: self.board.set_fault(name, False)

        unplug = ("unplug", lambda: setattr(vehicle, "plugged", False), lambda: setattr(vehicle, "plugged", True))
        return [("C to B", lambda: s2(False), lambda: s2(True))] * 3 + [unplug, leakage("rcd_ac"), leakage("rcd_dc")]

    async def _opens(self, cause: str, since_s: float) -> None:
        """Wait for the contacts, and record the time on the board's own clock."""
        while self.board.contact_closed:
            if self.board.now_s - since_s > WATCHED_FOR_S:
                self._wrong(f"{cause}: not open within {WATCHED_FOR_S} s")
                return
            await asyncio.sleep(LOOK_S)
        took_ms = 1000 * (self.board.contact_moved_s - since_s)
        if took_ms < 0:  # it opened before the cause, so for another reason
            self._wrong(f"open {-took_ms:.0f} ms before {cause}: {self.test_bench.status}")
            return
        self.freezes.by_cause_ms.setdefault(cause, []).append(took_ms)

    async def _charging(self) -> None:
        """Wait until it charges. Press the button before the contactor has to rest, and again if a press was too short
        for a busy machine."""
        self._closings += 1
        if self._closings % FORGIVEN_AFTER == 0:
            self.button()
        async with asyncio.timeout(CHARGES_WITHIN_S):
            while True:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(PRESS_EVERY_S):
                        return await self._until(lambda: self.board.contact_closed)
                if self.board.outputs.led[0]:
                    self.button()

    async def _until(self, holds: Callable[[], bool]) -> None:
        for _ in itertools.count():
            if holds():
                return
            await asyncio.sleep(LOOK_S)

    def _wrong(self, what: str) -> None:
        self.freezes.wrong.append(f"{self.freezes.count}: {what}")


def run(folder: Path, seed: int, kind: str, count: int, introduction: list[str] | None = None) -> Freezes:
    """Run one unit in this process."""
    manners = ("stalls",) if kind == PORT else ()

    async def work() -> Freezes:
        return await FreezeBench(folder, seed, manners).measure(kind, count, introduction or [])

    return asyncio.run(work())
