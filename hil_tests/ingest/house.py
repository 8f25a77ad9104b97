"""A cloud side in processes of its own, reached by either way in: its own broker, or mosquitto.

What the conformance tests and the bench drive. It can be killed and started again on the same ports and data.
"""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import suppress
from pathlib import Path
from typing import Any

from hil_tests.children import die_with_parent
from hil_tests.ingest.station import Station

CHECKOUT = Path(__file__).resolve().parents[2]
READY_WITHIN_S = 40.0
STOP_WITHIN_S = 10.0
TOKEN = "a token of this test"
MOSQUITTO = shutil.which("mosquitto", path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin")

UnitSecret = tuple[str, str]


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
    return port


class House:
    """`python -m cloud_bridge`, and mosquitto in front of it if `outside`."""

    def __init__(self, folder: Path, outside: bool = False, environment: dict[str, str] | None = None) -> None:
        self.folder = folder
        self.http_port, self.mqtt_port = free_port(), free_port()
        self.bridge: subprocess.Popen[bytes] | None = None
        self.mosquitto: subprocess.Popen[bytes] | None = None
        self._outside = outside
        self._stations: list[Station] = []
        self._parts: list[subprocess.Popen[bytes]] = []
        self._environment = os.environ | {
            "CHARGEKEEPER_DATA": str(folder),
            "CHARGEKEEPER_HTTP_PORT": str(self.http_port),
            "CHARGEKEEPER_MQTT_PORT": str(self.mqtt_port),
            "CHARGEKEEPER_API_TOKEN": TOKEN,
        }
        self._environment |= environment or {}

    def connect(self, unit: UnitSecret, will: str | None = None) -> Station:
        """A unit's connection; closed at the latest when this stops. Raises OSError."""
        station = Station(self.mqtt_port, *unit, will=will)
        self._stations.append(station)
        return station

    def add_units(self, names: list[str]) -> list[UnitSecret]:
        """In one process, through the store: a command for each would take a second each."""
        script = (
            "import json,sys;from pathlib import Path;from cloud_bridge.store.database import open_database;"
            "from cloud_bridge.store.units import add_unit;d=open_database(Path(sys.argv[1]));c=d.writing();"
            "k=c.__enter__();print(json.dumps([[n,add_unit(k,n,0).secret] for n in json.load(sys.stdin)]));"
            "c.__exit__(None,None,None)"
        )
        made = subprocess.run(
            [sys.executable, "-c", script, str(self.folder)],
            cwd=CHECKOUT,
            input=json.dumps(names),
            capture_output=True,
            text=True,
            check=True,
        )
        return [(name, secret) for name, secret in json.loads(made.stdout)]

    def start(self) -> None:
        """Everything that is not running; returns when units can be heard."""
        if self._outside and self.mosquitto is None:
            self.start_mosquitto()
        if self.bridge is None:
            self.start_bridge()

    def start_mosquitto(self) -> None:
        assert MOSQUITTO is not None
        said = self.command("mosquitto", "write", "--port", str(self.mqtt_port), "--json")
        self._environment["CHARGEKEEPER_BROKER"] = said["CHARGEKEEPER_BROKER"]
        configuration = self.folder / "mosquitto" / "mosquitto.conf"
        self.mosquitto = self._start([MOSQUITTO, "-c", str(configuration)], "mosquitto.log")
        self._until(lambda: _is_open(self.mqtt_port), "mosquitto never listened")

    def start_bridge(self) -> None:
        self.bridge = self._start([sys.executable, "-m", "cloud_bridge"], "bridge.log")
        self._until(lambda: self.health().get("listening"), "the bridge never heard its own canary")

    def start_part(self, number: int, of: int) -> None:
        """A process that only takes in its part of an outside broker's units; ends with the house."""
        environment = self._environment | {"CHARGEKEEPER_PART": f"{number}/{of}"}
        words = [sys.executable, "-m", "cloud_bridge", "ingest"]
        self._parts.append(self._start(words, f"part-{number}.log", environment))

    def kill_bridge(self) -> None:
        """As a power cut of the process: SIGKILL."""
        assert self.bridge is not None
        self.bridge.kill()
        self.bridge.wait()
        self.bridge = None

    def kill_mosquitto(self) -> None:
        assert self.mosquitto is not None
        self.mosquitto.kill()
        self.mosquitto.wait()
        self.mosquitto = None

    def stop(self) -> None:
        for station in self._stations:
            station.close()
        for process in (*self._parts, self.bridge, self.mosquitto):
            if process is not None:
                process.terminate()
                try:
                    process.wait(STOP_WITHIN_S)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()
        self.bridge = self.mosquitto = None

    def health(self) -> dict[str, Any]:
        with suppress(OSError, ValueError):
            found: dict[str, Any] = self.get("/healthz")
            return found
        return {}

    def get(self, path: str, within_s: float = 5) -> Any:
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.http_port}{path}", headers={"Authorization": f"Bearer {TOKEN}"}
        )
        with urllib.request.urlopen(request, timeout=within_s) as reply:
            return json.load(reply)

    def charge_point(self, unit_id: str, within_s: float = 5) -> dict[str, Any]:
        said: dict[str, Any] = self.get(f"/api/charge-points/{unit_id}", within_s)
        return said

    def command(self, *words: str) -> dict[str, Any]:
        done = subprocess.run(
            [sys.executable, "-m", "cloud_bridge", *words],
            cwd=CHECKOUT,
            env=self._environment,
            capture_output=True,
            text=True,
            check=True,
        )
        said: dict[str, Any] = json.loads(done.stdout)
        return said

    def _start(
        self, words: list[str], log: str, environment: dict[str, str] | None = None
    ) -> "subprocess.Popen[bytes]":
        given = environment or self._environment
        with (self.folder / log).open("ab") as out:
            return subprocess.Popen(words, cwd=CHECKOUT, env=given, stdout=out, stderr=out, preexec_fn=die_with_parent)

    def _until(self, condition: Any, complaint: str) -> None:
        give_up_s = time.monotonic() + READY_WITHIN_S
        while not condition():
            if time.monotonic() > give_up_s:
                logs = "\n".join(path.read_text()[-2000:] for path in self.folder.glob("*.log"))
                raise AssertionError(f"{complaint}\n{logs}")
            time.sleep(0.05)


def _is_open(port: int) -> bool:
    with suppress(OSError):
        socket.create_connection(("127.0.0.1", port), 1).close()
        return True
    return False
