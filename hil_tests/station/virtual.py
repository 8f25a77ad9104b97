"""`python -m hil_tests.station.virtual FOLDER [--defect NAME]`: a unit from production in a fixture, without hardware.

The unit runs on real MicroPython behind two serial lines, FOLDER/bench-console and FOLDER/bench-instrument, and has its own
modem with SIM and antenna. It is blank until an image is in FOLDER (flashing.py). The instrument behaves like a real one: it
answers with a delay, its readings are noisy, and it measures nothing while the lid is open.
"""

import argparse
import asyncio
import random
import signal
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

from hil_tests.rig.contract import Reading
from hil_tests.rig.hardware import Send
from hil_tests.rig.loop import Loop
from hil_tests.rig.processor import FIRMWARE, Program
from hil_tests.rig.testbench import TestBench
from hil_tests.sim.modem.line_speed import LineSpeed
from hil_tests.sim.modem.radio import MISSING
from hil_tests.station.virtual_board import DEFECTS, MadeBoard

IMAGE = "firmware.romfs"  # in FOLDER, which is the virtual board's flash
LOW_CSQ = 7
GOOD_CSQ = 24  # the signal of the fixture's antenna
PILOT_NOISE_MV = 15  # standard deviation of one reading
DUTY_NOISE_PERCENT = 0.05
POWER_NOISE = 0.002
ANSWERS_IN_S = (0.01, 0.04)
OVERLOAD_MV = 99_999  # what a meter shows above its range
TRIP_WITHIN_S = 1.0
LOOK_S = 0.005
# Faults of a fixture, by name.
TROUBLES = {
    "lid_open": "its lid is not shut",
    "over_range": "the probe on the pilot has no contact",
    "slow": "it takes 0.3 s for each answer",
    "spikes": "one reading in six is over the range",
}


class VirtualFixture(Loop):
    """The unit, and the instrument on its wires."""

    def __init__(
        self, folder: Path, defects: Collection[str] = (), troubles: Collection[str] = (), seed: int = 0
    ) -> None:
        strange = set(troubles).difference(TROUBLES)
        if strange:
            raise ValueError(f"no trouble is called {', '.join(sorted(strange))}")
        self._test_bench = TestBench(seed)
        super().__init__(folder, Program(*FIRMWARE[:2], image=folder / IMAGE))
        self.board: MadeBoard = MadeBoard(defects, seed, self.board.meter_wh)
        self._troubles, self._random = frozenset(troubles), random.Random(seed)
        self._commands: asyncio.Queue[list[str]] = asyncio.Queue()
        self._answering = asyncio.create_task(self._answer_all())
        world = self._test_bench.world
        world.set_csq(LOW_CSQ if "low_csq" in defects else GOOD_CSQ)
        if "no_sim" in defects:
            world.set_sim(MISSING)

    async def stop(self) -> None:
        """Remove the unit from the fixture."""
        self._answering.cancel()
        await asyncio.wait({self._answering})
        await super().stop()
        self._test_bench.modem.close()

    def reading(self) -> Reading:
        """Return the instrument's readings, with its noise and faults."""
        exact = super().reading()
        high_mv, low_mv = (round(self._random.gauss(mv, PILOT_NOISE_MV)) for mv in exact.pilot_mv)
        if "over_range" in self._troubles or ("spikes" in self._troubles and self._random.random() < 1 / 6):
            high_mv = low_mv = OVERLOAD_MV
        red, green, blue = exact.led
        return replace(
            exact,
            pilot_mv=(high_mv, low_mv),
            duty_percent=round(min(100.0, max(0.0, self._random.gauss(exact.duty_percent, DUTY_NOISE_PERCENT))), 3),
            power_w=round(exact.power_w * self._random.gauss(1, POWER_NOISE)),
            led=(red, 0 if "dark_green" in self.board.defects else green, blue),
        )

    async def _power(self, on: bool, now_s: float) -> None:
        """Switch the mains. A blank board has a supply but runs nothing."""
        if not on or (self._folder / IMAGE).exists():
            await super()._power(on, now_s)

    def _connect(self, to_modem_port: Send, to_console_port: Send) -> tuple[Send, Send]:
        modem = self._test_bench.modem
        speed = LineSpeed(lambda: modem.memory.baud, self._modem_port_baud, self._test_bench.world.random)
        modem.wire(lambda chunk: to_modem_port(speed.heard(chunk)))
        _, said = super()._connect(to_modem_port, to_console_port)
        return lambda chunk: modem.receive(speed.heard(chunk)), said

    def _disconnect(self) -> None:
        self._test_bench.modem.wire(lambda _: None)
        super()._disconnect()

    def _modem_pins(self, supply: bool, key: bool) -> None:
        self._test_bench.modem.supply(supply)
        self._test_bench.modem.key(key)

    def _command(self, words: list[str]) -> None:
        self._commands.put_nowait(words)

    async def _answer_all(self) -> None:
        while True:
            words = await self._commands.get()
            await asyncio.sleep(0.3 if "slow" in self._troubles else self._random.uniform(*ANSWERS_IN_S))
            self._say(await self._measured(words))

    async def _measured(self, words: list[str]) -> list[str]:
        if words == ["lid"]:
            return [f"lid {'open' if 'lid_open' in self._troubles else 'shut'}", "ok"]
        if "lid_open" in self._troubles and words != ["mains", "off"]:
            return ["error the lid is open"]
        try:
            match words:
                case ["read"]:
                    return [*self._answer(words)[:-1], f"supply_mv {self.board.supply_mv}", "ok"]
                case ["load", state]:
                    self.board.load.switch(state)
                case ["proximity", "open"]:
                    self.board.proximity_ohm = None
                case ["proximity", ohm]:
                    self.board.proximity_ohm = int(ohm)
                case ["trip", _]:
                    return await self._trip()
                case _:
                    return self._answer(words)
        except ValueError as error:
            return [f"error {error}"]
        return ["ok"]

    async def _trip(self) -> list[str]:
        """Let a residual current flow until the contactor has opened. The board's own clock measures the time."""
        board = self.board
        began_s = board.now_s
        board.sensor.flows_for_s = 0.0
        try:
            while board.contact_closed and board.now_s - began_s < TRIP_WITHIN_S:  # noqa: ASYNC110  # of the board's time
                await asyncio.sleep(LOOK_S)
        finally:
            board.sensor.flows_for_s = None
        if board.contact_closed:
            return [f"error no trip within {TRIP_WITHIN_S:g} s"]
        return [f"trip_ms {1000 * (board.contact_moved_s - began_s):.1f}", "ok"]


async def _live(folder: Path, defects: list[str], troubles: list[str], seed: int) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    fixture = VirtualFixture(folder, defects, troubles, seed)
    await fixture.start()
    try:
        await stop.wait()
    finally:
        await fixture.stop()
        fixture.close()


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m hil_tests.station.virtual", description="A unit from the line, in a fixture, without hardware."
    )
    parser.add_argument("folder", type=Path, help="folder for the unit's flash and the serial lines")
    parser.add_argument("--defect", action="append", default=[], choices=DEFECTS, help="a defect of the unit")
    parser.add_argument("--trouble", action="append", default=[], choices=TROUBLES, help="a fault of the fixture")
    parser.add_argument("--seed", type=int, default=0, help="seed of the unit's tolerances and the instrument's noise")
    asked = parser.parse_args()
    asyncio.run(_live(asked.folder.absolute(), asked.defect, asked.trouble, asked.seed))


if __name__ == "__main__":
    main()
