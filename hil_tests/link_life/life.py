"""One unit whose link to the cloud is disturbed at random, while cars come and go and its enclosure is opened."""

import asyncio
import json
import random
import signal
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

from hil_tests.link_life.cloud import Cloud
from hil_tests.rig.commissioning import COMMISSION
from hil_tests.rig.console import ConsoleError, ConsoleSilent
from hil_tests.rig.unit import Unit
from hil_tests.sim.modem.radio import Latencies, Span
from hil_tests.sim.network import Network, Way

QUICK = Latencies(
    boot=Span(300, 400), sim_ready=Span(50, 80), register=Span(100, 200), attach=Span(50, 100), call_ready=Span(200, 300),
    pdp_activate=Span(50, 100), connect=Span(20, 50), one_way=Span(5, 20), shut=Span(20, 40), detach=Span(30, 60),
)  # fmt: skip
DURABLE_S = 1.0  # after this time an event is on the unit's flash
SETTLE_WITHIN_S = 180  # at the end, until everything was reported
MAINS_CUT = "mains cut"
PORT_CRASH = (
    f"the firmware stopped with exit code {-signal.SIGSEGV};"  # of MicroPython's unix port (start/stub_unit.py)
)
RESTARTED = "it is started again"
MODEM_OFF = ("modem browns out", "modem hangs")
MODEM_OFF_MAX = 4  # per modem: a unit cuts the supply of a silent modem at most six times a day (modem/recovery.py)


@dataclass
class Told:
    """What really happened, to compare with the database; and what the unit reports of itself."""

    sessions: int = 0
    openings: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    alarms: list[str] = field(default_factory=list)  # texts of firmware stops
    port_crashes: int = 0  # firmware stops that MicroPython's unix port causes; each is one boot more
    is_port_crashing: bool = False  # until the firmware is started again
    crashes: int = 0  # of the firmware's talking half, survived
    dropped: int = 0  # records given up since a boot, the largest count
    faults_shown: set[str] = field(default_factory=set)  # faults shown in red; the network must never be one
    heap_floor: int | None = None  # lowest free bytes after a collection
    heap_block: int | None = None  # smallest value of the largest free block

    def alarm(self, text: str) -> None:
        """Record an alarm of the rig. A crash of the unix port is counted and does not count as an alarm."""
        if text.startswith(PORT_CRASH):
            self.port_crashes += 1
            self.is_port_crashing = True
        elif not self.is_port_crashing:
            self.alarms.append(text)
        elif text == RESTARTED:
            self.is_port_crashing = False


class Life:
    """A unit with its flash in `folder`. A `spared` unit keeps its mains, so that memory leaks add up."""

    def __init__(self, folder: Path, cloud: Cloud, unit_id: str, seed: int, spared: bool = False) -> None:
        self.told = Told()
        self.unit_id = unit_id
        self._cloud = cloud
        self._random = random.Random(seed)
        self.network = Network("127.0.0.1", cloud.bridge.mqtts_port, seed)
        self.unit = Unit(folder, seed, alarm=self.told.alarm)
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
            "modem hangs": lambda: self._disturb("hang"),
            "bridge and broker killed": lambda: cloud.kill(self._random.uniform(0, 2)),
        }
        if not spared:
            self._troubles[MAINS_CUT] = self._power_cut

    async def begin(self, port: int | None = None) -> None:
        """Start the unit and provision it: to connect through its own network, or to another port of this machine."""
        made = await self._cloud.bridge.command("unit", "add", self.unit_id)
        await self.network.start()
        await self.unit.start()
        await self.until(lambda status: bool(status))
        wanted = {
            "id": self.unit_id,
            "secret": made["secret"],
            "broker": "127.0.0.1",
            "port": port or self.network.port,
        }
        wanted |= {"heartbeat_idle_s": 5, "heartbeat_charging_s": 5, "tethered": True}
        for words in (*self._cloud.bridge.authority_words(), f"provision {json.dumps(wanted)}", COMMISSION):
            await self.unit.ask(words)

    async def suffer(self, faults: int, minutes: float) -> None:
        """Cause disturbances at random moments within `minutes`. One that still lasts delays the next."""
        begun_s = time.monotonic()
        for due_s in sorted(self._random.uniform(0, 60 * minutes) for _ in range(faults)):
            await asyncio.sleep(begun_s + due_s - time.monotonic())
            if sum(self.told.faults[name] for name in MODEM_OFF) == MODEM_OFF_MAX:
                for name in MODEM_OFF:
                    self._troubles.pop(name, None)
            name = self._random.choice(sorted(self._troubles))
            self.told.faults[name] += 1
            self.unit.log(f"trouble: {name}")
            await asyncio.gather(self._troubles[name](), self._something_happens())

    async def settle(self) -> list[str]:
        """Wait until everything was reported. Return what is wrong, as a list of texts."""
        self.network.heal()
        await self.network.start()
        try:
            await self.until(lambda status: status.get("outbox") == "0" and status["link"] == "proven", SETTLE_WITHIN_S)
        except TimeoutError:
            return [f"not everything was told within {SETTLE_WITHIN_S} s: {await self._status()}"]
        last_boot = int((await self._status())["boots"])
        sessions = sorted(said["i"] for said in self._cloud.told("sessions", self.unit_id))
        events = self._cloud.told("events", self.unit_id)
        openings = sum(said["k"] == "tamper" and said["d"]["open"] for said in events)
        boots = sorted(said["b"] for said in events if said["k"] == "boot")
        by_crashes = (
            len(boots) - 1 - self.told.faults[MAINS_CUT]
        )  # fewer than port_crashes if one came before the count
        checks: tuple[tuple[str, object, object], ...] = (
            ("sessions", sessions, list(range(1, self.told.sessions + 1))),
            ("openings", openings, self.told.openings),
            ("boots", boots, list(range(last_boot + 1 - len(boots), last_boot + 1))),
            ("boots without a cause", by_crashes in range(self.told.port_crashes + 1), True),
            ("crashes", self.told.crashes, 0),
            ("records given up", self.told.dropped, 0),
            ("faults shown", self.told.faults_shown, set()),
            ("alarms", self.told.alarms, []),
            ("taken for two", self._cloud.is_taken_for_two(self.unit_id), False),
        )
        return [f"{what}: found {found}, in truth {true}" for what, found, true in checks if found != true]

    async def end(self) -> None:
        """Stop the unit and its network."""
        await self.unit.stop()
        await self.network.outage()

    # What the unit has to report

    async def _something_happens(self) -> None:
        """Let a car come and go, or open the enclosure, unless the unit is off."""
        if not await self._status():
            return
        await self._look_at_the_heap()
        if self._random.random() < 0.5:
            self.unit.plug()
            await self.until(lambda status: status.get("pilot", "A")[0] in "BC")
            self.unit.unplug()
            await self.until(lambda status: status.get("pilot", "")[:1] == "A")
            self.told.sessions += 1
        else:
            self.unit.tamper(True)
            await asyncio.sleep(0.3)
            self.unit.tamper(False)
            self.told.openings += 1
        await asyncio.sleep(DURABLE_S)

    # Disturbances

    async def _reset(self) -> None:
        self.network.reset()

    async def _outage(self) -> None:
        await self.network.outage()
        await asyncio.sleep(self._random.uniform(0.5, 4))
        await self.network.start()

    async def _swallow(self) -> None:
        setattr(self.network, self._random.choice(("up", "down")), Way(swallow=True))
        await asyncio.sleep(self._random.uniform(0.5, 6))
        self.network.heal()

    async def _cut(self) -> None:
        way = Way(cut=self._random.randint(1, 3000))
        setattr(self.network, self._random.choice(("up", "down")), way)
        await asyncio.sleep(2)

    async def _slow(self) -> None:
        self.network.up = self.network.down = Way(delay=0.3, jitter=0.5, slice=self._random.randint(1, 50), rate=2000)
        await asyncio.sleep(self._random.uniform(1, 5))
        self.network.heal()

    async def _disturb(self, how: str) -> None:
        self.unit.disturb_modem(how)
        await asyncio.sleep(self._random.uniform(0, 3))

    async def _power_cut(self) -> None:
        await asyncio.sleep(3 + DURABLE_S)  # report first what happens at the same time
        self.unit.mains(False)
        await asyncio.sleep(self._random.uniform(0.3, 2))
        self.unit.mains(True)
        await self.until(lambda status: bool(status))

    # What the unit reports

    async def _look_at_the_heap(self) -> None:
        try:
            said = dict(line.split(" ", 1) for line in await self.unit.ask("health", within_s=2))
        except (ConsoleSilent, ConsoleError):
            return
        told, free, block = self.told, int(said["heap_free"]), int(said["heap_block"])
        told.heap_floor = free if told.heap_floor is None else min(told.heap_floor, free)
        told.heap_block = block if told.heap_block is None else min(told.heap_block, block)

    async def _status(self) -> dict[str, str]:
        """Return the unit's status, or an empty dict while it is off."""
        try:
            status = dict(line.split(" ", 1) for line in await self.unit.ask("status", within_s=2))
        except (ConsoleSilent, ConsoleError):
            return {}
        self.told.crashes = max(self.told.crashes, int(status["crashes"]))
        self.told.dropped = max(self.told.dropped, int(status["events_dropped"]))
        self.told.faults_shown.update({status["faults"]} - {"-"})
        return status

    async def until(self, condition: Callable[[dict[str, str]], bool], within_s: float = 120) -> None:
        try:
            async with asyncio.timeout(within_s):
                while True:
                    if condition(await self._status()):
                        return
                    await asyncio.sleep(0.1)
        except TimeoutError:
            raise TimeoutError(f"{self.unit_id} was waited for in vain\n{self.unit.full_log()}") from None
