"""How long from a fault or an unplug on the wires to the command that opens the contactor, on the running firmware?

The unit is the whole virtual one. While it charges, one cause after another is put on its wires, at random moments of
its 20 ms loop, and the time is taken until its answer stands on them. Meanwhile everything else that it does is made as
hard as it gets: the modem stalls, loses bytes and comes back, TLS shakes hands again and again, the console is flooded,
settings and records are written to the flash, and memory is collected.
"""

import asyncio
import contextlib
import itertools
import json
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from hil_tests.bridge import Bridge
from hil_tests.rig.console import ConsoleError, ConsoleSilent
from hil_tests.rig.unit import Unit
from hil_tests.sim.board import Outputs

CLOSES_WITHIN_S = 90  # after everything is well again; a fault that fluttered waits up to 60 s before it clears
PRESS_EVERY_S = 2
OPENS_WITHIN_S = 5
STARTS_WITHIN_S = 30  # a busy machine takes its time
SETTLE_S = (0.02, 0.12)  # of charging before the next cause, random
TROUBLE_EVERY_S = 0.4
MODEM_TROUBLES = ("garbage", "hang", "brown_out", "drop_pdp")


@dataclass
class Latencies:
    """Milliseconds of every injection, by what was injected."""

    by_cause: dict[str, list[float]] = field(default_factory=dict)
    steps: dict[str, int] = field(
        default_factory=dict
    )  # the control loop's, by their distance, as the firmware measured it
    idle_worst_ms: int = 0  # of an idle loop beside them: yardstick.py
    looks: int = 0  # at the link
    proven: int = 0  # of these: TLS and MQTT were up

    def add(self, cause: str, ms: float) -> None:
        """Counts one."""
        self.by_cause.setdefault(cause, []).append(ms)

    def join(self, other: "Latencies") -> None:
        """Takes over what another unit was found to do."""
        for cause, times in other.by_cause.items():
            self.by_cause.setdefault(cause, []).extend(times)
        for distance, count in other.steps.items():
            self.steps[distance] = self.steps.get(distance, 0) + count
        self.looks += other.looks
        self.proven += other.proven

    def all(self) -> list[float]:
        """Sorted."""
        return sorted(itertools.chain.from_iterable(self.by_cause.values()))


class Bench(Unit):
    """A virtual unit whose wires are watched with a stopwatch."""

    def __init__(self, folder: Path, seed: int) -> None:
        super().__init__(folder, seed)
        self._random = random.Random(seed)
        self._changed = asyncio.Event()
        self._opened_s = 0.0
        self.latencies = Latencies()

    async def inject(self, count: int, bridge: Bridge, unit_id: str, secret: str) -> Latencies:
        """Charges, and interrupts it `count` times, while it talks to `bridge`."""
        await self.start()
        await self._introduce(bridge, unit_id, secret)
        self.board.vehicle.plugged = True
        trouble = asyncio.create_task(self._trouble())
        try:
            causes = self._causes()
            for _ in range(count):
                await self._charging()
                await asyncio.sleep(self._random.uniform(*SETTLE_S))
                if self.board.outputs.contactor:
                    await self._once(*self._random.choice(causes))
            with contextlib.suppress(ConsoleError, ConsoleSilent):
                for line in await self.ask("health"):
                    name, _, rest = line.partition(" ")
                    if name.startswith("steps"):
                        distance, _, steps = rest.rpartition(" ")
                        self.latencies.steps[distance] = int(steps)
        finally:
            trouble.cancel()
            await self.stop()
        return self.latencies

    async def _introduce(self, bridge: Bridge, unit_id: str, secret: str) -> None:
        wanted = {"id": unit_id, "secret": secret, "broker": "127.0.0.1", "port": bridge.mqtts_port}
        await self._until(lambda: any(self.board.outputs.led), STARTS_WITHIN_S)
        await asyncio.sleep(1)  # its console opens after its light
        for words in ("help", *bridge.authority_words(), f"provision {json.dumps(wanted)}"):
            await self.ask(words, within_s=STARTS_WITHIN_S)

    def _causes(self) -> list[tuple[str, Callable[[], None], Callable[[], None]]]:
        vehicle = self.board.vehicle

        def s2(closed: bool) -> None:
            vehicle.wants_charge = vehicle.s2_closed = closed

        def broken(name: str, on: bool) -> None:
            self.board.set_fault(name, on)
            self.board.button = not on

        return [
            ("unplug", lambda: setattr(vehicle, "plugged", False), lambda: setattr(vehicle, "plugged", True)),
            *[("S2 opens", lambda: s2(False), lambda: s2(True))] * 4,
            ("rcd_ac", lambda: broken("rcd_ac", True), lambda: broken("rcd_ac", False)),
            ("rcd_dc", lambda: broken("rcd_dc", True), lambda: broken("rcd_dc", False)),
            ("pilot_short", lambda: broken("pilot_short", True), lambda: broken("pilot_short", False)),
        ]

    async def _once(self, name: str, spoil: Callable[[], None], mend: Callable[[], None]) -> None:
        spoil()
        injected_s = time.monotonic()
        if self._wires is not None:
            self._wires.send(self.board.inputs())
        await self._until(lambda: not self.board.outputs.contactor, OPENS_WITHIN_S)
        self.latencies.add(name, 1000 * (self._opened_s - injected_s))
        if name == "pilot_short":  # it was seen open; let it become a fault now and then
            await asyncio.sleep(self._random.choice([0.0, 0.4]))
        mend()
        await asyncio.sleep(0.05)
        self.board.button = False

    async def _charging(self) -> None:
        """Waits for it; presses the button now and then, in case a press was too short for a busy machine."""
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

    async def _trouble(self) -> None:
        """Everything else that a unit may have to do at that moment."""
        for number in itertools.count():
            await asyncio.sleep(TROUBLE_EVERY_S)
            with contextlib.suppress(ConsoleError, ConsoleSilent):
                match number % 4:
                    case 0 if number % 40 == 36:
                        self.disturb_modem(self._random.choice(MODEM_TROUBLES))
                    case 1 if number % 20 == 1:  # a write, and a connection from the beginning
                        await self.ask(f'provision {{"random_delay_max_s": {number % 1800}}}')
                    case 2:
                        for command in ("help", "config", "why", "status"):
                            told = await self.ask(command)
                        self.latencies.looks += 1
                        self.latencies.proven += "link proven" in told
                    case _:
                        await self.ask("x" * 2000)
