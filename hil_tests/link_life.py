"""The life of a link, fast: `python -m hil_tests.link_life --faults 100` troubles one unit's way to the cloud at random.

Unit, modem, network, bridge and store are the real ones of this house; only the mobile network answers quicker than life.
Meanwhile cars come and go and the enclosure is opened. At the end every session, every opening and every boot must stand
in the database exactly once. The same seed gives the same troubles in the same order.
"""

import argparse
import asyncio
import contextlib
import json
import random
import sqlite3
import sys
import tempfile
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hil_tests.bridge import Bridge, free_ports
from hil_tests.rig.console import ConsoleError, ConsoleSilent
from hil_tests.rig.unit import Unit
from hil_tests.sim.network import Network, Way
from hil_tests.sim.radio import Latencies, Span

UNIT_ID = "CK-LIFE"
QUICK = Latencies(
    boot=Span(300, 400), sim_ready=Span(50, 80), register=Span(100, 200), attach=Span(50, 100), call_ready=Span(200, 300),
    pdp_activate=Span(50, 100), connect=Span(20, 50), one_way=Span(5, 20), shut=Span(20, 40), detach=Span(30, 60),
)  # fmt: skip
DURABLE_S = 1.0  # after which what happened is on the unit's flash
SETTLE_WITHIN_S = 180  # at the end, until everything has been told


@dataclass
class Told:
    """What really happened, to be compared with what the database says."""

    sessions: int = 0
    openings: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    crashes: int = 0


class Life:
    """One unit and its cloud in `folder`."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.told = Told()
        self._random = random.Random(seed)
        self._folder = folder
        http_port, mqtt_port = free_ports(2)
        self._bridge = Bridge(http_port, mqtt_port, folder / "cloud")
        self._network = Network("127.0.0.1", self._bridge.mqtts_port, seed)
        self.unit = Unit(folder / "unit", seed)
        self.unit.world.latencies = QUICK
        self._troubles: dict[str, Callable[[], Awaitable[None]]] = {
            "connection reset": self._reset,
            "network down": self._outage,
            "bytes swallowed": self._swallow,
            "cut in the middle": self._cut,
            "slow and in slices": self._slow,
            "PDP dropped": lambda: self._disturb("drop_pdp"),
            "noise on the modem's line": lambda: self._disturb("garbage"),
            "modem browns out": lambda: self._disturb("brown_out"),
            "bridge killed": self._kill_bridge,
            "mains cut": self._power_cut,
        }

    async def live(self, faults: int) -> list[str]:
        """All of it; returns what is wrong, nothing if all is well."""
        await self._bridge.start()
        made = await self._bridge.command("unit", "add", UNIT_ID)
        await self._network.start()
        await self.unit.start()
        try:
            await self._introduce(made["secret"])
            for _ in range(faults):
                name = self._random.choice(sorted(self._troubles))
                self.told.faults[name] += 1
                self.unit.tell(f"trouble: {name}")
                await asyncio.gather(self._troubles[name](), self._something_happens())
            return await self._settle()
        finally:
            await self.unit.stop()
            await self._network.outage()
            await self._bridge.stop()

    # What the unit has to tell

    async def _something_happens(self) -> None:
        """A car comes and goes, or somebody opens the enclosure; not while the unit is off, and not as it goes off."""
        if not await self._is_up():
            return
        if self._random.random() < 0.5:
            self.unit.plug()
            await self._until(lambda status: status.get("pilot", "A")[0] in "BC")
            self.unit.unplug()
            await self._until(lambda status: status.get("pilot", "")[:1] == "A")
            self.told.sessions += 1
        else:
            self.unit.tamper(True)
            await asyncio.sleep(0.3)
            self.unit.tamper(False)
            self.told.openings += 1
        await asyncio.sleep(DURABLE_S)

    # Troubles

    async def _reset(self) -> None:
        self._network.reset()

    async def _outage(self) -> None:
        await self._network.outage()
        await asyncio.sleep(self._random.uniform(0.5, 4))
        await self._network.start()

    async def _swallow(self) -> None:
        setattr(self._network, self._random.choice(("up", "down")), Way(swallow=True))
        await asyncio.sleep(self._random.uniform(0.5, 6))
        self._network.heal()

    async def _cut(self) -> None:
        way = Way(cut=self._random.randint(1, 3000))
        setattr(self._network, self._random.choice(("up", "down")), way)
        await asyncio.sleep(2)

    async def _slow(self) -> None:
        self._network.up = self._network.down = Way(delay=0.3, jitter=0.5, slice=self._random.randint(1, 50), rate=2000)
        await asyncio.sleep(self._random.uniform(1, 5))
        self._network.heal()

    async def _disturb(self, how: str) -> None:
        self.unit.disturb_modem(how)
        await asyncio.sleep(self._random.uniform(0, 3))

    async def _kill_bridge(self) -> None:
        await self._bridge.kill()
        await asyncio.sleep(self._random.uniform(0, 2))
        await self._bridge.start()

    async def _power_cut(self) -> None:
        await asyncio.sleep(3 + DURABLE_S)  # what happens beside it is told first
        self.unit.mains(False)
        await asyncio.sleep(self._random.uniform(0.3, 2))
        self.unit.mains(True)
        await self._until(lambda status: bool(status))

    # Beginning and end

    async def _introduce(self, secret: str) -> None:
        await self._until(lambda status: bool(status))
        wanted = {"id": UNIT_ID, "secret": secret, "broker": "127.0.0.1", "port": self._network.port}
        wanted |= {"heartbeat_idle_s": 5, "heartbeat_charging_s": 5, "tethered": True}
        for words in (*self._bridge.authority_words(), f"provision {json.dumps(wanted)}"):
            await self.unit.ask(words)

    async def _settle(self) -> list[str]:
        """Wait until everything was told; compare."""
        self._network.heal()
        await self._network.start()
        try:
            await self._until(
                lambda status: status.get("outbox") == "0" and status["link"] == "proven", SETTLE_WITHIN_S
            )
        except TimeoutError:
            return [f"not everything was told within {SETTLE_WITHIN_S} s: {await self._status()}"]
        boots = int((await self._status())["boots"])
        sessions = sorted(said["i"] for said in self._rows("sessions"))
        events = self._rows("events")
        openings = sum(said["k"] == "tamper" and said["d"]["open"] for said in events)
        starts = sorted(said["b"] for said in events if said["k"] == "boot")
        checks = (
            ("sessions", sessions, list(range(1, self.told.sessions + 1))),
            ("openings", openings, self.told.openings),
            ("boots", starts, list(range(1, boots + 1))),
        )
        return [f"{what}: in the database {found}, in truth {true}" for what, found, true in checks if found != true]

    def _rows(self, table: str) -> list[dict[str, Any]]:
        (file,) = (path for path in (self._folder / "cloud").iterdir() if path.suffix in (".db", ".sqlite", ".sqlite3"))
        with contextlib.closing(sqlite3.connect(file)) as database:
            return [json.loads(row[0]) for row in database.execute(f"SELECT payload FROM {table}")]

    async def _is_up(self) -> bool:
        return bool(await self._status())

    async def _status(self) -> dict[str, str]:
        """The unit's own status; empty while it is off."""
        try:
            status = dict(line.split(" ", 1) for line in await self.unit.ask("status", within_s=2))
        except (ConsoleSilent, ConsoleError):
            return {}
        self.told.crashes = max(self.told.crashes, int(status["crashes"]))
        return status

    async def _until(self, condition: Callable[[dict[str, str]], bool], within_s: float = 30) -> None:
        async with asyncio.timeout(within_s):
            while True:
                if condition(await self._status()):
                    return
                await asyncio.sleep(0.1)


def main() -> int:
    """Exit code 1 if something was lost or told twice."""
    parser = argparse.ArgumentParser(prog="python -m hil_tests.link_life")
    parser.add_argument("--faults", type=int, default=100)
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    options = parser.parse_args()
    print(f"seed {options.seed}", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        life = Life(Path(folder), options.seed)
        wrong = asyncio.run(life.live(options.faults))
        if wrong:
            print(life.unit.whole_story())
    told = life.told
    print(f"{sum(told.faults.values())} faults: {', '.join(f'{n} {name}' for name, n in sorted(told.faults.items()))}")
    print(f"{told.sessions} sessions and {told.openings} openings; {told.crashes} crashes of the unit's talking part")
    print("\n".join(wrong) or "every record is in the database exactly once")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
