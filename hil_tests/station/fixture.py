"""The station's side of a fixture: the unit's console and the instrument, on two serial lines.

A question to the instrument is repeated if the answer is impossible, up to a limit; a lasting error or no answer is
StationTrouble and says nothing about the unit. A unit that does not answer has failed.
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
TRIES = 8  # tries of one reading
READINGS = 5  # the median of this many readings counts
LOOK_S = 0.1
RAIL_FALLS_WITHIN_S = 10.0
PILOT_POSSIBLE_MV = 16_000  # beyond the supply of any charge point, of either sign


class Look(NamedTuple):
    """One reading of the instrument."""

    wires: Reading
    supply_mv: float


@dataclass(frozen=True)
class Ports:
    """The names of the two serial devices."""

    console: str
    instrument: str | None  # None: without a fixture


class Fixture:
    """Open the lines with `async with`. Raises StationTrouble if a line is missing or the lid is open."""

    def __init__(self, ports: Ports) -> None:
        self._ports = ports
        self._lines: list[SerialLine] = []
        self._instrument: Console | None = None

    @property
    def has_instrument(self) -> bool:
        """Whether there is a fixture, and not only the unit's console."""
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
        """Remove the load, if the instrument still answers."""
        try:
            if self._instrument is not None:
                await self._instrument.ask("load A", INSTRUMENT_WITHIN_S)
        except (ConsoleError, ConsoleSilent):
            pass  # opening the lid removes the load too
        finally:
            self._close()

    # The unit

    @asynccontextmanager
    async def without_mains(self) -> AsyncIterator[str]:
        """Switch off the unit's mains and release its console line, whose name is yielded, for another program.

        Afterwards the line is opened and the mains are switched on again. Raises StationTrouble if the supply does not fall.
        """
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
        """Return the answer's `name value` lines by name. The answer must not contain a secret. Raises UnitFailed."""
        word = command.split()[0]
        try:
            lines = await self._unit.ask(command, within_s)
        except ConsoleSilent:
            raise UnitFailed(
                f"the unit does not answer {word!r} on its console: check its USB and its supply, then flash it again"
            ) from None
        except ConsoleError as refused:
            raise UnitFailed(f"the unit refuses {word!r}: {refused}") from None
        return {name: value for name, _, value in (line.partition(" ") for line in lines)}

    async def answers(self, within_s: float) -> bool:
        """Return whether the unit's console answers in time. A starting unit takes some seconds."""
        deadline_s = _now_s() + within_s
        while _now_s() < deadline_s:
            try:
                await self._unit.ask("status", 1)
                return True
            except (ConsoleSilent, ConsoleError):
                await asyncio.sleep(LOOK_S)
        return False

    async def inputs(self) -> dict[str, float | None]:
        """Return the unit's own readings by name; None means no reading."""
        said = await self.ask_unit("inputs")
        try:
            return {name: None if value == "-" else float(value) for name, value in said.items()}
        except ValueError:
            raise UnitFailed("the unit's console does not return inputs: flash it again") from None

    # The instrument

    async def ask_instrument(self, command: str, within_s: float = INSTRUMENT_WITHIN_S) -> list[str]:
        """Return the instrument's answer. Raises StationTrouble."""
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
        """Return the first possible reading. Raises StationTrouble after too many impossible ones."""
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
            f"the fixture's readings were impossible {TRIES} times: check its probe on the pilot, then its instrument"
        )

    async def measure(self, value: Callable[[Look], float]) -> float:
        """Return the median of several readings."""
        return statistics.median([value(await self.look()) for _ in range(READINGS)])

    async def until(self, is_so: Callable[[Look], bool], within_s: float) -> bool:
        """Return whether the condition became true in time."""
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
