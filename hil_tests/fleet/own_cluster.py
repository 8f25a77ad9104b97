"""A new cluster for a fleet: three nodes, a PostgreSQL server and two processes of each role, each of which can be killed.

PostgreSQL records commit times, which give the delay from the receipt of a message to the commit of its row.
"""

import asyncio
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psycopg

from hil_tests.bench.cloud.load import cpu_s, family_cpu_s, memory_mb
from hil_tests.bench.scale.filling import Tables
from hil_tests.cluster.layout import NODES, OF_EACH_ROLE, ROLES, Layout
from hil_tests.cluster.layout import Worker as Process
from hil_tests.cluster.processes import POSTGRESQL, Processes
from hil_tests.fixtures.bridge_process import CHECKOUT, BridgeFailed, BridgeProcess
from hil_tests.fixtures.cloud_fixture import UnitSecret
from hil_tests.fixtures.nats_cluster import NodePorts
from hil_tests.fixtures.ports import free_ports
from hil_tests.fleet.clouds import LOG_TAIL, LOOPBACK, Doors, Usage
from hil_tests.fleet.link import Door
from hil_tests.fleet.scenarios import Do, Step
from hil_tests.fleet.timeline import Quantiles
from hil_tests.fleet.verdict import Terms

ADD_WITHIN_S = 600.0
END_WITHIN_S = 60.0
SILENT_AFTER_MS = 180_000  # the shortest limit an owner can set, so that silences occur in a run
VICTIMS = {Do.KILL_NODE: "n1", Do.KILL_WORKER: "ingest-1"}
_ROW_AFTER_MS = (
    "SELECT percentile_cont(ARRAY[0.5, 0.99, 1.0]) WITHIN GROUP (ORDER BY "
    "extract(epoch FROM pg_xact_commit_timestamp(xmin)) * 1000 - received_ms) FROM power WHERE received_ms >= {since_ms}"
)


class OwnCluster:
    """A cluster in its own folder; `close` ends it. The store has `known` more units than those that connect."""

    is_outside = True  # a node acknowledges a message before it is stored
    terms = Terms()  # and stamps it before the acknowledgement

    def __init__(self, folder: Path, known: int) -> None:
        self._folder, self._known = folder, known
        ports = iter(free_ports(len(ROLES) * OF_EACH_ROLE + 1 + NODES * len(NodePorts._fields)))
        workers = [Process(role, number, next(ports)) for role in ROLES for number in range(1, OF_EACH_ROLE + 1)]
        self.web_ports = [one.port for one in workers if one.role == "web"]
        postgresql_port = next(ports)
        nodes = [NodePorts(*(next(ports) for _ in NodePorts._fields)) for _ in range(NODES)]
        self._processes = Processes(folder, Layout(workers, nodes, postgresql_port), "fleet")
        self._starter = ThreadPoolExecutor(
            1
        )  # starts processes, which end with the thread that started them (fixtures/children.py)
        self.database = ""
        self._cpu_before_s: dict[str, float] = {}

    def start(self, names: list[str]) -> list[UnitSecret]:
        """Add the units and start everything. Return the units with their secrets."""
        self.database = self._processes.start_database()
        self._note_commits()
        self._processes.start_nodes()
        ours = {
            "CHARGEKEEPER_DATA": str(self._folder / "data"),
            "CHARGEKEEPER_DATABASE": self.database,
            "CHARGEKEEPER_NATS": str(self._processes.nats_file),
        }
        self._processes.environment = os.environ | ours
        made = self._add(names)
        Tables(self.database).add_units(self._known)
        self._say(f"UPDATE units SET silent_after_ms = {SILENT_AFTER_MS}")
        self._processes.start_workers(lambda _what: None)
        self._cpu_before_s = self._cpu_s()
        return made

    @property
    def doors(self) -> Doors:
        """One door at each node."""
        return Doors([Door(LOOPBACK, port) for port in self._processes.doors.values()], [], None)

    def commands(self, *several: Sequence[str]) -> list[dict[str, Any]]:
        """Run the operator's command line for each, in one process. Raises BridgeFailed."""
        process = BridgeProcess(0, 0, self._folder, self._processes.environment, tls=False)
        answers = asyncio.run(process.commands(*several))
        for answer in answers:
            if isinstance(answer, BridgeFailed):
                raise answer
        return [answer for answer in answers if not isinstance(answer, BridgeFailed)]

    def kill(self, step: Step) -> None:
        """Kill a process with SIGKILL, and start it again at the end of the step."""
        name = VICTIMS[step.do]
        used_s = self._cpu_s()[name] - self._cpu_before_s[name]
        os.kill(self._processes.pids()[name], signal.SIGKILL)
        time.sleep(step.for_s)
        self._starter.submit(self._processes.restart).result()
        self._cpu_before_s[name] = -used_s

    def usage(self) -> list[Usage]:
        """Return the usage of each process since the start, including killed predecessors."""
        pids = self._processes.pids()
        return [
            Usage(name, used_s - self._cpu_before_s[name], memory_mb(pids[name]))
            for name, used_s in self._cpu_s().items()
        ]

    def row_after_ms(self, since_ms: int) -> Quantiles:
        """Return the delay from the receipt of a heartbeat at a node to the commit of its row."""
        ((found,),) = self._say(_ROW_AFTER_MS.format(since_ms=since_ms))
        return Quantiles(*(float(each) for each in found or (0, 0, 0)))

    def counted(self) -> dict[str, int]:
        """Return {}: each process has its own counters."""
        return {}

    def log_tail(self) -> str:
        """Return the end of each log, to investigate a failure."""
        files = [*self._folder.glob("*.log"), *self._folder.glob("nats/*.log")]
        return "\n".join(file.read_text("utf-8", "replace")[-LOG_TAIL:] for file in files)

    def close(self) -> None:
        """End all processes."""
        self._processes.stop()
        self._starter.shutdown()

    def _cpu_s(self) -> dict[str, float]:
        return {
            name: family_cpu_s(pid) if name == POSTGRESQL else cpu_s(pid)
            for name, pid in self._processes.pids().items()
        }

    def _note_commits(self) -> None:
        self._say("ALTER SYSTEM SET track_commit_timestamp = on")
        os.kill(self._processes.pids()[POSTGRESQL], signal.SIGINT)
        give_up_s = time.monotonic() + END_WITHIN_S
        while POSTGRESQL in self._processes.pids():
            assert time.monotonic() < give_up_s, "PostgreSQL does not end"
            time.sleep(0.05)
        self._processes.restart()

    def _say(self, statement: str) -> list[Any]:
        with psycopg.connect(self.database, autocommit=True) as connection:
            cursor = connection.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []

    def _add(self, names: list[str]) -> list[UnitSecret]:
        with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
            file.write("\n".join(names))
            file.flush()
            words = [sys.executable, "-m", "cloud_bridge", "unit", "add", "--file", file.name, "--json"]
            made = subprocess.run(
                words,
                cwd=CHECKOUT,
                env=self._processes.environment,
                capture_output=True,
                text=True,
                check=True,
                timeout=ADD_WITHIN_S,
            )
        return [(one["id"], one["secret"]) for one in json.loads(made.stdout)]
