"""One virtual unit with slots, a broker, and a cloud that gives it updates, with a record of their messages."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from amqtt.broker import Broker
from amqtt.client import MQTTClient

from hil_tests.fixtures.ports import free_ports
from hil_tests.rig.commissioning import COMMISSION
from hil_tests.rig.console import ConsoleError, ConsoleSilent
from hil_tests.rig.processor import Program
from hil_tests.rig.unit import Unit
from hil_tests.sim.network import Network
from hil_tests.update.release import Release, public_key

UNIT_ID = "CK-UPDATE"
HEARTBEAT_S = 5  # the shortest that the unit accepts
SCRIPT = Path(__file__).parents[1] / "rig" / "slots_on_micropython"
# A slot's code is read into memory, as on a board with a stock image: 200 kB in 32 bits, 350 in 64.
PROGRAM = Program(str(SCRIPT), "heapsize=320wK", (public_key() + ",",))
LOOK_S = 0.1
ANSWER_S = 30


class Life:
    """A unit with its cloud, as an asynchronous context manager. `events` are `update` and `boot` events in order, as
    (kind, details)."""

    def __init__(self, folder: Path, seed: int = 0, image: Path | None = None) -> None:
        """Create the unit. `image`: what was flashed, if it is not this tree's."""
        self.releases: dict[str, Release] = {}  # by the hexadecimal digits of a command's `h`
        self.events: list[tuple[str, dict[str, Any]]] = []
        self._taken: set[tuple[int, int]] = set()  # boot and number: after a late PUBACK a message is sent again
        self.results: list[dict[str, Any]] = []
        self.heartbeats: list[dict[str, Any]] = []
        self.asked = 0
        self.sent_bytes = 0  # of all pieces, with their heads
        (port,) = free_ports(1)
        settings = {
            "listeners": {"default": {"type": "tcp", "bind": f"127.0.0.1:{port}"}},
            "plugins": {"amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}},
        }
        self._broker, self._port = Broker(settings), port
        self._client = MQTTClient()
        self.network = Network("127.0.0.1", port, seed)
        self.unit = Unit(folder, seed, PROGRAM._replace(image=image))
        self._tasks: list[asyncio.Task[None]] = []
        self._skipped = folder / "skipped_ms"

    async def __aenter__(self) -> "Life":
        await self._broker.start()
        await self._client.connect(f"mqtt://cloud:x@127.0.0.1:{self._port}/")
        await self._client.subscribe([(f"cp/{UNIT_ID}/#", 1)])
        await self.network.start()
        self._tasks.append(asyncio.create_task(self._serve()))
        await self.unit.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.unit.stop()
        for task in self._tasks:
            task.cancel()
        await asyncio.wait(self._tasks)
        await self.network.outage()
        await self._client.disconnect()
        await self._broker.shutdown()

    async def introduce(self, heartbeat_s: int = HEARTBEAT_S) -> None:
        """Provision the unit."""
        await self.until(self.status, ANSWER_S)
        settings = {
            "id": UNIT_ID,
            "secret": "any",
            "broker": "127.0.0.1",
            "port": self.network.port,
            "plain_mqtt": True,
        }
        settings |= {"heartbeat_idle_s": heartbeat_s}
        await self.unit.ask(f"provision {json.dumps(settings)}")
        await self.unit.ask(COMMISSION)
        await self.until(self._heard, 2 * ANSWER_S)

    async def _heard(self) -> bool:
        return bool(self.heartbeats)

    async def order(self, release: Release, required: bool = True) -> None:
        """Send the command to update."""
        self.releases[release.digest.hex()] = release
        await self._client.publish(f"cp/{UNIT_ID}/command", json.dumps(release.order(required)).encode(), qos=1)

    def skip(self, seconds: int) -> None:
        """Let time pass at once for the unit's main thread (hil_tests/rig/slots_on_micropython.py)."""
        before_ms = int(self._skipped.read_text()) if self._skipped.exists() else 0
        self._skipped.write_text(str(before_ms + seconds * 1000))

    async def status(self, command: str = "status") -> dict[str, str]:
        """Return the console's answer by name, or an empty dict while it does not answer."""
        try:
            return dict(line.split(maxsplit=1) for line in await self.unit.ask(command) if " " in line)
        except (ConsoleError, ConsoleSilent):
            return {}

    async def until(self, holds: Callable[[], Any], within_s: float) -> Any:
        """Return the result of the coroutine function `holds` when it is true. Raises AssertionError with all messages
        so far."""
        until_s = asyncio.get_running_loop().time() + within_s
        while not (found := await holds()):
            if asyncio.get_running_loop().time() > until_s:
                raise AssertionError(f"{self.events}\n{self.results}\n{self.unit.full_log()}")
            await asyncio.sleep(LOOK_S)
        return found

    async def told(self, *results: str, within_s: float) -> None:
        """Wait until the `update` events are exactly these."""

        async def are_these() -> bool:
            return tuple(details["r"] for kind, details in self.events if kind == "update") == results

        await self.until(are_these, within_s)

    async def _serve(self) -> None:
        """Answer requests for pieces, and record the other messages."""
        while True:
            message = await self._client.deliver_message()
            if message is None:
                continue
            kind = message.topic.rpartition("/")[2]
            if kind in ("command", "piece", "lwt"):
                continue
            said = json.loads(bytes(message.data))
            if (said["b"], said["n"]) in self._taken:
                continue
            self._taken.add((said["b"], said["n"]))
            if kind == "ask":
                self.asked += 1
                for piece in self.releases[said["h"]].answer(said["f"], said["o"], said["c"]):
                    self.sent_bytes += len(piece)
                    await self._client.publish(f"cp/{UNIT_ID}/piece", piece, qos=0)
            elif kind == "event":
                if said["k"] in ("update", "boot"):
                    self.events.append((said["k"], said["d"]))
            elif kind == "result":
                self.results.append(said)
            elif kind == "heartbeat":
                self.heartbeats.append(said)
