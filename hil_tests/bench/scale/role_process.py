"""A role of the bridge as its own process, with its HTTP port."""

import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

from hil_tests.bench.scale.processor import Scheduled
from hil_tests.fixtures.bridge_process import CHECKOUT
from hil_tests.fixtures.children import die_with_parent
from hil_tests.fixtures.ports import free_ports

GIVE_UP_S = 300.0
END_WITHIN_S = 30.0
LOOK_EVERY_S = 0.02
LOG_TAIL = 2000  # characters


class Since(NamedTuple):
    """Times since the start of a process, in seconds."""

    wall: float
    own: float  # without its waits for a processor


class RoleProcess:
    """A bridge process with one role, started at once."""

    def __init__(self, role: str, folder: Path, environment: Mapping[str, str], stack: ExitStack) -> None:
        self._log = folder / f"{role}.log"
        self.http_port = free_ports(1)[0]
        self.began_s = time.monotonic()
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "cloud_bridge", role],
                cwd=CHECKOUT,
                env={**environment, "CHARGEKEEPER_HTTP_PORT": str(self.http_port)},
                stdout=log,
                stderr=log,
                preexec_fn=die_with_parent,
            )
        stack.callback(self._end)

    @property
    def pid(self) -> int:
        return self._process.pid

    def until(self, condition: Callable[[], bool]) -> Since:
        """Wait for the condition. Return the time since the start."""
        while not condition():
            took_s = time.monotonic() - self.began_s
            assert took_s < GIVE_UP_S and self._process.poll() is None, self._log.read_text("utf-8")[-LOG_TAIL:]
            time.sleep(LOOK_EVERY_S)
        wall_s, spent = time.monotonic() - self.began_s, Scheduled.of([self.pid])
        return Since(wall_s, min(wall_s, max(wall_s - spent.waiting_ms / 1000, spent.running_ms / 1000)))

    def is_healthy(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.http_port}/healthz", timeout=GIVE_UP_S) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False

    def _end(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(END_WITHIN_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
