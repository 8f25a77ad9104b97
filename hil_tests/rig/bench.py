"""A real charge point on a bench: three serial lines of this computer, and nothing else. See bench.md."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from hil_tests.rig import instrument
from hil_tests.rig.console import Console
from hil_tests.rig.contract import Observation
from hil_tests.rig.desk import Desk
from hil_tests.rig.serial_line import SerialLine


@dataclass(frozen=True)
class Lines:
    """The names of the serial devices."""

    console: str
    modem: str
    instrument: str


class Bench:
    """Everything is called on its event loop; `start` first, `stop` last. What the instrument refuses is a ConsoleError."""

    def __init__(self, lines: Lines, faults: tuple[str, ...], seed: int = 0) -> None:
        self._names, self._faults = lines, faults
        self._desk = desk = Desk(seed)
        self.network, self.disturb_modem, self.ask = desk.network, desk.disturb_modem, desk.ask
        self.whole_story = desk.whole_story
        self._open: list[SerialLine] = []
        self._polling: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Opens the lines. Raises OSError, or ConsoleSilent if no instrument answers."""
        desk = self._desk
        console_line = self._line(self._names.console, lambda chunk: console.received(chunk))
        modem_line = self._line(self._names.modem, desk.modem.receive)
        instrument_line = self._line(self._names.instrument, lambda chunk: self._instrument.received(chunk))
        desk.console = console = Console(console_line.write)
        desk.modem.wire(modem_line.write)
        self._instrument = Console(instrument_line.write, self._remarked)
        await self._do("pins")
        self._polling = asyncio.create_task(desk.poll_status())
        self._polling.add_done_callback(desk.watch_over)

    async def stop(self) -> None:
        """Closes them; the unit goes on as it is."""
        if self._polling is not None:
            self._polling.cancel()
            await asyncio.wait({self._polling})
        self._desk.modem.close()
        for line in self._open:
            line.close()

    def fault_names(self) -> tuple[str, ...]:
        """What this bench can break."""
        return self._faults

    async def plug(self) -> None:
        """Plugs the car in."""
        await self._do("plug")

    async def unplug(self) -> None:
        """Pulls the plug."""
        await self._do("unplug")

    async def fault(self, name: str, on: bool) -> None:
        """Breaks something by name, or mends it. Raises ValueError for an unknown name."""
        if name not in self._faults:
            raise ValueError(f"this bench has no fault {name!r}; it has {', '.join(self._faults)}")
        await self._do(f"fault {name} {'on' if on else 'off'}")

    async def mains(self, on: bool) -> None:
        """Switches the mains."""
        await self._do(f"mains {'on' if on else 'off'}")

    async def button(self) -> None:
        """Presses the unit's button shortly."""
        await self._do("button")

    async def observe(self) -> Observation:
        """One look at everything."""
        return self._desk.observe(instrument.read(await self._instrument.ask("read")))

    async def _do(self, command: str) -> None:
        self._desk.tell(command)
        await self._instrument.ask(command)

    def _line(self, device: str, on_bytes: Callable[[bytes], None]) -> SerialLine:
        line = SerialLine(device, on_bytes)
        self._open.append(line)
        return line

    def _remarked(self, remark: str) -> None:
        """The unit moves a pin of the modem."""
        self._desk.tell(remark)
        name, _, level = remark.partition(" ")
        if name == "modem_supply":
            self._desk.modem.supply(level == "on")
        elif name == "modem_key":
            self._desk.modem.key(level == "on")
