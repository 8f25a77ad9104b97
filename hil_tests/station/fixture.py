"""The station's side of a fixture: the unit's console and the instrument, on two serial lines.

A question that the instrument does not answer, or answers with what cannot be, is asked again a few times. What stays wrong
then is the station's trouble and says nothing about the unit; a unit that does not answer has failed.
"""

import asyncio
import statistics
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from types import TracebackType
from typing import NamedTuple, Self

from hil_tests.rig import instrument
from hil_tests.rig.console import Console, ConsoleError, ConsoleSilent, PlainExchange
from hil_tests.rig.contract import Reading
from hil_tests.rig.serial_line import SerialLine
from hil_tests.station.errors import StationTrouble, UnitFailed

UNIT_WITHIN_S = 10.0
INSTRUMENT_WITHIN_S = 10.0
TRIES = 8  # of one reading
READINGS = 5  # of which the median counts
LOOK_S = 0.1
RAIL_FALLS_WITHIN_S = 10.0
PILOT_POSSIBLE_MV = 16_000  # no supply of a charge point gives more, either way


class Look(NamedTuple):
    """One reading of the instrument."""

    wires: Reading
    supply_mv: float


@dataclass(frozen=True)
class Ports:
    """The names of the serial devices."""

    console: str
    instrument: str | None  # None: there is nothing but the unit


class Fixture:
    """Use it with `async with`, which opens the lines: StationTrouble if one is not there, or the lid is open."""

    def __init__(self, ports: Ports) -> None:
        self._ports = ports
        self._lines: list[SerialLine] = []
        self._instrument: Console | None = None

    @property
    def has_instrument(self) -> bool:
        """There is more than the unit's console."""
        return self._instrument is not None

    async def __aenter__(self) -> Self:
        try:
            if self._ports.instrument is not None:
                self._instrument = self._open(self._ports.instrument, partial(Console, exchange=PlainExchange))
            self._unit = self._open(self._ports.console)
            if self.has_instrument and "lid shut" not in await self.ask_instrument("lid"):
                raise StationTrouble("the lid of the fixture is open: shut it, and start again")
        except BaseException:
            self._close()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leaves the unit without a load, as far as the instrument still answers."""
        try:
            if self._instrument is not None:
                await self._instrument.ask("load A", INSTRUMENT_WITHIN_S)
        except (ConsoleError, ConsoleSilent):
            pass  # whoever opens the lid has taken the load off
        finally:
            self._close()

    # The unit

    @asynccontextmanager
    async def without_mains(self) -> AsyncIterator[str]:
        """The unit's line is free for another program, which is given its name, and its mains are off; both are back after it.
        A supply that does not fall is the fixture's trouble."""
        await self.ask_instrument("load A")
        await self.ask_instrument("mains off")
        if not await self.until(lambda look: not look.wires.rail, RAIL_FALLS_WITHIN_S):
            raise StationTrouble("the unit's supply stays on without mains: check the fixture's relay")
        self._lines.pop().close()
        try:
            yield self._ports.console
        finally:
            self._unit = self._open(self._ports.console)
        await self.ask_instrument("mains on")

    async def ask_unit(self, command: str, within_s: float = UNIT_WITHIN_S) -> dict[str, str]:
        """The answer by name, as the console's `name value` lines have it. Raises UnitFailed. No secret may be in it."""
        word = command.split()[0]
        try:
            lines = await self._unit.ask(command, within_s)
        except ConsoleSilent:
            raise UnitFailed(
                f"the unit does not answer {word!r} on its console: check its USB and its supply, then flash it anew"
            ) from None
        except ConsoleError as refused:
            raise UnitFailed(f"the unit refuses {word!r}: {refused}") from None
        return {name: value for name, _, value in (line.partition(" ") for line in lines)}

    async def answers(self, within_s: float) -> bool:
        """Whether the unit's console answers within that time; a unit that starts takes some seconds."""
        deadline_s = _now_s() + within_s
        while _now_s() < deadline_s:
            try:
                await self._unit.ask("status", 1)
                return True
            except (ConsoleSilent, ConsoleError):
                await asyncio.sleep(LOOK_S)
        return False

    async def inputs(self) -> dict[str, float | None]:
        """What the unit's board reads; None is no reading."""
        said = await self.ask_unit("inputs")
        try:
            return {name: None if value == "-" else float(value) for name, value in said.items()}
        except ValueError:
            raise UnitFailed("the unit's console says something else than inputs: flash it anew") from None

    # The instrument

    async def ask_instrument(self, command: str, within_s: float = INSTRUMENT_WITHIN_S) -> list[str]:
        """Its answer. Raises StationTrouble."""
        if self._instrument is None:
            raise StationTrouble("there is no instrument: name its port with --instrument")
        try:
            return await self._instrument.ask(command, within_s)
        except ConsoleSilent:
            raise StationTrouble(
                f"the fixture's instrument at {self._ports.instrument} does not answer: check its cable and its supply"
            ) from None
        except ConsoleError as refused:
            raise StationTrouble(f"the fixture refuses {command!r}: {refused}") from None

    async def look(self) -> Look:
        """One reading that can be. Raises StationTrouble."""
        for _ in range(TRIES):
            lines = await self.ask_instrument("read")
            try:
                wires = instrument.read(lines)
                supply_mv = float(dict(line.partition(" ")[::2] for line in lines)["supply_mv"])
            except (instrument.Misunderstood, KeyError, ValueError):
                continue
            if max(abs(mv) for mv in wires.pilot_mv) <= PILOT_POSSIBLE_MV:
                return Look(wires, supply_mv)
        raise StationTrouble(
            f"the fixture reads nothing that can be, {TRIES} times: check its probe on the pilot, then its instrument"
        )

    async def measure(self, value: Callable[[Look], float]) -> float:
        """The median of some readings."""
        return statistics.median([value(await self.look()) for _ in range(READINGS)])

    async def until(self, is_so: Callable[[Look], bool], within_s: float) -> bool:
        """Whether it became so in time."""
        deadline_s = _now_s() + within_s
        while True:
            if is_so(await self.look()):
                return True
            if _now_s() > deadline_s:
                return False
            await asyncio.sleep(LOOK_S)

    def _open(self, device: str, make: Callable[[Callable[[bytes], None]], Console] = Console) -> Console:
        try:
            line = SerialLine(device, lambda chunk: console.received(chunk))
        except OSError as error:
            raise StationTrouble(f"cannot open {device}: {error}") from None
        self._lines.append(line)
        console = make(line.write)
        return console

    def _close(self) -> None:
        while self._lines:
            self._lines.pop().close()


def _now_s() -> float:
    return asyncio.get_running_loop().time()
