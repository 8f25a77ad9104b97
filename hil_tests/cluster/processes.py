"""The processes of a cluster on this machine: started in order, monitored, and started again on request."""

import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from contextlib import suppress
from http.client import HTTPException
from pathlib import Path
from typing import NamedTuple

from hil_tests.cluster.layout import Layout, Worker
from hil_tests.fixtures.bridge_process import CHECKOUT
from hil_tests.fixtures.children import die_with_parent
from hil_tests.fixtures.nats_cluster import NatsCluster
from hil_tests.fixtures.postgresql import Server

READY_WITHIN_S = 120.0
STOP_WITHIN_S = 30.0
POSTGRESQL = "postgresql"


class StartFailed(Exception):
    """A process ended at once or did not become ready. The text names its log."""


class Ended(NamedTuple):
    """A process that ended without `stop`."""

    name: str
    pid: int
    code: int  # below 0: the signal


class Processes:
    """PostgreSQL, nodes and workers, by name. `environment` is for all workers."""

    def __init__(self, folder: Path, layout: Layout, secret: str) -> None:
        self.folder = folder
        self._layout = layout
        self._secret = secret
        self._nats = NatsCluster(folder / "nats", len(layout.nodes), layout.nodes)
        self._database: Server | None = None
        self._workers: dict[str, subprocess.Popen[bytes]] = {}
        self._told: set[int] = set()  # pids of ended processes that were reported
        self.environment: Mapping[str, str] = {}

    @property
    def nats_file(self) -> Path:
        """The file for CHARGEKEEPER_NATS."""
        return self._nats.file

    @property
    def doors(self) -> dict[str, int]:
        """The MQTT port of each node, for units."""
        return self._nats.mqtt_ports

    @property
    def web_port(self) -> int:
        """The port of the first web process."""
        return next(worker.port for worker in self._layout.workers if worker.role == "web")

    def start_database(self) -> str:
        """Start PostgreSQL. Return its URL, which contains the password."""
        self._database = Server(self.folder / POSTGRESQL, self._layout.postgresql_port, self._secret)
        return self._database.url

    def start_nodes(self) -> None:
        self._nats.start()

    def start_workers(self, progress: Callable[[str], None]) -> None:
        """Start all workers concurrently. Raises StartFailed."""
        for worker in self._layout.workers:
            self._spawn(worker)
        for worker in self._layout.workers:
            self._wait_for(worker)
            progress(f"{worker.name} is ready")

    def pids(self) -> dict[str, int]:
        """Return the pids of the running processes, by name."""
        return {name: process.pid for name, process in self._all().items() if process.poll() is None}

    def ended(self) -> list[Ended]:
        """Return the processes that ended since the last call."""
        ended = []
        for name, process in self._all().items():
            code = process.poll()
            if code is not None and process.pid not in self._told:
                self._told.add(process.pid)
                ended.append(Ended(name, process.pid, code))
        return ended

    def restart(self) -> list[str]:
        """Start the processes that have ended; return their names. Raises StartFailed."""
        gone = [name for name, process in self._all().items() if process.poll() is not None]
        for name in gone:
            if name == POSTGRESQL and self._database is not None:
                self._database.start()
            elif name in self._nats.names:
                self._nats.start_node(name)
        for worker in self._layout.workers:
            if worker.name in gone:
                self._spawn(worker)
                self._wait_for(worker)
        return gone

    def stop(self) -> None:
        """Stop everything; workers first, so that they can still write."""
        for process in self._workers.values():
            with suppress(ProcessLookupError):
                process.terminate()
        for process in self._workers.values():
            try:
                process.wait(STOP_WITHIN_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(STOP_WITHIN_S)
        self._nats.stop()
        if self._database is not None and self._database.process.poll() is None:
            self._database.close()

    def _all(self) -> dict[str, subprocess.Popen[bytes]]:
        database = {} if self._database is None else {POSTGRESQL: self._database.process}
        return database | self._nats.processes | self._workers

    def _spawn(self, worker: Worker) -> None:
        with self._log(worker).open("ab") as log:
            self._workers[worker.name] = subprocess.Popen(
                [sys.executable, "-m", "cloud_bridge", worker.role],
                cwd=CHECKOUT,
                env={**self.environment, "CHARGEKEEPER_HTTP_PORT": str(worker.port)},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C reaches the parent alone, which stops its children
                preexec_fn=die_with_parent,
            )

    def _wait_for(self, worker: Worker) -> None:
        give_up_s = time.monotonic() + READY_WITHIN_S
        while not _is_ready(worker.port):
            code = self._workers[worker.name].poll()
            if code is not None:
                raise StartFailed(f"{worker.name} ended with {code}: {self._last_line(worker)}")
            if time.monotonic() > give_up_s:
                raise StartFailed(f"{worker.name} is not ready after {READY_WITHIN_S:g} s: see {self._log(worker)}")
            time.sleep(0.1)

    def _log(self, worker: Worker) -> Path:
        return self.folder / f"{worker.name}.log"

    def _last_line(self, worker: Worker) -> str:
        lines = self._log(worker).read_text("utf-8", "replace").splitlines()
        return next((line for line in reversed(lines) if line.strip()), "(no output)")


def _is_ready(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=2) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError, HTTPException):  # the last is from a server of another program on that port
        return False
