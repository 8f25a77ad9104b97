"""`python -m hil_tests.update`: time and bytes of one update over GPRS, from the roll-out to the first charge by the
new version.

The unit is a whole virtual unit with its modem. The real cloud has the release and rolls it out. Between them is TLS
1.3. The network (sim/segments.py) carries 3,000 bytes per second down and 1,500 up, 0.4 to 1 s late (GPRS with a weak
signal), and loses 5 % of the segments in each direction, which TCP retransmits. All bytes are counted there, by layer.
Exits with 1 if they exceed LIMIT times the size of the image and its manifest, headers of TCP/IP included, or, counted
up to TLS, LIMIT_THROUGH_TLS times.
"""

import asyncio
import contextlib
import json
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import serialization

from hil_tests.fixtures.bridge_process import BridgeProcess
from hil_tests.fixtures.ports import free_ports
from hil_tests.rig.commissioning import COMMISSION
from hil_tests.rig.console import ConsoleError, ConsoleSilent
from hil_tests.rig.unit import Unit
from hil_tests.sim.lossy_network import LossyNetwork
from hil_tests.sim.segments import Quality
from hil_tests.update import layers
from hil_tests.update.life import PROGRAM, UNIT_ID
from hil_tests.update.release import KEY, Release, make

QUALITIES = {
    "down": Quality(loss=0.05, delay=0.4, jitter=0.6, rate=3_000),
    "up": Quality(loss=0.05, delay=0.4, jitter=0.6, rate=1_500),
}
SEED = 5
LIMIT, LIMIT_THROUGH_TLS = 1.22, 1.07
WITHIN_S = 900
OFF_S = 3
QUIET_S = 3600  # between two heartbeats, which are not part of the update


class OverGprs:
    """A unit and its cloud, as an asynchronous context manager."""

    def __init__(self, folder: Path) -> None:
        http_port, mqtt_port = free_ports(2)
        self._folder = folder
        self.bridge = BridgeProcess(http_port, mqtt_port, folder / "cloud")
        self.network = LossyNetwork("127.0.0.1", self.bridge.mqtts_port, SEED)
        self.counter = layers.Counter(self.network)
        self.unit = Unit(folder / "unit", SEED, PROGRAM)

    async def __aenter__(self) -> "OverGprs":
        await self.bridge.start()
        await self.network.start()
        await self.unit.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.unit.stop()
        await self.network.outage()
        await self.bridge.stop()

    async def introduce(self) -> None:
        """Provision the unit and connect it to the cloud, over a good network."""
        made = await self.bridge.command("unit", "add", UNIT_ID)
        await self.until("status", lambda answer: bool(answer))
        wanted = {"id": UNIT_ID, "secret": made["secret"], "broker": "127.0.0.1", "port": self.network.port}
        wanted |= {"heartbeat_idle_s": QUIET_S}
        for words in (*self.bridge.authority_words(), f"provision {json.dumps(wanted)}", COMMISSION):
            await self.unit.ask(words)
        await self.until("status", lambda answer: answer.get("link") == "proven")

    async def roll_out(self, release: Release) -> None:
        """Roll out a release that every unit has to install at once."""
        files = {name: self._folder / name for name in ("manifest", "image", "public.pem")}
        files["manifest"].write_bytes(release.manifest)
        files["image"].write_bytes(release.image)
        form = serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        files["public.pem"].write_bytes(KEY.public_key().public_bytes(*form))
        words = ("--public", str(files["public.pem"]))
        await self.bridge.command("release", "add", str(files["manifest"]), str(files["image"]), *words)
        today = datetime.now(UTC).date().isoformat()
        which = ("--all", "--soak-hours", "1", "--required-by", today)
        await self.bridge.command("release", "roll-out", release.version, *which)

    async def answer(self, command: str) -> dict[str, str]:
        """Return the console's answer by name, or nothing while it does not answer."""
        with contextlib.suppress(ConsoleError, ConsoleSilent):
            return dict(line.split(maxsplit=1) for line in await self.unit.ask(command) if " " in line)
        return {}

    async def until(self, command: str, holds: Callable[[dict[str, str]], Any]) -> None:
        """Wait until the answer to `command` fulfils `holds`. Raises TimeoutError."""
        async with asyncio.timeout(WITHIN_S):
            while not holds(await self.answer(command)):  # noqa: ASYNC110  (it asks)
                await asyncio.sleep(0.1)

    async def start_s(self) -> float:
        """Return the seconds from mains-on to a closed contactor, of a unit that was charging before."""
        self.unit.plug()
        await self.until("status", lambda answer: self.unit.reading().contactor)
        self.unit.mains(False)
        await asyncio.sleep(OFF_S)
        self.unit.mains(True)
        begun_s = time.monotonic()
        async with asyncio.timeout(WITHIN_S):
            while not self.unit.reading().contactor:  # noqa: ASYNC110  (a simulated wire)
                await asyncio.sleep(0.02)
        return time.monotonic() - begun_s


async def update(folder: Path) -> bool:
    """Run the update and print its costs. Return True if the limits hold."""
    release = make(folder, "100.4.0")
    worst_ms = 0
    async with OverGprs(folder) as path:
        await path.introduce()
        await asyncio.sleep(OFF_S)  # until the events of the boot are sent
        for direction, quality in QUALITIES.items():
            vars(path.network.qualities[direction]).update(vars(quality))
        before, began_s = path.counter.look(), time.monotonic()
        await path.roll_out(release)
        await path.until("update", lambda answer: answer.get("doing", "").startswith("install"))
        after, fetched_s = path.counter.look(), time.monotonic() - began_s
        while (now := await path.answer("update")).get("version") != release.version:
            worst_ms = max(worst_ms, int((await path.answer("status")).get("loop_worst_ms", 0)))
            if time.monotonic() - began_s > WITHIN_S:
                print(now, path.unit.full_log(), file=sys.stderr)
                return False
        await path.until("status", lambda answer: answer.get("link") == "proven")
        installed_s = time.monotonic() - began_s
        from_slot_s = await path.start_s()
    found = layers.layers(before, after, len(release.image), len(release.manifest), UNIT_ID)
    size, total = found[0][1], sum(count for _, count in found)
    with_timestamps = total + layers.segments(before, after) * layers.TIMESTAMP_BYTES
    for what, count in found:
        print(f"{count:9,} bytes  {count / size:6.3f}  {what}")
    print(
        f"{total:9,} bytes  {total / size:6.3f}  on the air, limit {LIMIT}; {with_timestamps / size:.3f} with timestamps"
    )
    through_tls = sum(count for _, count in found[:6]) / size
    print(f"{through_tls:24.3f}  with TLS, without TCP/IP and what is sent again, limit {LIMIT_THROUGH_TLS}")
    print(
        f"{layers.floor(found, QUALITIES['down'].loss):24.3f}  is what pieces of 1 kB, segments and 5 % loss cost at least"
    )
    print(f"{fetched_s:9.0f} s until it is fetched, {installed_s:.0f} until the new version has told of itself")
    print(f"{worst_ms:9} ms between two steps of the control loop, the worst")
    print(f"{from_slot_s:9.1f} s from the mains to a closed contactor, from the slot")
    return total / size <= LIMIT and through_tls <= LIMIT_THROUGH_TLS


def main() -> int:
    """Run the command line. Return 1 if the update costs too much, or does not complete."""
    with tempfile.TemporaryDirectory() as folder:
        return 0 if asyncio.run(update(Path(folder))) else 1


if __name__ == "__main__":
    sys.exit(main())
