"""What a fleet is let loose on: a bridge of our own, behind its own broker or mosquitto, or one that somebody else started."""

import json
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

from hil_tests.bench.cloud.load import cpu_s, memory_mb
from hil_tests.fixtures.cloud_fixture import CloudFixture, UnitSecret
from hil_tests.fixtures.postgresql import Server
from hil_tests.fleet.link import Door
from hil_tests.fleet.scenarios import Step
from hil_tests.fleet.verdict import Terms

LOOPBACK = "127.0.0.1"
EMBEDDED, MOSQUITTO, CLUSTER = "embedded", "mosquitto", "cluster"
OUTSIDE_LATER_MS = 10_000.0  # after the PUBACK of a broker that is not ours, a message has reached the bridge
DATABASE = "fleet"
LOG_TAIL = 2000  # characters


class Usage(NamedTuple):
    """Of one process."""

    name: str
    cpu_s: float
    memory_mb: float


class Doors(NamedTuple):
    """Of a broker."""

    plain: list[Door]
    tls: list[Door]  # as many, or none
    ca: str | None  # file of the authority of its certificate; None: those that this machine trusts


class OwnCloud:
    """In a folder of its own; `close` ends it. With `tls` it listens for TLS too."""

    def __init__(self, folder: Path, broker: str, on_postgresql: bool, tls: bool) -> None:
        self._stack = ExitStack()
        environment: dict[str, str] = {}
        self.database = str(folder / "chargekeeper.db")
        if on_postgresql:
            server = Server()
            self._stack.callback(server.close)
            server.say(f"CREATE DATABASE {DATABASE}")
            self.database = environment["CHARGEKEEPER_DATABASE"] = f"{server.url}/{DATABASE}"
        self.is_outside = broker == MOSQUITTO
        self.fixture = CloudFixture(folder, self.is_outside, environment, tls and not self.is_outside)
        self._stack.callback(self.fixture.stop)
        self._folder = folder
        self._away_ms: list[tuple[float, float]] = []
        self._cpu_before_s: dict[str, float] = {}

    def start(self, names: list[str]) -> list[UnitSecret]:
        """Adds the units, and starts everything. Returns them with their secrets."""
        with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
            file.write("\n".join(names))
            file.flush()
            made: Any = self.fixture.command("unit", "add", "--file", file.name)  # a list: one row for each
        self.fixture.start()
        self._cpu_before_s = {name: cpu_s(pid) for name, pid in self._processes().items()}
        return [(one["id"], one["secret"]) for one in made]

    @property
    def doors(self) -> Doors:
        """Where it listens. Mosquitto is given no certificate by the fixture."""
        plain = [Door(LOOPBACK, self.fixture.mqtt_port)]
        ca = self._folder / "tls" / "ca.pem"
        if not ca.exists():
            return Doors(plain, [], None)
        return Doors(plain, [Door(LOOPBACK, self.fixture.bridge.mqtts_port)], str(ca))

    @property
    def terms(self) -> Terms:
        return Terms(later_ms=OUTSIDE_LATER_MS, away_ms=tuple(self._away_ms)) if self.is_outside else Terms()

    def kill(self, _step: Step) -> None:
        """kill -9 of the bridge, and a start at once; returns when it listens again."""
        from_ms = time.time() * 1000
        self.fixture.kill_bridge()
        self.fixture.start_bridge()
        self._cpu_before_s["bridge"] = 0.0
        # What was published before its subscription stood may come as a message that was kept: no contact.
        self._away_ms.append((from_ms, time.time() * 1000 + OUTSIDE_LATER_MS / 10))

    def usage(self) -> list[Usage]:
        """Since the start, or since it was killed last."""
        return [
            Usage(name, cpu_s(pid) - self._cpu_before_s.get(name, 0.0), memory_mb(pid))
            for name, pid in self._processes().items()
        ]

    def row_after_ms(self, _since_ms: int) -> None:
        """A message is acknowledged when its row is there."""

    def counted(self) -> dict[str, int]:
        """What the bridge has counted since its start; nothing if it does not answer."""
        counters: dict[str, int] = self.fixture.health().get("counters", {})
        return {name: count for name, count in counters.items() if count}

    def log_tail(self) -> str:
        """The end of each log, for somebody who asks why it failed."""
        return "\n".join(file.read_text("utf-8", "replace")[-LOG_TAIL:] for file in self._folder.glob("*.log"))

    def close(self) -> None:
        """Ends every process."""
        self._stack.close()

    def _processes(self) -> dict[str, int]:
        found = {"bridge": self.fixture.bridge.pid}
        if self.fixture.mosquitto is not None:
            found["mosquitto"] = self.fixture.mosquitto.pid
        return found


class OthersCloud:
    """One that somebody else has started. The file `secrets` has its units, as `unit add --file --json` prints them."""

    def __init__(self, doors: Doors, database: str, secrets: Path) -> None:
        self.doors, self.database = doors, database
        self.is_outside = True
        self.terms = Terms(later_ms=OUTSIDE_LATER_MS)
        self._secrets = secrets

    def start(self, names: list[str]) -> list[UnitSecret]:
        """The first units of the file, as many as there are names. Raises ValueError if there are too few."""
        units = [(one["id"], one["secret"]) for one in json.loads(self._secrets.read_text())]
        if len(units) < len(names):
            raise ValueError(f"{self._secrets} has {len(units)} units, and {len(names)} are asked for")
        return units[: len(names)]

    def usage(self) -> list[Usage]:
        """Its processes are not ours to measure."""
        return []

    def row_after_ms(self, _since_ms: int) -> None:
        """Its database may not note when a transaction was committed."""

    def counted(self) -> dict[str, int]:
        """Nor its counters."""
        return {}
