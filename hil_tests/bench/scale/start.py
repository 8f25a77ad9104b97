"""How long each role takes to start with a million charge points in the store, and how much memory it has half a minute later,
beside the same with a thousand.
"""

import os
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

from hil_tests.bench.cloud.load import cpu_s, memory_mb
from hil_tests.bench.scale.fill import fill
from hil_tests.fixtures.auth_cluster import AuthCluster, UnitSecret
from hil_tests.fixtures.bridge_process import CHECKOUT
from hil_tests.fixtures.children import die_with_parent
from hil_tests.fixtures.ports import free_ports
from hil_tests.fixtures.postgresql import Server

FEW = 1000
ROLES = ("auth", "web", "ingest", "upkeep")  # the first lets the canaries of the others in
START_WITHIN_S, MEMORY_MB = 5.0, 200.0
SETTLED_S = 30.0  # then the memory is read
GIVE_UP_S = 300.0
END_WITHIN_S = 30.0
LOOK_EVERY_S = 0.02
UNIT = "cp-of-this-bench"
LOG_TAIL = 2000  # characters


class Started(NamedTuple):
    """Of one process."""

    healthy_s: float  # until /healthz answered 200
    login_s: float | None  # until it let a unit in; None: it lets nobody in
    memory_mb: float
    cpu_s: float  # in all until the memory was read


class _Process:
    """One of the bridge's, begun at once."""

    def __init__(self, role: str, folder: Path, environment: Mapping[str, str], stack: ExitStack) -> None:
        self._log = folder / f"{role}.log"
        self._port = free_ports(1)[0]
        self._began_s = time.monotonic()
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "cloud_bridge", role],
                cwd=CHECKOUT,
                env={**environment, "CHARGEKEEPER_HTTP_PORT": str(self._port)},
                stdout=log,
                stderr=log,
                preexec_fn=die_with_parent,
            )
        stack.callback(self._end)

    def until(self, condition: Callable[[], bool]) -> float:
        """Seconds since the beginning."""
        while not condition():
            took_s = time.monotonic() - self._began_s
            assert took_s < GIVE_UP_S and self._process.poll() is None, self._log.read_text("utf-8")[-LOG_TAIL:]
            time.sleep(LOOK_EVERY_S)
        return time.monotonic() - self._began_s

    def is_healthy(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self._port}/healthz", timeout=GIVE_UP_S) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False

    def settled(self, healthy_s: float, login_s: float | None) -> Started:
        """SETTLED_S after its start, or later."""
        time.sleep(max(0.0, self._began_s + healthy_s + SETTLED_S - time.monotonic()))
        return Started(healthy_s, login_s, memory_mb(self._process.pid), cpu_s(self._process.pid))

    def _end(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(END_WITHIN_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def start(units: int) -> bool:
    """Prints each role and judges it."""
    measured = {count: _cluster(count) | _embedded(count) for count in (units, FEW)}
    many, few = measured[units], measured[FEW]
    print(f"{units:,} units beside {FEW:,}; limits {START_WITHIN_S:.0f} s and {MEMORY_MB:.0f} MB")
    held = True
    for name, seen in many.items():
        beside = few[name]
        starts = [seen.healthy_s, *([] if seen.login_s is None else [seen.login_s])]
        is_held = max(starts) <= START_WITHIN_S and seen.memory_mb <= MEMORY_MB
        held = held and is_held
        first = "" if seen.login_s is None else f", first login {seen.login_s:.1f} s beside {beside.login_s or 0:.1f} s"
        print(
            f"  {name:24} start {seen.healthy_s:5.1f} s beside {beside.healthy_s:4.1f} s{first}; "
            f"memory {seen.memory_mb:4.0f} MB beside {beside.memory_mb:4.0f} MB; "
            f"processor {seen.cpu_s:5.1f} s beside {beside.cpu_s:4.1f} s{'' if is_held else '  not held'}"
        )
    return held


def _cluster(units: int) -> dict[str, Started]:
    """The roles of a cluster, begun one after the other; and all of them in one process."""
    with tempfile.TemporaryDirectory(prefix="chargekeeper-start-") as name, ExitStack() as stack:
        cluster = AuthCluster(Path(name))
        stack.callback(cluster.stop)
        (unit,) = cluster.add_units([UNIT])
        fill(cluster.environment["CHARGEKEEPER_DATABASE"], units)
        cluster.start("first")  # makes the streams, which takes seconds once
        cluster.kill_auth("first")

        def is_let_in() -> bool:
            return _is_let_in(cluster, unit)

        began = {}
        for role in (*ROLES, "all"):
            process = _Process(role, cluster.folder, cluster.environment, stack)
            healthy_s = process.until(process.is_healthy)
            began[role] = process, healthy_s, process.until(is_let_in) if role == "auth" else None
        return {
            f"{role}, cluster": process.settled(healthy_s, login_s)
            for role, (process, healthy_s, login_s) in began.items()
        }


def _is_let_in(cluster: AuthCluster, unit: UnitSecret) -> bool:
    try:
        cluster.connect(unit).close()
    except OSError:
        return False
    return True


def _embedded(units: int) -> dict[str, Started]:
    """Everything in one process, with the broker inside."""
    found = {}
    for database in ("sqlite", "postgresql"):
        with tempfile.TemporaryDirectory(prefix="chargekeeper-start-") as name, ExitStack() as stack:
            folder = Path(name)
            environment = {**os.environ, "CHARGEKEEPER_DATA": name, "CHARGEKEEPER_MQTT_PORT": "0"}
            where: Path | str = folder / "chargekeeper.db"
            if database == "postgresql":
                server = Server()
                stack.callback(server.close)
                environment["CHARGEKEEPER_DATABASE"] = where = f"{server.url}/postgres"
            add = [sys.executable, "-m", "cloud_bridge", "unit", "add", UNIT]  # makes the tables
            subprocess.run(add, cwd=CHECKOUT, env=environment, capture_output=True, check=True, timeout=GIVE_UP_S)
            fill(where, units)
            process = _Process("all", folder, environment, stack)
            found[f"all, {database}"] = process.settled(process.until(process.is_healthy), None)
    return found
