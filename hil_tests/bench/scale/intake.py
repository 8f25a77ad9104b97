"""The cost of a message on PostgreSQL for small and large fleets: CPU of the bridge and of the database, over mosquitto."""

import random
import socket
import subprocess
import tempfile
import time
from pathlib import Path

from hil_tests.bench.cloud.load import cpu_s, family_cpu_s
from hil_tests.bench.scale.filling import Tables, name_of
from hil_tests.fixtures.children import die_with_parent
from hil_tests.fixtures.cloud_fixture import MOSQUITTO, CloudFixture
from hil_tests.fixtures.mqtt_unit import CONNACK_OK, connect, publish
from hil_tests.fixtures.ports import free_ports
from hil_tests.fixtures.postgresql import BINARIES, Server

SENDERS, WINDOW = 10, 50  # connections, and unacknowledged messages of each: batches of some hundreds
WARM_UP, MESSAGES = 6_000, 30_000
RATIO = 1.2
WITHIN_S = 300.0
HEARTBEAT = (
    b'{"n":%d,"b":4,"t":1767229200,"s":"C2","m":"smart","q":17,"o":"23415","a":32,"w":7360,"e":124180,"f":[],"x":24}'
)


def intake(units: str) -> bool:
    """Measure each number of units in `units`, separated by commas, and compare with the first. Return True if the
    ratio holds."""
    if MOSQUITTO is None or not BINARIES:
        print("skipped: mosquitto and PostgreSQL have to be installed")
        return True
    costs = [_cost_us(int(count)) for count in units.split(",")]
    ratio = max(sum(cost) for cost in costs) / sum(costs[0])
    print(f"the dearest is {ratio:.2f} of the first, at most {RATIO} wanted")
    return ratio <= RATIO


def _cost_us(units: int) -> tuple[float, float]:
    """Return the CPU of the bridge and of PostgreSQL for a heartbeat, each from a random unit."""
    server = Server()
    try:
        server.say("CREATE DATABASE fleet")
        with tempfile.TemporaryDirectory() as folder:
            return _measured(units, server, Path(folder))
    finally:
        server.close()


def _measured(units: int, server: Server, folder: Path) -> tuple[float, float]:
    (port,) = free_ports(1)
    environment = {
        "CHARGEKEEPER_DATABASE": f"{server.url}/fleet",
        "CHARGEKEEPER_BROKER": f"mqtt://:secret@127.0.0.1:{port}",
    }
    cloud = CloudFixture(folder, environment=environment)
    cloud.command("user", "list")  # creates the tables
    tables = Tables(f"{server.url}/fleet")
    tables.add_units(units)
    tables.heard(units, time.time_ns() // 1_000_000)
    server.say("VACUUM ANALYZE", "fleet")
    server.say("CHECKPOINT")
    broker = open_mosquitto(port, folder)
    try:
        cloud.start()
        senders = _Senders(port, units)
        senders.press(WARM_UP)
        _until_stored(cloud, WARM_UP)
        bridge_s, server_s = cpu_s(cloud.bridge.pid), family_cpu_s(server.process.pid)
        began_s = time.monotonic()
        senders.press(MESSAGES)
        _until_stored(cloud, WARM_UP + MESSAGES)
        took_s = time.monotonic() - began_s
        bridge_us = (cpu_s(cloud.bridge.pid) - bridge_s) / MESSAGES * 1e6
        server_us = (family_cpu_s(server.process.pid) - server_s) / MESSAGES * 1e6
        senders.close()
    finally:
        cloud.stop()
        broker.terminate()
        broker.wait()
    print(f"{units:>9,} units: bridge {bridge_us:.0f} us, PostgreSQL {server_us:.0f} us, ", end="")
    print(f"{bridge_us + server_us:.0f} us a heartbeat; {MESSAGES / took_s:,.0f}/s by the wall", flush=True)
    return bridge_us, server_us


def open_mosquitto(port: int, folder: Path) -> "subprocess.Popen[bytes]":
    """Start a broker that accepts every login, so that a few connections can publish for every unit."""
    assert MOSQUITTO is not None
    configuration = folder / "mosquitto.conf"
    configuration.write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\nmax_queued_messages 0\n")
    folder.chmod(0o755)
    with (folder / "mosquitto.log").open("ab") as log:
        return subprocess.Popen(
            [MOSQUITTO, "-c", str(configuration)], stdout=log, stderr=log, preexec_fn=die_with_parent
        )


class _Senders:
    """Connections that publish heartbeats of random units, drawn by one seed."""

    def __init__(self, port: int, units: int) -> None:
        self._draw, self._units, self._sent = random.Random(1), units, 0
        self._sockets = []
        for number in range(SENDERS):
            one = socket.create_connection(("127.0.0.1", port), WITHIN_S)
            one.sendall(connect(f"sender-{number}", "none"))
            if one.recv(4) != CONNACK_OK:
                raise ConnectionRefusedError
            self._sockets.append(one)

    def press(self, messages: int) -> None:
        """Publish, and return when the broker has acknowledged all."""
        for _ in range(messages // (SENDERS * WINDOW)):
            for one in self._sockets:
                one.sendall(b"".join(self._heartbeat() for _ in range(WINDOW)))
            for one in self._sockets:
                left = 4 * WINDOW
                while left:
                    left -= len(one.recv(left))

    def _heartbeat(self) -> bytes:
        self._sent += 1
        topic = f"cp/{name_of(self._draw.randrange(self._units))}/heartbeat"
        return publish(topic, HEARTBEAT % self._sent, self._sent % 0xFFFF + 1)

    def close(self) -> None:
        for one in self._sockets:
            one.close()


def _until_stored(cloud: CloudFixture, messages: int) -> None:
    give_up_s = time.monotonic() + WITHIN_S
    while cloud.health().get("counters", {}).get("contacts", 0) < messages:
        if time.monotonic() > give_up_s:
            raise TimeoutError(f"{messages} messages were not stored: {cloud.health()}")
        time.sleep(0.1)
