"""The cost of connected but silent units for the three nodes of a cluster, and the cost of a message and of a login.

Each unit's subscription to its commands is a consumer with a copy on every node. Each copy receives a heartbeat of its
leader once a second: that is the cost of a silent unit.
"""

import os
import socket
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from hil_tests.bench.cloud.load import CONNACK_OK, cpu_s, memory_mb
from hil_tests.fixtures.auth_cluster import WITHIN_S, AuthCluster, UnitSecret
from hil_tests.fixtures.mqtt_unit import packet, publish
from hil_tests.fixtures.nats_cluster import LOOPBACK
from hil_tests.fleet.packets import connect, subscribe

LOOKED_S = 10.0
AT_ONCE = 100  # logins and subscriptions in progress
MESSAGES_A_S = 50
KEEPALIVE_S = 1200
SUBACK_OK = b"\x90\x03\0\x01\x01"
HEARTBEAT = b'{"n":%d,"b":4,"t":%d,"s":"C2","m":"smart","q":17,"o":"23415","a":32,"w":7360,"e":124180,"f":[],"x":24}'


class Taken(NamedTuple):
    """Processor time so far, in seconds."""

    nodes: float  # all three
    auth: float

    def since(self, before: "Taken") -> "Taken":
        return Taken(self.nodes - before.nodes, self.auth - before.auth)


def nodes(units: str) -> bool:
    """Measure the ascending numbers of units in `units`, separated by commas. There is no limit, so return True."""
    steps = [int(count) for count in units.split(",")]
    with tempfile.TemporaryDirectory() as folder:
        cluster = AuthCluster(Path(folder))
        worker, sockets = None, list[socket.socket]()
        try:
            cluster.start("auth")
            worker = cluster.start_ingest()
            secrets = cluster.add_units([f"cp{number:05d}" for number in range(steps[-1])])
            _tell(cluster, 0, _idle(cluster))
            for upto in steps:
                before = _taken(cluster)
                logged_in = upto - len(sockets)
                _connect(cluster, secrets[:upto], sockets)
                used = _taken(cluster).since(before)
                idle = _idle(cluster)
                _tell(cluster, upto, idle)
                login_us, auth_us = used.nodes / logged_in * 1e6, used.auth / logged_in * 1e6
                print(f"    a login with its subscription: nodes {login_us:,.0f} us, auth {auth_us:,.0f} us")
                print(f"    a message: nodes {_message_us(cluster, secrets, sockets, idle):,.0f} us", flush=True)
        finally:
            for one in sockets:
                one.close()
            if worker is not None:
                worker.kill()
                worker.wait()
            cluster.stop()
    return True


def _taken(cluster: AuthCluster) -> Taken:
    return Taken(
        sum(cpu_s(process.pid) for process in cluster.nats.processes.values()), sum(map(cpu_s, cluster.auth_pids()))
    )


def _idle(cluster: AuthCluster) -> float:
    """Return what all nodes use together, in processors."""
    before, began_s = _taken(cluster), time.monotonic()
    time.sleep(LOOKED_S)
    return _taken(cluster).since(before).nodes / (time.monotonic() - began_s)


def _tell(cluster: AuthCluster, units: int, idle: float) -> None:
    pids = [process.pid for process in cluster.nats.processes.values()]
    files = max(len(list(Path(f"/proc/{pid}/fd").iterdir())) for pid in pids)
    memory = max(map(memory_mb, pids))
    each = f", {idle / units * 1e6:.0f} us a unit and second" if units else ""
    print(
        f"{units:6,} units: a node has {memory:.0f} MB and {files:,} open files; the three take {idle:.1%} of a processor"
        f"{each}; load of the machine {os.getloadavg()[0]:.1f}",
        flush=True,
    )


def _connect(cluster: AuthCluster, units: list[UnitSecret], sockets: list[socket.socket]) -> None:
    """Connect units that have no socket yet. Raises ConnectionRefusedError."""
    ports = list(cluster.nats.mqtt_ports.values())
    while len(sockets) < len(units):
        at = len(sockets)
        some = units[at : at + AT_ONCE]
        for number, (name, secret) in enumerate(some, at):
            one = socket.create_connection((LOOPBACK, ports[number % len(ports)]), WITHIN_S)
            sockets.append(one)
            one.sendall(connect(name, secret, KEEPALIVE_S))
        _expect(sockets[at:], CONNACK_OK)
        for (name, _), one in zip(some, sockets[at:], strict=True):
            one.sendall(subscribe(name, 1))
        _expect(sockets[at:], SUBACK_OK)


def _expect(sockets: list[socket.socket], wanted: bytes) -> None:
    for one in sockets:
        if (answer := one.recv(len(wanted))) != wanted:
            raise ConnectionRefusedError(answer.hex())


def _message_us(cluster: AuthCluster, units: list[UnitSecret], sockets: list[socket.socket], idle: float) -> float:
    """Return the nodes' time per message, beyond what a silent fleet costs."""
    before, began_s, count = _taken(cluster), time.monotonic(), 0
    while (due_s := began_s + count / MESSAGES_A_S) - began_s < LOOKED_S:
        time.sleep(max(0.0, due_s - time.monotonic()))
        at = count % len(sockets)
        sockets[at].sendall(publish(f"cp/{units[at][0]}/heartbeat", HEARTBEAT % (count, int(time.time())), 2))
        _expect([sockets[at]], packet(0x40, b"\0\2"))
        count += 1
    used = _taken(cluster).since(before).nodes - idle * (time.monotonic() - began_s)
    return used / count * 1e6
