"""The cloud under test: a new bridge, with its embedded broker or behind mosquitto, or one that was started separately."""

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
OUTSIDE_LATER_MS = 10_000.0  # time after the PUBACK of an external broker within which a message reaches the bridge
DATABASE = "fleet"
LOG_TAIL = 2000  # characters


class Usage(NamedTuple):
    """The usage of one process."""

    name: str
    cpu_s: float
    memory_mb: float


class Doors(NamedTuple):
    """The doors of a broker."""

    plain: list[Door]
    tls: list[Door]  # as many as `plain`, or none
    ca: str | None  # CA file of its certificate; None: the machine's trust store


class OwnCloud:
    """A bridge in its own folder; `close` ends it. `tls` adds a TLS listener."""

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
        """Add the units and start everything. Return the units with their secrets."""
        with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
            file.write("\n".join(names))
            file.flush()
            made: Any = self.fixture.command("unit", "add", "--file", file.name)  # a list: one row for each
        self.fixture.start()
        self._cpu_before_s = {name: cpu_s(pid) for name, pid in self._processes().items()}
        return [(one["id"], one["secret"]) for one in made]

    @property
    def doors(self) -> Doors:
        """The broker's listeners. The fixture gives mosquitto no certificate."""
        plain = [Door(LOOPBACK, self.fixture.mqtt_port)]
        ca = self._folder / "tls" / "ca.pem"
        if not ca.exists():
            return Doors(plain, [], None)
        return Doors(plain, [Door(LOOPBACK, self.fixture.bridge.mqtts_port)], str(ca))

    @property
    def terms(self) -> Terms:
        return Terms(later_ms=OUTSIDE_LATER_MS, away_ms=tuple(self._away_ms)) if self.is_outside else Terms()

    def kill(self, _step: Step) -> None:
        """Kill the bridge with SIGKILL and start it immediately; return when it listens again."""
        from_ms = time.time() * 1000
        self.fixture.kill_bridge()
        self.fixture.start_bridge()
        self._cpu_before_s["bridge"] = 0.0
        # Messages from before its subscription may arrive as a backlog, which is not contact.
        self._away_ms.append((from_ms, time.time() * 1000 + OUTSIDE_LATER_MS / 10))

    def usage(self) -> list[Usage]:
        """Return the usage of each process since the start, or since its last kill."""
        return [
            Usage(name, cpu_s(pid) - self._cpu_before_s.get(name, 0.0), memory_mb(pid))
            for name, pid in self._processes().items()
        ]

    def row_after_ms(self, _since_ms: int) -> None:
        """Return None: a message is only acknowledged when its row is committed."""

    def counted(self) -> dict[str, int]:
        """Return the bridge's counters since its start that are not zero, or {} if it does not answer."""
        counters: dict[str, int] = self.fixture.health().get("counters", {})
        return {name: count for name, count in counters.items() if count}

    def log_tail(self) -> str:
        """Return the end of each log, to investigate a failure."""
        return "\n".join(file.read_text("utf-8", "replace")[-LOG_TAIL:] for file in self._folder.glob("*.log"))

    def close(self) -> None:
        """End all processes."""
        self._stack.close()

    def _processes(self) -> dict[str, int]:
        found = {"bridge": self.fixture.bridge.pid}
        if self.fixture.mosquitto is not None:
            found["mosquitto"] = self.fixture.mosquitto.pid
        return found


class OthersCloud:
    """A cloud that was started separately. The file `secrets` contains its units, as `unit add --file --json` prints them."""

    def __init__(self, doors: Doors, database: str, secrets: Path) -> None:
        self.doors, self.database = doors, database
        self.is_outside = True
        self.terms = Terms(later_ms=OUTSIDE_LATER_MS)
        self._secrets = secrets

    def start(self, names: list[str]) -> list[UnitSecret]:
        """Return the first units of the file, as many as there are names. Raises ValueError if there are too few."""
        units = [(one["id"], one["secret"]) for one in json.loads(self._secrets.read_text())]
        if len(units) < len(names):
            raise ValueError(f"{self._secrets} has {len(units)} units; {len(names)} are needed")
        return units[: len(names)]

    def usage(self) -> list[Usage]:
        """Return []: its processes may run elsewhere."""
        return []

    def row_after_ms(self, _since_ms: int) -> None:
        """Return None: its database may not record commit times."""

    def counted(self) -> dict[str, int]:
        """Return {}: its counters are not read."""
        return {}
