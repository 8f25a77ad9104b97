"""A terminal at the simulated modem, and a world with a modem that is switched on."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import replace

from hil_tests.sim.modem.personality import SIM800L, Personality
from hil_tests.sim.modem.radio import HERE, LTE_M, World
from hil_tests.sim.modem.simcom import Modem

SETTLE_S = 0.1  # virtual seconds: longer than any ordinary command takes


class Client:
    """A terminal that sends commands and reads answers."""

    def __init__(self, modem: Modem) -> None:
        self.write = modem.receive
        self._said = bytearray()
        modem.wire(self._said.extend)

    def read(self) -> bytes:
        """Return what has arrived since the last call."""
        said = bytes(self._said)
        self._said.clear()
        return said

    async def ask(self, command: str, within_s: float = SETTLE_S) -> list[str]:
        """Send a command; return the lines that arrive within the time."""
        self.read()
        self.write(command.encode() + b"\r")
        return await self.lines(within_s)

    async def sleep(self, seconds: float) -> None:
        """Wait on the virtual clock."""
        await asyncio.sleep(seconds)

    async def lines(self, within_s: float) -> list[str]:
        """Return the lines that arrive within the time."""
        await asyncio.sleep(within_s)
        return [line for line in self.read().decode("latin-1").split("\r\n") if line]


@contextlib.asynccontextmanager
async def switched_on(
    seed: int = 1, booted: bool = True, personality: Personality = SIM800L
) -> AsyncIterator[tuple[Modem, Client]]:
    """Return a powered modem whose key was pressed; by default, wait until it has booted and registered."""
    operators = tuple(replace(operator, act=LTE_M) for operator in HERE) if personality.lte else HERE
    modem = Modem(World(seed, operators, personality.latencies), personality)
    client = Client(modem)
    modem.supply(True)
    await press(modem, 1.1)
    if booted:
        await asyncio.sleep(7 + personality.latencies.boot.high_ms / 1000)
        await client.ask("ATE0")
    try:
        yield modem, client
    finally:
        modem.close()


async def press(modem: Modem, seconds: float) -> None:
    """Hold PWRKEY for this time."""
    modem.key(True)
    await asyncio.sleep(seconds)
    modem.key(False)
