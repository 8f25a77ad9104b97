"""The bridge as a separate process, `python -m cloud_bridge`, with given limits of open files."""

import json
import os
import resource
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

from hil_tests.fixtures.bridge_process import CHECKOUT
from hil_tests.fixtures.children import die_with_parent
from hil_tests.fixtures.cloud_fixture import API_TOKEN
from hil_tests.fixtures.ports import free_ports

WITHIN_S = 60.0


class BridgeWithLimits:
    """The constructor starts it; `close` ends it. `files` are its soft and hard limits. `tls` adds a TLS listener."""

    def __init__(
        self,
        folder: Path,
        host: str,
        files: tuple[int, int] | None = None,
        environment: dict[str, str] | None = None,
        tls: bool = False,
    ) -> None:
        self.http_port, self.mqtt_port, self.mqtts_port = free_ports(3)
        self.log = folder / "log"
        self._environment = os.environ | {
            "CHARGEKEEPER_DATA": str(folder / "data"),
            "CHARGEKEEPER_HOST": host,
            "CHARGEKEEPER_HTTP_PORT": str(self.http_port),
            "CHARGEKEEPER_MQTT_PORT": str(self.mqtt_port),
            "CHARGEKEEPER_MQTTS_PORT": str(self.mqtts_port),
            "CHARGEKEEPER_MQTT_PLAIN": "anywhere",
            "CHARGEKEEPER_API_TOKEN": API_TOKEN,
            **(environment or {}),
        }
        if tls:
            self.command("tls", "make", "--folder", str(folder / "tls"))
            self._environment |= {
                "CHARGEKEEPER_TLS_CERT": str(folder / "tls" / "server.pem"),
                "CHARGEKEEPER_TLS_KEY": str(folder / "tls" / "server.key"),
            }

        def prepare() -> None:
            die_with_parent()
            if files is not None:
                resource.setrlimit(resource.RLIMIT_NOFILE, files)

        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "cloud_bridge"],
                cwd=CHECKOUT,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                preexec_fn=prepare,
            )
        give_up_s = time.monotonic() + WITHIN_S
        while "broker mqtt://" not in self.said():
            assert self.process.poll() is None and time.monotonic() < give_up_s, self.said()
            time.sleep(0.1)

    def said(self) -> str:
        return self.log.read_text()

    def command(self, *words: str) -> Any:
        """Run `python -m cloud_bridge WORDS --json`."""
        done = subprocess.run(
            [sys.executable, "-m", "cloud_bridge", *words, "--json"],
            cwd=CHECKOUT,
            env=self._environment,
            capture_output=True,
            text=True,
            check=True,
            timeout=WITHIN_S,
        )
        return json.loads(done.stdout)

    def health(self, within_s: float = WITHIN_S) -> dict[str, Any]:
        """Return /healthz. Raises OSError if it does not answer in time."""
        url, headers = f"http://127.0.0.1:{self.http_port}/healthz", {"Authorization": f"Bearer {API_TOKEN}"}
        with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=within_s) as answer:
            told: dict[str, Any] = json.load(answer)
        return told

    def files(self) -> int:
        """Return the number of its open files."""
        return len(list(Path(f"/proc/{self.process.pid}/fd").iterdir()))

    def close(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(WITHIN_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
