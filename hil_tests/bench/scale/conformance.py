"""Kill nodes, workers, auth processes and PostgreSQL in random order under units that publish. What is lost or false?

Every unit publishes journal records with QoS 1, one after the other, to any node that accepts it. For each record the
times of sending and of its acknowledgement are known, so its true time of contact lies between.
"""

import json
import random
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from hil_tests.bench.cloud.load import percentile
from hil_tests.fixtures.cloud_fixture import UnitSecret
from hil_tests.fixtures.cluster_fixture import DATABASE, ClusterFixture

UNITS = 20
WORKERS = 2  # besides the process with all roles, which is a worker too and answers logins
AUTHS = 2
PAUSE_S = 0.2  # of a unit, between two records
DOWN_S = (0.2, 3.0)  # how long a killed process stays down
UP_S = (0.5, 3.0)  # between two kills
STORED_WITHIN_S = 180.0


class Sent(NamedTuple):
    """An acknowledged record."""

    sent_ms: float
    acknowledged_ms: float


class Victim(NamedTuple):
    """What is killed and started again."""

    name: str
    kill: Callable[[], object]
    start: Callable[[], object]


class Units:
    """Units that publish, each on its own thread."""

    def __init__(self, cluster: ClusterFixture, units: list[UnitSecret], dice: random.Random) -> None:
        self.acknowledged: dict[tuple[str, int], Sent] = {}
        self.tried_ms: dict[str, float] = {}  # when a unit ended its last attempt, acknowledged or not
        self._cluster = cluster
        self._stop = threading.Event()
        seeds = [dice.random() for _ in units]
        self._threads = [
            threading.Thread(target=self._publish, args=(unit, random.Random(seed)))
            for unit, seed in zip(units, seeds, strict=True)
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _publish(self, unit: UnitSecret, dice: random.Random) -> None:
        name, number = unit[0], 0
        while not self._stop.is_set():
            try:
                connected = self._cluster.connect(unit, node=dice.choice(self._cluster.nodes.names))
                while not self._stop.is_set():
                    number += 1
                    sent_ms = time.time() * 1000
                    connected.publish("event", json.dumps({"b": 1, "n": number, "k": "tamper"}).encode())
                    self.acknowledged[name, number] = Sent(sent_ms, time.time() * 1000)
                    self.tried_ms[name] = time.time() * 1000
                    self._stop.wait(PAUSE_S)
            except OSError:
                self.tried_ms[name] = time.time() * 1000
                self._stop.wait(PAUSE_S)


def conformance(rounds: int, seed: int) -> bool:
    """Print acknowledged and lost records, false contact, false silence and the error of the stamps. Return True if all
    hold."""
    dice = random.Random(seed)
    with tempfile.TemporaryDirectory() as folder:
        cluster = ClusterFixture(Path(folder))
        secrets = cluster.add_units([f"cp-{number:02d}" for number in range(UNITS)])
        cluster.start()
        for number in range(WORKERS):
            cluster.start_worker(number)
        for number in range(1, AUTHS):  # the first runs from the start
            cluster.start_auth(number)
        units = Units(cluster, secrets, dice)
        units.start()
        killed: dict[str, int] = {}
        waiting: list[Victim] = []  # a shuffled round, so that all are killed equally often
        try:
            for _ in range(rounds):
                time.sleep(dice.uniform(*UP_S))
                if not waiting:
                    waiting = _victims(cluster)
                    dice.shuffle(waiting)
                name, kill, start = waiting.pop()
                killed[name] = killed.get(name, 0) + 1
                kill()
                time.sleep(dice.uniform(*DOWN_S))
                start()
        finally:
            units.stop()
        stopped_s = time.monotonic()
        missing = set(units.acknowledged)
        while missing and time.monotonic() - stopped_s < STORED_WITHIN_S:
            stored_ms = {(name, number): at_ms for name, number, at_ms in _stored(cluster)}
            missing = set(units.acknowledged) - set(stored_ms)
            time.sleep(0.5)
        caught_up_s = time.monotonic() - stopped_s
        false_contact, false_silence = _false(cluster, units)
        cluster.stop()
    errors_ms = [_error_ms(sent, stored_ms[key]) for key, sent in units.acknowledged.items() if key in stored_ms]
    print(
        f"{rounds} rounds with seed {seed}, killed: " + ", ".join(f"{name} {count}x" for name, count in killed.items())
    )
    print(
        f"acknowledged {len(units.acknowledged):,}, lost {len(missing)}; all stored {caught_up_s:.1f} s after the last"
    )
    print(f"false contact {false_contact}, false silence {false_silence}, of {UNITS} units")
    worst_ms, p99_ms, p50_ms = max(errors_ms), percentile(errors_ms, 0.99), percentile(errors_ms, 0.5)
    print(
        f"stamp error (outside of sent and acknowledged): p50 {p50_ms:.0f}, p99 {p99_ms:.0f}, worst {worst_ms:.0f} ms"
    )
    return not missing and false_contact == false_silence == 0


def _victims(cluster: ClusterFixture) -> list[Victim]:
    def of_node(name: str) -> Victim:
        return Victim(f"node {name}", lambda: cluster.nodes.kill(name), lambda: cluster.nodes.start_node(name))

    def of_worker(number: int) -> Victim:
        return Victim(f"worker {number}", lambda: cluster.kill_worker(number), lambda: cluster.start_worker(number))

    def of_auth(number: int) -> Victim:
        return Victim(f"auth {number}", lambda: cluster.kill_auth(number), lambda: cluster.start_auth(number))

    return [
        *(of_node(name) for name in cluster.nodes.names),
        *(of_worker(number) for number in range(WORKERS)),
        *(of_auth(number) for number in range(AUTHS)),
        Victim("all roles in one", cluster.kill_bridge, cluster.start_bridge),
        Victim("PostgreSQL", cluster.postgresql.stop, cluster.postgresql.start),
    ]


def _stored(cluster: ClusterFixture) -> list[tuple[str, int, int]]:
    return cluster.postgresql.say("SELECT unit_id, sequence, received_ms FROM events", DATABASE)


def _false(cluster: ClusterFixture, units: Units) -> tuple[int, int]:
    """Count last contacts later than the unit's last attempt, and silences longer than the time since its last
    acknowledged record."""
    contacts = silences = 0
    last_ms: dict[str, float] = {}
    for (name, _), sent in units.acknowledged.items():
        last_ms[name] = max(last_ms.get(name, 0), sent.sent_ms)
    for name, at_ms in last_ms.items():
        (seen_ms,) = cluster.postgresql.say(f"SELECT last_contact_ms FROM contacts WHERE unit_id = '{name}'", DATABASE)[
            0
        ]
        contacts += seen_ms > units.tried_ms[name] + 1
        shown = cluster.charge_point(name)
        silences += shown["contact"] == "silent" or (shown["silence_ms"] or 0) > time.time() * 1000 - at_ms
    return contacts, silences


def _error_ms(sent: Sent, stored_ms: int) -> float:
    """Return how far the stamp, cut to a whole ms, lies outside the possible range."""
    return max(0.0, sent.sent_ms - 1 - stored_ms, stored_ms - sent.acknowledged_ms)
