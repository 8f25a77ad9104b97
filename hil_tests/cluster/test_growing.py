"""A unit with one id, secret and port is served by the embedded broker, by mosquitto and by a cluster. Is its history
complete?

(cloud_bridge/deploy/growing.md)
"""

import json
import os
import sqlite3
import time
import urllib.request
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pytest

from hil_tests.cluster.layout import ROLES, Layout, Worker
from hil_tests.cluster.processes import Processes
from hil_tests.fixtures.cloud_fixture import API_TOKEN, MOSQUITTO, CloudFixture
from hil_tests.fixtures.mqtt_unit import MqttUnit
from hil_tests.fixtures.nats_cluster import NodePorts
from hil_tests.fixtures.ports import free_ports
from hil_tests.fixtures.postgresql import BINARIES

UNIT = "cp-1"
EVENTS = 20  # in each step
WITHIN_S = 120.0


def until(condition: Callable[[], object], what: str) -> None:
    give_up_s = time.monotonic() + WITHIN_S
    while not condition():
        assert time.monotonic() < give_up_s, f"timed out: {what}"
        time.sleep(0.1)


class Unit:
    """A unit with settings that never change. Its sequence continues in every step."""

    def __init__(self, port: int, secret: str) -> None:
        self._port, self._secret = port, secret
        self.sequence = 0

    def lives(self) -> None:
        """Connect, report, and disconnect."""
        until(self._connect, "it logs in")
        self._link.report("heartbeat", s="A1", m="smart", q=20)
        for _ in range(EVENTS):
            self.sequence += 1
            self._link.publish("event", json.dumps({"b": 1, "n": self.sequence, "k": "tamper"}).encode())
        self._link.close()

    def _connect(self) -> bool:
        try:
            self._link = MqttUnit(self._port, UNIT, self._secret)
        except OSError:  # the caller tries again
            return False
        return True


def small_cluster(folder: Path, mqtt_port: int) -> Processes:
    """Return a cluster with one worker of each role; the first node has the unit's port."""
    ports = iter(free_ports(len(ROLES) + 1 + 11))
    workers = [Worker(role, 1, next(ports)) for role in ROLES]
    database_port = next(ports)
    nodes = [NodePorts(next(ports), next(ports), mqtt, next(ports)) for mqtt in (mqtt_port, next(ports), next(ports))]
    return Processes(folder, Layout(workers, nodes, database_port), "secret")


@pytest.mark.skipif(MOSQUITTO is None, reason="mosquitto is not installed: apt-get install mosquitto")
@pytest.mark.skipif(not BINARIES, reason="PostgreSQL is not installed: apt-get install postgresql")
@pytest.mark.timeout(600)  # a dozen processes start, one after another
def test_a_unit_is_served_by_all_three_and_nothing_of_it_is_lost(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    embedded = CloudFixture(folder)
    ((_, secret),) = embedded.add_units([UNIT])
    unit = Unit(embedded.mqtt_port, secret)
    embedded.start()
    unit.lives()
    embedded.stop()

    outside = CloudFixture(folder, outside=True)
    outside.mqtt_port = embedded.mqtt_port
    outside.start()
    unit.lives()
    until(lambda: stored_in(folder) == unit.sequence, "what mosquitto has acknowledged is stored")
    outside.stop()

    cluster = small_cluster(tmp_path / "cluster", embedded.mqtt_port)
    try:
        url = cluster.start_database()
        outside.bridge.environment.pop("CHARGEKEEPER_BROKER", None)
        outside.bridge.environment["CHARGEKEEPER_DATABASE"] = url
        outside.command("data", "copy")
        cluster.start_nodes()
        cluster.environment = os.environ | {
            "CHARGEKEEPER_DATA": str(folder),
            "CHARGEKEEPER_DATABASE": url,
            "CHARGEKEEPER_NATS": str(cluster.nats_file),
            "CHARGEKEEPER_API_TOKEN": API_TOKEN,
        }
        cluster.start_workers(lambda _: None)
        unit.lives()
        until(lambda: len(events(url)) == unit.sequence, "everything is stored")
        assert events(url) == list(range(1, 3 * EVENTS + 1)), "each once, in order"
        assert said_by_pages(cluster.web_port)["contact"] == "online"
    finally:
        cluster.stop()


def stored_in(folder: Path) -> int:
    """Return the number of events in a SQLite database."""
    with closing(sqlite3.connect(folder / "chargekeeper.db")) as connection:
        count: int = connection.execute("SELECT count(*) FROM events").fetchone()[0]
        return count


def events(url: str) -> list[int]:
    with psycopg.connect(url) as connection:
        return [row[0] for row in connection.execute("SELECT sequence FROM events ORDER BY id").fetchall()]


def said_by_pages(port: int) -> dict[str, Any]:
    """Return the unit as the API shows it."""
    url, headers = f"http://127.0.0.1:{port}/api/charge-points/{UNIT}", {"Authorization": f"Bearer {API_TOKEN}"}
    with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=WITHIN_S) as answer:
        said: dict[str, Any] = json.load(answer)
    return said
