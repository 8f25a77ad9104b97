"""Some units with the real firmware on MicroPython beside the simulated ones. Vehicles come and go.

At the end, each of their sessions must be in the database exactly once. They use TLS if the cloud has a certificate.
"""

import asyncio
import json
import random
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any

from hil_tests.fixtures.background import Background
from hil_tests.fixtures.cloud_fixture import UnitSecret
from hil_tests.fleet import rows
from hil_tests.fleet.clouds import OthersCloud, OwnCloud
from hil_tests.fleet.own_cluster import OwnCluster
from hil_tests.link_life.life import QUICK
from hil_tests.rig.commissioning import COMMISSION
from hil_tests.rig.console import ConsoleError, ConsoleSilent
from hil_tests.rig.unit import Unit

PROVEN_WITHIN_S = 120.0
SETTLE_WITHIN_S = 180.0
VEHICLE_S = (5.0, 20.0)  # how long a vehicle stays, and how long until the next one
DURABLE_S = 1.0  # time until the unit has written a record to flash
LOOK_S = 0.5
HEARTBEAT_S = 20


class RealUnits:
    """Real units in `folder`. As a context manager, it stops them at the end."""

    def __init__(
        self, folder: Path, cloud: OwnCloud | OwnCluster | OthersCloud, units: list[UnitSecret], seed: int
    ) -> None:
        self.said = ""  # a summary in words
        self._folder, self._cloud, self._units, self._seed = folder, cloud, units, seed
        self._background: Background | None = None
        self._running: list[_RealUnit] = []

    def __enter__(self) -> "RealUnits":
        return self

    def start(self) -> None:
        """Start the units; return when all are in contact. Raises TimeoutError."""
        if self._units:
            self._background = Background()
            for number, unit in enumerate(self._units):
                folder, seed = self._folder / str(number), self._seed + number
                self._running.append(self._background.call(_RealUnit, folder, unit, seed))
            self._all("start", self._cloud)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._background is not None:
            self._all("stop")
            self._background.close()

    def settle(self) -> list[str]:
        """Wait until all records are delivered; return what is wrong."""
        if self._background is None:
            return []
        wrong: list[str] = []
        self._all("settle")
        for unit in self._running:
            stored = Counter(said.get("i") for said in rows.payloads(self._cloud.database, "sessions", unit.unit_id))
            true = Counter(range(1, unit.sessions + 1))
            if stored != true:
                wrong.append(f"{unit.unit_id}: sessions {sorted(stored.elements(), key=str)} of 1 to {unit.sessions}")
            if unit.trouble:
                wrong.append(f"{unit.unit_id}: {unit.trouble}")
        sessions = sum(unit.sessions for unit in self._running)
        self.said = f"{len(self._running)} units, {sessions} sessions"
        return wrong

    def _all(self, method: str, *arguments: Any) -> None:
        async def together() -> None:
            await asyncio.gather(*(getattr(unit, method)(*arguments) for unit in self._running))

        assert self._background is not None
        self._background.run(together())


class _RealUnit:
    def __init__(self, folder: Path, unit: UnitSecret, seed: int) -> None:
        self.unit_id, self._secret = unit
        self.sessions = 0
        self.trouble = ""
        self._alarms: list[str] = []
        self._dice = random.Random(seed)
        self._unit = Unit(folder, seed, alarm=self._alarms.append)
        self._unit.world.latencies = QUICK
        self._over = asyncio.Event()
        self._living: asyncio.Task[None] | None = None

    async def start(self, cloud: OwnCloud | OwnCluster | OthersCloud) -> None:
        """Start the unit; return when it is in contact. Raises TimeoutError."""
        await self._unit.start()
        await self._until(lambda status: bool(status), PROVEN_WITHIN_S)
        over_tls = bool(cloud.doors.tls) and isinstance(cloud, OwnCloud)
        host, port = (cloud.doors.tls if over_tls else cloud.doors.plain)[0]
        wanted: dict[str, Any] = {"id": self.unit_id, "secret": self._secret, "broker": host, "port": port}
        wanted |= {"heartbeat_idle_s": HEARTBEAT_S, "heartbeat_charging_s": HEARTBEAT_S, "tethered": True}
        wanted |= {"plain_mqtt": not over_tls}
        authority = cloud.fixture.bridge.authority_words() if over_tls and isinstance(cloud, OwnCloud) else []
        introduction = (*authority, f"provision {json.dumps(wanted)}", COMMISSION)
        async with asyncio.timeout(PROVEN_WITHIN_S):
            while not await self._told(introduction):  # noqa: ASYNC110  # likewise
                await asyncio.sleep(LOOK_S)
        await self._until(lambda status: status.get("link") == "proven", PROVEN_WITHIN_S)
        self._living = asyncio.create_task(self._live())

    async def settle(self) -> None:
        """End the last vehicle's stay; wait until all records are delivered, or set `trouble`."""
        self._over.set()
        try:
            if self._living is not None:
                await self._living
            await self._until(
                lambda status: status.get("outbox") == "0" and status.get("link") == "proven", SETTLE_WITHIN_S
            )
        except TimeoutError:
            self.trouble = f"not all records were delivered within {SETTLE_WITHIN_S:.0f} s: {await self._status()}"
        if self._alarms:
            self.trouble = "; ".join(self._alarms)

    async def stop(self) -> None:
        """Stop the unit."""
        self._over.set()
        if self._living is not None:
            self._living.cancel()
            await asyncio.wait({self._living})
        await self._unit.stop()

    async def _told(self, commands: Sequence[str]) -> bool:
        """Return False while the firmware is not ready for the commands: the console answers before the rest has started."""
        try:
            for words in commands:
                await self._unit.ask(words)
        except (ConsoleError, ConsoleSilent):
            return False
        return True

    async def _live(self) -> None:
        while not self._over.is_set():
            self._unit.plug()
            await self._until(lambda status: status.get("pilot", "A")[0] in "BC", PROVEN_WITHIN_S)
            await self._rest()
            self._unit.unplug()
            await self._until(lambda status: status.get("pilot", "")[:1] == "A", PROVEN_WITHIN_S)
            self.sessions += 1
            await asyncio.sleep(DURABLE_S)
            await self._rest()

    async def _rest(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(self._dice.uniform(*VEHICLE_S)):
                await self._over.wait()

    async def _until(self, condition: Any, within_s: float) -> None:
        async with asyncio.timeout(within_s):
            while not condition(await self._status()):  # noqa: ASYNC110  # the unit is asked over its console
                await asyncio.sleep(LOOK_S)

    async def _status(self) -> dict[str, str]:
        """Return the unit's status, or {} if it does not answer."""
        try:
            return dict(line.split(" ", 1) for line in await self._unit.ask("status"))
        except (ConsoleError, ConsoleSilent):
            return {}
