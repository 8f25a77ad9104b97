"""A whole virtual unit on one event loop: its hardware, and the test bench at the far ends of its serial lines."""

import asyncio
import contextlib
from collections.abc import Callable, Collection
from pathlib import Path

from hil_tests.rig.console import Console, ConsoleError, ConsoleSilent
from hil_tests.rig.contract import FAULTS, Observation
from hil_tests.rig.hardware import Hardware, Send
from hil_tests.rig.manners import program as manners_program
from hil_tests.rig.processor import LAST_WORDS, FirmwareDied, Program
from hil_tests.rig.testbench import POLL_STATUS_S, TestBench
from hil_tests.sim.modem.line_speed import LineSpeed

LOOK_S = 0.05


class Unit(Hardware):
    """One charge point on a wall. Call every method on its event loop, `start` first and `stop` last.

    `alarm` is called with what a person should see at once, such as a firmware that stopped by itself. `manners` are
    names of manners.py; they choose the program if none is given.
    """

    model = "SIM800L"  # of its modem, see sim/modem/personality.py; a subclass sets it before it calls this __init__

    def __init__(
        self,
        folder: Path,
        seed: int = 0,
        program: Program | None = None,
        alarm: Callable[[str], None] = lambda _: None,
        manners: Collection[str] = (),
    ) -> None:
        self.test_bench = test_bench = TestBench(seed, alarm, self.model)
        self.world, self.modem, self.log_lines = test_bench.world, test_bench.modem, test_bench.log_lines
        self.network, self.disturb_modem, self.ask = test_bench.network, test_bench.disturb_modem, test_bench.ask
        self.world.tells_time = "no_network_time" not in manners
        super().__init__(folder, program or manners_program(manners), manners)
        self._polling: asyncio.Task[None] | None = None
        self._mains_back: tuple[asyncio.TimerHandle, float] | None = None

    async def start(self) -> None:
        """Switch the unit on, and poll its status."""
        await super().start()
        self._polling = asyncio.create_task(self.test_bench.poll_status())
        self._polling.add_done_callback(self.test_bench.watch_over)

    async def answers(self, within_s: float) -> None:
        """Wait for the first answer of the console. Raises FirmwareDied if the firmware has stopped or does not answer."""
        try:
            async with asyncio.timeout(within_s):
                while True:
                    self._processor.check()
                    with contextlib.suppress(ConsoleError, ConsoleSilent):
                        await self.ask("status", POLL_STATUS_S)
                        return
                    await asyncio.sleep(LOOK_S)
        except TimeoutError:
            words = "\n".join(f"    {line}" for line in list(self._processor.output)[-LAST_WORDS:])
            raise FirmwareDied(f"the unit's console did not answer within {within_s} s\n{words}".rstrip()) from None

    async def stop(self) -> None:
        """Stop everything. The flash and the meter's register are kept on disk."""
        if self._polling is not None:
            self._polling.cancel()
            await asyncio.wait({self._polling})
        self._forget_timer()
        await super().stop()
        self.modem.close()

    def fault_names(self) -> tuple[str, ...]:
        """Return the names of all faults."""
        return FAULTS

    def mains(self, on: bool) -> None:
        """Switch the mains, and end a timed cut."""
        self._forget_timer()
        super().mains(on)

    def mains_off_for(self, seconds: float) -> None:
        """Switch the mains off now, and on again after `seconds`."""
        self.mains(False)
        loop = asyncio.get_running_loop()
        self._mains_back = (loop.call_later(seconds, self.mains, True), loop.time() + seconds)

    @property
    def mains_back_in_s(self) -> float | None:
        """Seconds until a timed cut of the mains ends, or None without one."""
        if self._mains_back is None:
            return None
        return round(max(0.0, self._mains_back[1] - asyncio.get_running_loop().time()), 1)

    def observe(self) -> Observation:
        """Read the instruments, the modem and the last status once."""
        return self.test_bench.observe(self.reading())

    def log(self, what: str) -> None:
        """Add a line to the log."""
        self.test_bench.log(what)

    def alert(self, what: str) -> None:
        """Add a line to the log and call the alarm."""
        self.test_bench.alert(what)

    def console_losses(self) -> str:
        """Describe what the console's line has lost."""
        return f"{self.test_bench.losses}, {self.console_bytes_lost} bytes in the unit's ring"

    def full_log(self) -> str:
        """Return the log for the message of a failing test."""
        return self.test_bench.full_log(**{"the firmware's output": list(self._processor.output)[-60:]})

    def _forget_timer(self) -> None:
        if self._mains_back is not None:
            self._mains_back[0].cancel()
            self._mains_back = None

    def _connect(self, to_modem_port: Send, to_console_port: Send) -> tuple[Send, Send]:
        speed = LineSpeed(lambda: self.modem.memory.baud, self._modem_port_baud, self.world.random)
        self.modem.wire(lambda chunk: to_modem_port(speed.heard(chunk)))
        self.test_bench.console = console = Console(to_console_port, losses=self.test_bench.losses)
        return lambda chunk: self.modem.receive(speed.heard(chunk)), console.received

    def _disconnect(self) -> None:
        self.modem.wire(lambda _: None)
        self.test_bench.console, self.test_bench.status = None, {}

    def _modem_pins(self, supply: bool, key: bool) -> None:
        self.modem.supply(supply)
        self.modem.key(key)
