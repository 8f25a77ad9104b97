"""The cost of a message on a cluster and on other systems under the same load, one after another in one run.

200 units on raw sockets publish heartbeats with QoS 1. They are not subscribed to their commands, whose cost for a node
does not depend on what is published (`nodes`).

    gates        two bridge processes, each with its own broker, on one PostgreSQL
    nats         three nodes, a worker and a process that answers logins, on one PostgreSQL
    mosquitto    and a paho subscriber that only acknowledges, and stores nothing
    ocpp         the central system of PyPI's ocpp, which answers Heartbeat over a WebSocket, and stores nothing
"""

import os
import subprocess
import sys
import tempfile
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import NamedTuple

from hil_tests.bench.cloud.load import Fleet, cpu_s
from hil_tests.bench.scale.intake import open_mosquitto
from hil_tests.bench.scale.ocpp_load import OcppFleet
from hil_tests.bench.scale.processor import server_s
from hil_tests.fixtures.auth_cluster import AuthCluster, UnitSecret, add_units_to
from hil_tests.fixtures.bridge_process import CHECKOUT
from hil_tests.fixtures.children import die_with_parent
from hil_tests.fixtures.cloud_fixture import MOSQUITTO, CloudFixture
from hil_tests.fixtures.ports import free_ports
from hil_tests.fixtures.postgresql import BINARIES, Server

UNITS = 200
WINDOWS = (1, 10)  # unacknowledged messages per unit
GATES = 2
WARM_UP_S, PRESSED_S = 2.0, 10.0
WITHIN_S = 120.0
RATIO = 2.5  # of NATS to the gates, at most
_WORDS = [sys.executable, "-m", "hil_tests.bench.cloud.peers"]
Used = dict[str, float]  # processor time in seconds, by process group
BROKERS, OURS, POSTGRESQL = "brokers", "processes", "PostgreSQL"


class Cell(NamedTuple):
    """A system under load. `press(window, seconds)` returns how many messages were acknowledged."""

    press: Callable[[int, float], int]
    used: Callable[[], Used]
    stored: Callable[[], int]  # messages stored so far; for a system without a store, messages sent


class Cost(NamedTuple):
    """Microseconds of processor time per message, by process group."""

    messages_per_s: float
    us: dict[str, float]

    @property
    def sum_us(self) -> float:
        return sum(self.us.values())


def peers() -> bool:
    """Measure and print all. Return True if NATS costs at most RATIO times the gates."""
    if MOSQUITTO is None or not BINARIES:
        print("skipped: mosquitto and PostgreSQL have to be installed")
        return True
    cells = {"gates": _gates, "nats": _nats, "mosquitto": _mosquitto, "ocpp": _ocpp}
    costs = {name: _costs(cell) for name, cell in cells.items()}
    print(f"{UNITS} units, us of processor a message; load of the machine {os.getloadavg()[0]:.1f}")
    ratios = []
    for window in WINDOWS:
        ratios.append(costs["nats"][window].sum_us / costs["gates"][window].sum_us)
        for name in cells:
            one = costs[name][window]
            parts = ", ".join(f"{who} {us:,.0f}" for who, us in one.us.items())
            print(
                f"  window {window:2}  {name:9} {one.sum_us:6,.0f} us ({parts}); {one.messages_per_s:,.0f} messages/s"
            )
        print(f"  window {window:2}  nats is {ratios[-1]:.2f} of the gates, at most {RATIO} wanted")
    return max(ratios) <= RATIO


def _costs(cell: Callable[[Path], AbstractContextManager[Cell]]) -> dict[int, Cost]:
    with tempfile.TemporaryDirectory() as folder, cell(Path(folder)) as one:
        return {window: _cost(one, window) for window in WINDOWS}


def _cost(cell: Cell, window: int) -> Cost:
    before = cell.stored()
    _settle(cell, before + cell.press(window, WARM_UP_S))
    used, stored = cell.used(), cell.stored()
    began_s = time.monotonic()
    acknowledged = cell.press(window, PRESSED_S)
    per_s = acknowledged / (time.monotonic() - began_s)
    _settle(cell, stored + acknowledged)
    messages = max(acknowledged, cell.stored() - stored)
    return Cost(per_s, {who: (taken_s - used[who]) / messages * 1e6 for who, taken_s in cell.used().items()})


def _settle(cell: Cell, count: int) -> None:
    """Wait until `count` messages are stored."""
    give_up_s = time.monotonic() + WITHIN_S
    while (stored := cell.stored()) < count:
        assert time.monotonic() < give_up_s, f"{stored} of {count} are stored"
        time.sleep(0.2)


@contextmanager
def _gates(folder: Path) -> Iterator[Cell]:
    """Run the gates, each with its shard of the units."""
    server = Server()
    url = f"{server.url}/postgres"
    gates = [
        CloudFixture(
            folder / str(part), environment={"CHARGEKEEPER_DATABASE": url, "CHARGEKEEPER_PART": f"{part}/{GATES}"}
        )
        for part in range(1, GATES + 1)
    ]
    try:
        for gate in gates:
            gate.folder.mkdir()
            gate.start()
        by_part: list[list[str]] = [[] for _ in gates]
        for number in range(4 * UNITS):
            name = f"cp{number:05d}"
            by_part[zlib.crc32(name.encode()) % GATES].append(name)
        names = [name for pair in zip(*by_part, strict=False) for name in pair][:UNITS]
        fleet = _connected([gate.mqtt_port for gate in gates], add_units_to(url, names))
        yield Cell(
            lambda window, seconds: fleet.press(window, seconds).acknowledged,
            lambda: {OURS: sum(cpu_s(gate.bridge.pid) for gate in gates), POSTGRESQL: server_s(server)},
            lambda: _stored(server),
        )
        fleet.disconnect()
    finally:
        for gate in gates:
            gate.stop()
        server.close()


@contextmanager
def _nats(folder: Path) -> Iterator[Cell]:
    cluster = AuthCluster(folder)
    worker: subprocess.Popen[bytes] | None = None
    try:
        cluster.start("auth")
        worker = cluster.start_ingest()
        units = cluster.add_units([f"cp{number:05d}" for number in range(UNITS)])
        fleet = _connected(list(cluster.nats.mqtt_ports.values()), units)
        nodes = [process.pid for process in cluster.nats.processes.values()]
        ours = [worker.pid, *cluster.auth_pids()]
        yield Cell(
            lambda window, seconds: fleet.press(window, seconds).acknowledged,
            lambda: {
                BROKERS: sum(map(cpu_s, nodes)),
                OURS: sum(map(cpu_s, ours)),
                POSTGRESQL: server_s(cluster.postgresql),
            },
            lambda: _stored(cluster.postgresql),
        )
        fleet.disconnect()
    finally:
        if worker is not None:
            worker.kill()
            worker.wait()
        cluster.stop()


@contextmanager
def _mosquitto(folder: Path) -> Iterator[Cell]:
    (port,) = free_ports(1)
    broker = open_mosquitto(port, folder)
    subscriber = None
    sent = 0
    try:
        subscriber = subprocess.Popen(
            [*_WORDS, "paho", "4", str(port), "subscriber", "none"],
            cwd=CHECKOUT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            preexec_fn=die_with_parent,
        )
        assert subscriber.stdout is not None and subscriber.stdout.readline() == "ready\n"
        fleet = _connected([port], [(f"cp{number:05d}", "none") for number in range(UNITS)])

        def press(window: int, seconds: float) -> int:
            nonlocal sent
            acknowledged = fleet.press(window, seconds).acknowledged
            sent += acknowledged
            _until_idle(subscriber.pid)
            return acknowledged

        yield Cell(press, lambda: {BROKERS: cpu_s(broker.pid), OURS: cpu_s(subscriber.pid)}, lambda: sent)
        fleet.disconnect()
    finally:
        if subscriber is not None:
            subscriber.kill()
            subscriber.wait()
        broker.kill()
        broker.wait()


@contextmanager
def _ocpp(_folder: Path) -> Iterator[Cell]:
    process = subprocess.Popen(
        [*_WORDS, "ocpp"], cwd=CHECKOUT, stdout=subprocess.PIPE, text=True, preexec_fn=die_with_parent
    )
    sent = 0
    try:
        assert process.stdout is not None
        with OcppFleet(int(process.stdout.readline()), UNITS) as fleet:

            def press(window: int, seconds: float) -> int:
                nonlocal sent
                acknowledged = fleet.press(window, seconds)
                sent += acknowledged
                return acknowledged

            yield Cell(press, lambda: {OURS: cpu_s(process.pid)}, lambda: sent)
    finally:
        process.kill()
        process.wait()


def _connected(ports: list[int], units: list[UnitSecret]) -> Fleet:
    fleet = Fleet(ports[0], units, *ports[1:])
    fleet.connect()
    return fleet


def _stored(server: Server) -> int:
    return int(server.say("SELECT coalesce(sum(messages), 0) FROM contacts")[0][0])


def _until_idle(pid: int) -> None:
    """Wait until the process is idle: its queued messages are part of its cost."""
    used_s = -1.0
    while (now_s := cpu_s(pid)) != used_s:
        used_s = now_s
        time.sleep(0.5)
