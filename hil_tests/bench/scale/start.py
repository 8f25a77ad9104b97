"""The start time of each role with a million charge points in the store, and its memory half a minute later.

Beside it the same with a thousand. A start is printed as wall time, and as the time with a processor free at once,
which is judged.
"""

import os
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

from hil_tests.bench.cloud.load import cpu_s, memory_mb
from hil_tests.bench.scale.fill import fill
from hil_tests.bench.scale.role_process import RoleProcess, Since
from hil_tests.fixtures.auth_cluster import AuthCluster, UnitSecret
from hil_tests.fixtures.bridge_process import CHECKOUT
from hil_tests.fixtures.postgresql import Server

FEW = 1000
ROLES = ("auth", "web", "ingest", "upkeep")  # auth first: it accepts the logins of the others' canaries
START_WITHIN_S, MEMORY_MB = 5.0, 200.0
SETTLED_S = 30.0  # then the memory is read
WITHIN_S = 300.0
UNIT = "cp-of-this-bench"


class Started(NamedTuple):
    """The results of one process."""

    healthy: Since  # /healthz answered 200
    login: Since | None  # first login of a unit; None for a role without logins
    memory_mb: float
    cpu_s: float  # total until the memory was read


def start(units: int) -> bool:
    """Measure and print each role. Return True if the limits hold."""
    measured = {count: _cluster(count) | _embedded(count) for count in (units, FEW)}
    many, few = measured[units], measured[FEW]
    print(f"{units:,} units beside {FEW:,}; limits {START_WITHIN_S:.0f} s and {MEMORY_MB:.0f} MB")
    held = True
    for name, seen in many.items():
        beside = few[name]
        is_held = (seen.login or seen.healthy).own <= START_WITHIN_S and seen.memory_mb <= MEMORY_MB
        held = held and is_held
        login = "" if seen.login is None else f"; first login {seen.login.own:.1f} s, on the wall {seen.login.wall:.1f}"
        print(
            f"  {name:16} start {seen.healthy.own:4.1f} s beside {beside.healthy.own:4.1f}, on the wall "
            f"{seen.healthy.wall:4.1f} beside {beside.healthy.wall:4.1f}{login}; "
            f"memory {seen.memory_mb:4.0f} MB beside {beside.memory_mb:4.0f}; "
            f"processor {seen.cpu_s:5.1f} s beside {beside.cpu_s:4.1f}{'' if is_held else '  not held'}"
        )
    return held


def _cluster(units: int) -> dict[str, Started]:
    """Measure the roles of a cluster, started one after the other, and all of them in one process."""
    with tempfile.TemporaryDirectory(prefix="chargekeeper-start-") as name, ExitStack() as stack:
        cluster = AuthCluster(Path(name))
        stack.callback(cluster.stop)
        (unit,) = cluster.add_units([UNIT])
        fill(cluster.environment["CHARGEKEEPER_DATABASE"], units)
        cluster.start("first")  # creates the streams, which takes seconds the first time
        cluster.kill_auth("first")

        def is_let_in() -> bool:
            return _is_let_in(cluster, unit)

        began = {}
        for role in (*ROLES, "all"):
            process = RoleProcess(role, cluster.folder, cluster.environment, stack)
            healthy = process.until(process.is_healthy)
            began[role] = process, healthy, process.until(is_let_in) if role == "auth" else None
        return {
            f"{role}, cluster": _settled(process, healthy, login) for role, (process, healthy, login) in began.items()
        }


def _is_let_in(cluster: AuthCluster, unit: UnitSecret) -> bool:
    try:
        cluster.connect(unit).close()
    except OSError:
        return False
    return True


def _embedded(units: int) -> dict[str, Started]:
    """Measure everything in one process, with the embedded broker."""
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
            add = [sys.executable, "-m", "cloud_bridge", "unit", "add", UNIT]  # creates the tables
            subprocess.run(add, cwd=CHECKOUT, env=environment, capture_output=True, check=True, timeout=WITHIN_S)
            fill(where, units)
            process = RoleProcess("all", folder, environment, stack)
            found[f"all, {database}"] = _settled(process, process.until(process.is_healthy), None)
    return found


def _settled(process: RoleProcess, healthy: Since, login: Since | None) -> Started:
    """Read the memory SETTLED_S after the start, or later."""
    time.sleep(max(0.0, process.began_s + healthy.wall + SETTLED_S - time.monotonic()))
    return Started(healthy, login, memory_mb(process.pid), cpu_s(process.pid))
