"""A real charge point on a bench, reached only by three serial lines of this computer. See bench.md."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from hil_tests.rig import instrument
from hil_tests.rig.console import Console, PlainExchange
from hil_tests.rig.contract import Observation
from hil_tests.rig.serial_line import SerialLine
from hil_tests.rig.testbench import TestBench


@dataclass(frozen=True)
class Lines:
    """The device names of the three serial lines."""

    console: str
    modem: str
    instrument: str


class Bench:
    """A bench. Call every method on its event loop, `start` first and `stop` last. ConsoleError: the instrument refused."""

    def __init__(self, lines: Lines, faults: tuple[str, ...], seed: int = 0) -> None:
        self._names, self._faults = lines, faults
        self._test_bench = test_bench = TestBench(seed)
        self.network, self.disturb_modem, self.ask = test_bench.network, test_bench.disturb_modem, test_bench.ask
        self.full_log = test_bench.full_log
        self._open: list[SerialLine] = []
        self._polling: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Open the lines. Raises OSError, or ConsoleSilent if no instrument answers."""
        test_bench = self._test_bench
        console_line = self._line(self._names.console, lambda chunk: console.received(chunk))
        modem_line = self._line(self._names.modem, test_bench.modem.receive)
        instrument_line = self._line(self._names.instrument, lambda chunk: self._instrument.received(chunk))
        test_bench.console = console = Console(console_line.write, losses=test_bench.losses)
        test_bench.modem.wire(modem_line.write)
        self._instrument = Console(instrument_line.write, self._remarked, PlainExchange)
        await self._do("pins")
        self._polling = asyncio.create_task(test_bench.poll_status())
        self._polling.add_done_callback(test_bench.watch_over)

    async def stop(self) -> None:
        """Close the lines. The unit keeps running."""
        if self._polling is not None:
            self._polling.cancel()
            await asyncio.wait({self._polling})
        self._test_bench.modem.close()
        for line in self._open:
            line.close()

    def console_losses(self) -> str:
        """Describe what the console's line has lost."""
        return str(self._test_bench.losses)

    def longest_wait_s(self) -> float:
        """Return 0: the unit has a processor of its own."""
        return 0.0

    def fault_names(self) -> tuple[str, ...]:
        """Return the names of the faults that this bench can cause."""
        return self._faults

    async def plug(self) -> None:
        """Plug the car in."""
        await self._do("plug")

    async def unplug(self) -> None:
        """Pull the plug."""
        await self._do("unplug")

    async def fault(self, name: str, on: bool) -> None:
        """Cause the fault `name`, or end it. Raises ValueError for an unknown name."""
        if name not in self._faults:
            raise ValueError(f"this bench has no fault {name!r}; it has {', '.join(self._faults)}")
        await self._do(f"fault {name} {'on' if on else 'off'}")

    async def mains(self, on: bool) -> None:
        """Switch the mains."""
        await self._do(f"mains {'on' if on else 'off'}")

    async def button(self) -> None:
        """Press the unit's button briefly."""
        await self._do("button")

    async def observe(self) -> Observation:
        """Read the instrument, the modem and the last status once."""
        return self._test_bench.observe(instrument.read(await self._instrument.ask("read")))

    async def _do(self, command: str) -> None:
        self._test_bench.log(command)
        await self._instrument.ask(command)

    def _line(self, device: str, on_bytes: Callable[[bytes], None]) -> SerialLine:
        line = SerialLine(device, on_bytes)
        self._open.append(line)
        return line

    def _remarked(self, remark: str) -> None:
        """Log what the instrument reports unasked, and pass the modem's supply and power key on to the simulated modem."""
        self._test_bench.log(remark)
        name, _, level = remark.partition(" ")
        if name == "modem_supply":
            self._test_bench.modem.supply(level == "on")
        elif name == "modem_key":
            self._test_bench.modem.key(level == "on")
