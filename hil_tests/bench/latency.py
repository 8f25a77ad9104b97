"""The time from a fault or an unplug on the wires to the command that opens the contactor, on the running firmware.

The unit is a whole virtual unit. While it charges, one cause after another is put on its wires, at random moments of
its 20 ms loop, and the time until its answer is on the wires is measured. Meanwhile everything else that the unit does
is made as hard as possible: the modem stalls in each kind of wait, loses bytes and recovers; TLS handshakes repeat; the
console is flooded; settings and records are written to the flash; garbage is collected four times a second. The
firmware itself reports what it was doing (watched_on_micropython.py).
"""

import asyncio
import contextlib
import itertools
import random
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from hil_tests.bench import tally
from hil_tests.bench.latencies import Latencies
from hil_tests.bench.stalls import Stalls
from hil_tests.link_life.life import QUICK
from hil_tests.rig.console import ConsoleError, ConsoleSilent
from hil_tests.rig.hardware import Send
from hil_tests.rig.processor import Program
from hil_tests.rig.unit import Unit
from hil_tests.sim.board import Outputs
from hil_tests.sim.modem.radio import Span

# The notebook is compiled on the unit and takes heap, unlike the firmware's own code: the extra 16.
WATCHED = Program(str(Path(__file__).with_name("watched_on_micropython")), "heapsize=144wK")
CLOSES_WITHIN_S = 90  # after everything is well again; a fault that fluttered waits up to 60 s before it clears
STUCK_MAX = 3
PRESS_EVERY_S = 2
FORGIVEN_AFTER = 2  # closings: after a third the contactor rests (firmware/charging/README.md)
OPENS_WITHIN_S = 5
STARTS_WITHIN_S = 30  # long enough for a busy machine
SETTLE_S = (0.0, 0.06)  # of charging before the next cause: up to three steps of the loop, random
PROVOKED_PART = 0.25  # share of the injections that come while the unit writes to its flash
TROUBLE_EVERY_S = 0.4
SCAN = Span(500, 1000)

Cause = tuple[str, Callable[[], None], Callable[[], None]]  # name, how it starts, how it ends


class Bench(Unit):
    """A virtual unit whose wires are timed."""

    def __init__(self, folder: Path, seed: int) -> None:
        super().__init__(folder, seed, WATCHED)
        self.world.latencies = replace(QUICK, scan=SCAN)
        self.board.vehicle.closes_s2_without_pwm = True
        self._random = random.Random(seed)
        self._closings = 0
        self._changed = asyncio.Event()
        self._opened_s = 0.0
        self._starts = 0
        self._writing: set[asyncio.Task[list[str]]] = set()
        self._stalls = Stalls(self.disturb_modem, self._random)
        self.latencies = Latencies()

    async def inject(self, count: int, introduction: list[str]) -> Latencies:
        """Charge, and interrupt the charge `count` times. `introduction` is a list of console commands to send first."""
        await self.start()
        try:
            await self._until(lambda: any(self.board.outputs.led), STARTS_WITHIN_S)
            await asyncio.sleep(1)  # its console opens after its light
            for words in introduction:
                await self.ask(words, within_s=STARTS_WITHIN_S)
            self.board.vehicle.plugged = True
            trouble = asyncio.create_task(self._trouble())
            begun_s = time.monotonic()
            await self._inject(count)
            self.latencies.minutes = (time.monotonic() - begun_s) / 60
            trouble.cancel()
        finally:
            self.latencies.restarts = self._starts - 1
            self.latencies.stalls = self._stalls.counts
            await self.stop()
        return self.latencies

    async def _inject(self, count: int) -> None:
        causes = self._causes()
        injected = stuck = 0
        while injected < count:
            try:
                await self._charging()
            except TimeoutError:
                stuck += 1
                self.latencies.missed.append(
                    f"no charge {CLOSES_WITHIN_S} s after all was well: {self.test_bench.status}"
                )
                if stuck == STUCK_MAX:
                    return
                continue
            if self._random.random() < PROVOKED_PART:
                self._write_flash()
            await asyncio.sleep(self._random.uniform(*SETTLE_S))
            if self.board.outputs.contactor:
                injected += 1
                await self._once(self._random.choice(causes))
                tally.one_more()

    def _causes(self) -> list[Cause]:
        vehicle = self.board.vehicle

        def s2(closed: bool) -> None:
            vehicle.wants_charge = vehicle.s2_closed = closed

        def broken(name: str, on: bool) -> None:
            self.board.set_fault(name, on)
            self.board.button = not on

        def fault(name: str) -> Cause:
            return name, lambda: broken(name, True), lambda: broken(name, False)

        unplug = ("unplug", lambda: setattr(vehicle, "plugged", False), lambda: setattr(vehicle, "plugged", True))
        often = [("S2 opens", lambda: s2(False), lambda: s2(True))] * 8  # the one that recovers soonest
        return [*often, unplug, fault("rcd_ac"), fault("rcd_dc"), fault("pilot_short")]

    async def _once(self, cause: Cause) -> None:
        name, spoil, mend = cause
        stalled = self._stalls.now
        self._read_notebook()
        spoil()
        injected_s = time.monotonic()
        if self._wires is not None:
            self._wires.send(self.board.inputs())
        try:
            await self._until(lambda: not self.board.outputs.contactor, OPENS_WITHIN_S)
        except TimeoutError:
            self.latencies.missed.append(f"{name}: not open within {OPENS_WITHIN_S} s")
        else:
            await asyncio.sleep(0.02)  # its output comes after its wires
            doing = self._read_notebook()
            self.latencies.add(name, 1000 * (self._opened_s - injected_s), _named(doing, stalled))
        if name == "pilot_short":  # the unit saw it open; sometimes let it become a fault
            await asyncio.sleep(self._random.choice([0.0, 0.4]))
        mend()
        await asyncio.sleep(0.03)
        self.board.button = False

    def _read_notebook(self) -> list[str]:
        """Read what the firmware has printed since the last call. Return what it was doing when the contactor opened."""
        doing: list[str] = []
        output = self._processor.output
        while output:
            word, *rest = output.popleft().split() or [""]
            if word == "opened":
                doing = rest
            elif word == "steps":
                self.latencies.steps = Counter(
                    {int(apart): int(n) for apart, _, n in (pair.partition(":") for pair in rest)}
                )
            else:
                self.log(f"the firmware says: {word} {' '.join(rest)}")
        return doing

    async def _charging(self) -> None:
        """Wait until it charges. Press the button before the contactor has to rest, and again if a press was too short
        for a busy machine."""
        self._closings += 1
        if self._closings % FORGIVEN_AFTER == 0:
            self.button()
        async with asyncio.timeout(CLOSES_WITHIN_S):
            while True:
                with contextlib.suppress(TimeoutError):
                    return await self._until(lambda: self.board.outputs.contactor, PRESS_EVERY_S)
                self.button()

    async def _until(self, holds: Callable[[], bool], within_s: float) -> None:
        async with asyncio.timeout(within_s):
            while not holds():
                self._changed.clear()
                await self._changed.wait()

    def _obey(self, outputs: Outputs) -> None:
        if self.board.outputs.contactor and not outputs.contactor:
            self._opened_s = time.monotonic()
        super()._obey(outputs)
        self._changed.set()

    # Everything else that a unit may have to do at that moment

    async def _trouble(self) -> None:
        for number in itertools.count():
            await asyncio.sleep(TROUBLE_EVERY_S)
            match number % 4:
                case 0 if number % 20 == 8:
                    self._stalls.ask_for_one()
                case 0 if number % 40 == 36:
                    self.disturb_modem(self._random.choice(("garbage", "drop_pdp")))
                case 1 if number % 12 == 1:  # a write, and a new connection
                    await self._say(f'provision {{"random_delay_max_s": {number % 1800}}}')
                case 2:
                    for command in ("help", "config", "why", "status"):
                        told = await self._say(command)
                    self.latencies.looks += 1
                    self.latencies.proven += "link proven" in told
                case _:
                    await self._say("x" * 2000)

    async def _say(self, words: str) -> list[str]:
        try:
            return await self.ask(words)
        except (ConsoleError, ConsoleSilent):
            return []

    def _write_flash(self) -> None:
        """Switch the override: it is added to the journal and stored in the checkpoint, and has no other effect here."""
        on = self._random.choice(("on", "off"))
        task = asyncio.create_task(self._say(f"override {on}"))
        self._writing.add(task)
        task.add_done_callback(self._writing.discard)

    def _connect(self, to_modem_port: Send, to_console_port: Send) -> tuple[Send, Send]:
        self._starts += 1
        hear_modem_port, hear_console_port = super()._connect(to_modem_port, to_console_port)

        def overheard(chunk: bytes) -> None:
            self._stalls.overhear(chunk)
            hear_modem_port(chunk)

        return overheard, hear_console_port


def _named(doing: list[str], stalled: bool) -> list[str]:
    """Return the activities. Mark the command in flight, which comes last, if the modem was silent."""
    if not doing:
        return ["(not said)"]
    return [*doing[:-1], doing[-1] + (", no answer" if stalled else "")]


def run(folder: Path, seed: int, count: int, introduction: list[str]) -> Latencies:
    """Run one unit in this process."""

    async def work() -> Latencies:
        return await Bench(folder, seed).inject(count, introduction)

    return asyncio.run(work())
