"""The processes of a cluster on this machine: started in their order, seen to end, started again when somebody asks."""

import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from contextlib import suppress
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
    """A process ended at once, or never became ready; the text says where its log is."""


class Ended(NamedTuple):
    """A process that ended by itself, or by somebody else's hand."""

    name: str
    pid: int
    code: int  # below 0: the signal


class Processes:
    """PostgreSQL, nodes and workers, by name. `environment` is that of every worker."""

    def __init__(self, folder: Path, layout: Layout, secret: str) -> None:
        self.folder = folder
        self._layout = layout
        self._secret = secret
        self._nats = NatsCluster(folder / "nats", len(layout.nodes), layout.nodes)
        self._database: Server | None = None
        self._workers: dict[str, subprocess.Popen[bytes]] = {}
        self._told: set[int] = set()  # pids whose end was told
        self.environment: Mapping[str, str] = {}

    @property
    def nats_file(self) -> Path:
        """For CHARGEKEEPER_NATS."""
        return self._nats.file

    @property
    def doors(self) -> dict[str, int]:
        """For units: the MQTT port of each node."""
        return self._nats.mqtt_ports

    @property
    def web_port(self) -> int:
        """Of the first process with pages."""
        return next(worker.port for worker in self._layout.workers if worker.role == "web")

    def start_database(self) -> str:
        """Its URL, which has its password."""
        self._database = Server(self.folder / POSTGRESQL, self._layout.postgresql_port, self._secret)
        return self._database.url

    def start_nodes(self) -> None:
        self._nats.start()

    def start_workers(self, progress: Callable[[str], None]) -> None:
        """All at once. Raises StartFailed."""
        for worker in self._layout.workers:
            self._spawn(worker)
        for worker in self._layout.workers:
            self._wait_for(worker)
            progress(f"{worker.name} is ready")

    def pids(self) -> dict[str, int]:
        """Of what runs."""
        return {name: process.pid for name, process in self._all().items() if process.poll() is None}

    def ended(self) -> list[Ended]:
        """Since the last time."""
        ended = []
        for name, process in self._all().items():
            code = process.poll()
            if code is not None and process.pid not in self._told:
                self._told.add(process.pid)
                ended.append(Ended(name, process.pid, code))
        return ended

    def restart(self) -> list[str]:
        """Start what has ended; returns its names. Raises StartFailed."""
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
        """Workers first, so that each ends in order."""
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
                start_new_session=True,  # Ctrl-C is for us alone; we stop our children ourselves
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
    except (urllib.error.URLError, OSError):
        return False
