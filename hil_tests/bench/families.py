"""The whole product once with each modem: contact, roaming on a weak signal, recovery from a hang.

Firmware on MicroPython, bridge and broker are real; modem and radio are simulated (sim/modem/personality.py). The unit
is idle when its network becomes weak, because a charging session is not interrupted for roaming, and charges when its
modem hangs.
"""

import asyncio
import json
import secrets
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from hil_tests.bench import tally
from hil_tests.fixtures.bridge_process import BridgeProcess
from hil_tests.fixtures.cloud import Cloud
from hil_tests.fixtures.ports import free_ports
from hil_tests.fixtures.progress import bar
from hil_tests.link_life.life import QUICK
from hil_tests.rig.commissioning import COMMISSION
from hil_tests.rig.processor import FIRMWARE, Program
from hil_tests.rig.unit import Unit
from hil_tests.scenarios.system import charging
from hil_tests.sim.modem.personality import BY_NAME
from hil_tests.sim.modem.radio import Span

# The modems of sim/modem/personality.py that have a driver (modem/families). Add a name here for a new driver.
MODELS = ("SIM800L", "SIM7000E", "SIM7080G", "SIM7600E", "A7670E", "EC21", "BG95", "M95")
STEPS = 3  # of each model: contact, roaming, hang

WEAK, BETTER = "23415", "23410"  # vodafone UK, O2
WEAK_CSQ, BETTER_CSQ = 6, 20  # the product requires more than 14
HEARTBEAT_S = 5  # the shortest that the unit accepts
STARTS_WITHIN_S, CONTACT_WITHIN_S, CHARGES_WITHIN_S, RECOVERS_WITHIN_S = 60, 120, 60, 240
ASK_AGAIN_S = 0.25
LOOK_S = 0.05

Found = TypeVar("Found")


class Pace(NamedTuple):
    """The program and its deadlines. `stays_s`: how long the unit is watched on its new network, until it has compared it."""

    program: Program
    roams_within_s: float
    stays_s: float
    is_quick: bool = False  # the modem's own delays are short too


# A quarter of an hour of weak signal, up to two minutes that differ between units, and a scan; then three readings, one
# a minute.
PRODUCT = Pace(FIRMWARE, 30 * 60, 4 * 60)
SHORT = Pace(
    Program(str(Path(__file__).with_name("short_waits_on_micropython")), "heapsize=136wK"), 120, 4, is_quick=True
)

HEADING = (
    f"{'modem':10} {'found as':20} {'contact after':>13}  {'roamed from -> to':18} {'CSQ':>8} {'after':>8}  "
    f"{'hang: contact after':>19}"
)


class Introduction(NamedTuple):
    """What the unit and the benchmark need to reach the cloud. `words` are the unit's console commands; the rest is for
    the API."""

    words: list[str]
    address: str
    token: str
    unit_id: str


@dataclass
class Outcome:
    """What one unit did. Times are seconds, or None if it did not get that far."""

    model: str
    found: str = "-"  # the modem as the cloud shows it
    contact_s: float | None = None
    networks: tuple[str, str] = ("-", "-")
    csq: tuple[int, int] = (99, 99)
    roamed_s: float | None = None
    recovered_s: float | None = None
    wrong: list[str] = field(default_factory=list)
    interrupted: str | None = None  # the observation while its charge was interrupted; the machine may be the cause
    log: str = ""  # of a unit that failed

    def __str__(self) -> str:
        first, then = self.csq
        times = [_seconds(seconds) for seconds in (self.contact_s, self.roamed_s, self.recovered_s)]
        line = (
            f"{self.model:10} {self.found:20} {times[0]:>13}  {' -> '.join(self.networks):18} {f'{first} -> {then}':>8} "
            f"{times[1]:>8}  {times[2]:>19}"
        )
        interrupted = [] if self.interrupted is None else [f"the charge was interrupted: {self.interrupted}"]
        return "\n".join([line, *(f"    {what}" for what in [*self.wrong, *interrupted])])

    def held(self) -> bool:
        return not self.wrong and self.interrupted is None


class FamilyBench(Unit):
    """A virtual unit with this modem, and its cloud's view of it."""

    def __init__(self, folder: Path, seed: int, model: str, pace: Pace, introduction: Introduction) -> None:
        self.model = model
        super().__init__(folder, seed, pace.program)
        if pace.is_quick:
            self.world.latencies = replace(QUICK, scan=Span(500, 1000), select=Span(200, 400))
        self.outcome = Outcome(model)
        self._pace, self._introduction = pace, introduction
        self._cloud = Cloud(introduction.address, introduction.token, introduction.unit_id)

    async def live(self) -> Outcome:
        """Run all three steps in turn."""
        outcome = self.outcome
        await self.start()
        try:
            for step in (self._come_into_contact, self._roam, self._hang):
                await step()
                tally.one_more()
        except TimeoutError as late:
            outcome.wrong.append(str(late))
        finally:
            if not outcome.held():
                outcome.log = self.full_log()
            await self.stop()
        return outcome

    async def _come_into_contact(self) -> None:
        outcome, began_s = self.outcome, time.monotonic()
        await self.answers(STARTS_WITHIN_S)
        for words in self._introduction.words:
            await self.ask(words, STARTS_WITHIN_S)
        await self._cloud_says(lambda told: told["last_contact"] is not None, CONTACT_WITHIN_S, "no contact")
        outcome.contact_s = time.monotonic() - began_s
        told = await self._cloud_says(lambda told: told["modem"] is not None, CONTACT_WITHIN_S, "no model of the modem")
        outcome.found = told["modem"]
        if outcome.found != BY_NAME[outcome.model].model:
            outcome.wrong.append(f"the cloud knows its modem as {outcome.found}")

    async def _roam(self) -> None:
        outcome = self.outcome
        await self._until(lambda: self.modem.plmn == WEAK, CONTACT_WITHIN_S, "not on the strongest network")
        self.world.set_signal(BETTER, BETTER_CSQ)
        self.world.set_signal(WEAK, WEAK_CSQ)
        began_s = time.monotonic()
        told = await self._cloud_says(
            lambda told: told["operator"] == WEAK and told["csq"] == WEAK_CSQ, CONTACT_WITHIN_S, "weak signal not told"
        )
        before = told["csq"]
        await self._until(lambda: self.modem.plmn != WEAK, self._pace.roams_within_s, "it stays on the weak network")
        told = await self._cloud_says(
            lambda told: told["operator"] not in (WEAK, None) and told["csq"] != before,
            CONTACT_WITHIN_S,
            "no contact over another network",
        )
        outcome.roamed_s = time.monotonic() - began_s
        outcome.networks, outcome.csq = (WEAK, told["operator"]), (before, told["csq"])
        await asyncio.sleep(self._pace.stays_s)
        told = await asyncio.to_thread(self._cloud.look)
        if told["operator"] != BETTER or self.modem.plmn != BETTER:
            outcome.wrong.append(
                f"after {self._pace.stays_s} s it is on {self.modem.plmn}, {told['operator']} to the cloud"
            )

    async def _hang(self) -> None:
        self.plug()
        await self._until(lambda: charging(self.observe()), CHARGES_WITHIN_S, "it does not charge")
        watching = asyncio.create_task(self._watch_charge())
        try:
            await self._cloud_says(lambda told: told["state"] == "C2", CONTACT_WITHIN_S, "the charge is not told")
            self.disturb_modem("hang")
            began_s = time.monotonic()
            await asyncio.sleep(1)  # let messages on their way arrive
            last = (await asyncio.to_thread(self._cloud.look))["last_contact"]
            await self._cloud_says(
                lambda told: told["last_contact"] > last, RECOVERS_WITHIN_S, "no contact after the hang"
            )
            self.outcome.recovered_s = time.monotonic() - began_s
            await self._until(self._charges, CHARGES_WITHIN_S, "it does not charge after the hang")
        finally:
            watching.cancel()

    def _charges(self) -> bool:
        seen = self.observe()
        return charging(seen) and not seen.red

    async def _watch_charge(self) -> None:
        while True:
            seen = self.observe()
            if not charging(seen) or seen.red:
                self.outcome.interrupted = str(seen)
                return
            await asyncio.sleep(LOOK_S)

    async def _cloud_says(
        self, predicate: Callable[[dict[str, Any]], bool], within_s: float, otherwise: str
    ) -> dict[str, Any]:
        async def look() -> dict[str, Any] | None:
            told = await asyncio.to_thread(self._cloud.look)
            return told if predicate(told) else None

        return await _poll(look, ASK_AGAIN_S, within_s, otherwise)

    async def _until(self, predicate: Callable[[], bool], within_s: float, otherwise: str) -> None:
        async def look() -> bool | None:
            return predicate() or None

        await _poll(look, LOOK_S, within_s, otherwise)


async def _poll(look: Callable[[], Awaitable[Found | None]], every_s: float, within_s: float, otherwise: str) -> Found:
    """Poll until there is a result. Raises TimeoutError with the text `otherwise`."""
    deadline_s = time.monotonic() + within_s
    while (found := await look()) is None:
        if time.monotonic() > deadline_s:
            raise TimeoutError(f"{otherwise} within {within_s:.0f} s")
        await asyncio.sleep(every_s)
    return found


def _run(folder: Path, seed: int, model: str, pace: Pace, introduction: Introduction) -> Outcome:
    """Run one unit in this process."""

    async def work() -> Outcome:
        return await FamilyBench(folder, seed, model, pace, introduction).live()

    return asyncio.run(work())


async def side_by_side(
    models: Sequence[str], pace: Pace, seed: int, folder: Path, done: Callable[[Outcome], None] = lambda _: None
) -> list[Outcome]:
    """Run a unit with each modem, and one bridge for all. `done` is called with each outcome when it is ready."""
    loop, token = asyncio.get_running_loop(), secrets.token_urlsafe(24)
    http_port, mqtt_port = free_ports(2)
    bridge = BridgeProcess(http_port, mqtt_port, folder, {"CHARGEKEEPER_API_TOKEN": token})
    await bridge.start()
    outcomes = []
    try:
        with tally.pool(len(models)) as processes:
            running = []
            for number, model in enumerate(models):
                introduction = Introduction(await _words(bridge, f"CK-{model}"), bridge.address, token, f"CK-{model}")
                unit = (folder / model, seed + number, model, pace, introduction)
                running.append(loop.run_in_executor(processes, _run, *unit))
            for outcome in asyncio.as_completed(running):
                outcomes.append(await outcome)
                done(outcomes[-1])
    finally:
        await bridge.stop()
    return outcomes


async def _words(bridge: BridgeProcess, unit_id: str) -> list[str]:
    made = await bridge.command("unit", "add", unit_id)
    wanted = {
        "id": unit_id,
        "secret": made["secret"],
        "broker": "127.0.0.1",
        "port": bridge.mqtts_port,
        "heartbeat_idle_s": HEARTBEAT_S,
        "heartbeat_charging_s": HEARTBEAT_S,
    }
    return [*bridge.authority_words(), f"provision {json.dumps(wanted)}", COMMISSION]


def meet_all(seed: int, models: Sequence[str], pace: Pace) -> bool:
    """Run all models and print what each did. Return True if all are held."""
    print(HEADING, flush=True)
    with tempfile.TemporaryDirectory() as folder, bar("families", STEPS * len(models), tally.done):
        outcomes = asyncio.run(side_by_side(models, pace, seed, Path(folder), lambda one: print(one, flush=True)))
    for outcome in outcomes:
        if not outcome.held():
            print(f"{outcome.model}:", outcome.log, sep="\n", file=sys.stderr)
    return all(outcome.held() for outcome in outcomes)


def _seconds(seconds: float | None) -> str:
    return "-" if seconds is None else f"{seconds:.1f} s"
