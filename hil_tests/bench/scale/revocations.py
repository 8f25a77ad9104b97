"""How long is a unit still connected after the commit of its revocation? Three nodes, two auth processes."""

import json
import selectors
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from socket import create_connection, socket

from hil_tests.fixtures.auth_cluster import WITHIN_S, AuthCluster
from hil_tests.fixtures.bridge_process import CHECKOUT
from hil_tests.fixtures.mqtt_unit import connect
from hil_tests.fixtures.nats_cluster import LOOPBACK

COUNT = 30
CUT_WITHIN_S = 2.0
APART_S = 0.7  # between revocations, so that they fall at any phase of the store's polling
REVOKE = (
    "import json,sys,time;from cloud_bridge.store.database import open_database;"
    "from cloud_bridge.store.units import revoke;d=open_database(sys.argv[1]);done={}\n"
    "for name in json.load(sys.stdin):\n"
    "    with d.writing() as connection: revoke(connection, name, time.time_ns() // 1000000)\n"
    "    done[name] = time.monotonic()\n"
    "    time.sleep(float(sys.argv[2]))\n"
    "print(json.dumps(done))"
)


def revocations() -> bool:
    """Measure median and worst time. Return True if all units were cut off in time."""
    with tempfile.TemporaryDirectory() as folder:
        cluster = AuthCluster(Path(folder))
        try:
            cluster.start("auth-1", "auth-2")
            units = cluster.add_units([f"cp{number}" for number in range(COUNT)])
            ports = list(cluster.nats.mqtt_ports.values())
            doors: dict[str, socket] = {}
            for number, (name, secret) in enumerate(units):
                door = doors[name] = create_connection((LOOPBACK, ports[number % len(ports)]), WITHIN_S)
                door.sendall(connect(name, secret))
                door.recv(4)
            words = [sys.executable, "-c", REVOKE, cluster.environment["CHARGEKEEPER_DATABASE"], str(APART_S)]
            process = subprocess.Popen(words, cwd=CHECKOUT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            assert process.stdin is not None
            process.stdin.write(json.dumps(list(doors)))
            process.stdin.close()
            ended = _ends(doors)
            process.wait(WITHIN_S)
            assert process.stdout is not None
            done = json.loads(process.stdout.read())
        finally:
            cluster.stop()
    took_s = sorted(ended[name] - done[name] for name in ended)
    print(
        f"{len(took_s)} of {COUNT} revoked units cut off: middle {took_s[len(took_s) // 2]:.2f} s, worst {took_s[-1]:.2f} s"
    )
    return len(took_s) == COUNT and took_s[-1] <= CUT_WITHIN_S


def _ends(doors: dict[str, socket]) -> dict[str, float]:
    """Return when each connection was ended, on the monotonic clock."""
    ended: dict[str, float] = {}
    give_up_s = time.monotonic() + WITHIN_S
    with selectors.DefaultSelector() as selector:
        for name, door in doors.items():
            selector.register(door, selectors.EVENT_READ, name)
        while len(ended) < len(doors) and time.monotonic() < give_up_s:
            for key, _ in selector.select(1):
                ended[key.data] = time.monotonic()
                selector.unregister(key.fileobj)
                doors[key.data].close()
    return ended
