"""Times across a cluster with two processes of each role: until a page shows a message, and until a command is
answered.

page       a unit publishes at a node -> one of two workers stores it -> the event stream of an open page, at each `web`
command    the API at one `web` -> the unit -> its answer -> the API at the other `web`
"""

import json
import os
import random
import tempfile
import threading
import time
import urllib.request
from http.client import HTTPResponse
from pathlib import Path
from queue import Queue
from typing import Any

from hil_tests.bench.cloud.browser import NAME, Browser
from hil_tests.bench.cloud.load import percentile
from hil_tests.fixtures.cloud_fixture import UnitSecret
from hil_tests.fixtures.mqtt_unit import MqttUnit
from hil_tests.fleet.own_cluster import OwnCluster

PAGE_S, COMMAND_S = 1.5, 1.0
PAUSE_S = (0.05, 0.6)  # at any phase of periodic polls
ORDERS_OF_TOKEN = 25  # a person may give 30 in a quarter of an hour
LOOK_S = 0.02
WITHIN_S = 60.0
SEED = 20260101


def across(count: int) -> bool:
    """Measure `count` heartbeats and `count` commands, one after the other. Return True if the limits hold."""
    dice = random.Random(SEED)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        cluster = OwnCluster(Path(folder), known=0)
        try:
            seen, ordered = cluster.start(["seen", "ordered"])
            doors = [door.port for door in cluster.doors.plain]
            shown = _pages(cluster, MqttUnit(dice.choice(doors), *seen), count, dice)
            arrived, answered = _commands(cluster, dice.choice(doors), ordered, count, dice)
        finally:
            cluster.close()
    print(f"a cluster with two of each role, load of the machine {os.getloadavg()[0]:.1f}")
    for number, times in enumerate(shown, 1):
        _tell(f"PUBLISH to the event of a page at web {number}", times, PAGE_S)
    _tell("order at one web to the unit", arrived, COMMAND_S)
    _tell("order at one web to the answer at the other", answered, COMMAND_S)
    return max(map(max, shown)) <= PAGE_S and max(answered) <= COMMAND_S


def _tell(what: str, times: list[float], limit_s: float) -> None:
    p50, p99 = percentile(times, 0.5), percentile(times, 0.99)
    said = f"p50 {p50 * 1000:.0f}, p99 {p99 * 1000:.0f}, longest {max(times) * 1000:.0f} ms"
    print(f"  {what}, {len(times)}: {said}; at most {limit_s * 1000:.0f} ms wanted")


def _pages(cluster: OwnCluster, unit: MqttUnit, count: int, dice: random.Random) -> list[list[float]]:
    """Return the times at each `web`."""
    (person,) = cluster.commands(("user", "add", NAME, "--role", "support"))
    came: list[Queue[float]] = []
    for port in cluster.web_ports:
        queue: Queue[float] = Queue()
        stream = Browser(port, person["password"]).open(f"/charge-points/{unit.name}/live")
        threading.Thread(target=_note_events, args=(stream, queue), daemon=True).start()
        queue.get(timeout=WITHIN_S)  # the present state
        came.append(queue)
    times: list[list[float]] = [[] for _ in came]
    for number in range(1, count + 1):
        time.sleep(dice.uniform(*PAUSE_S))
        began_s = time.monotonic()
        unit.publish("heartbeat", b'{"n":%d,"b":1,"s":"C2","q":17,"w":%d}' % (number, number * 10))
        for each, queue in zip(times, came, strict=True):
            each.append(queue.get(timeout=WITHIN_S) - began_s)
    unit.close()
    return times


def _note_events(stream: HTTPResponse, came: "Queue[float]") -> None:
    """Record when each event without a name arrives. Events with a name are keep-alives."""
    is_named = False
    while line := stream.readline():
        if line.startswith(b"event:"):
            is_named = True
        elif line == b"\n":
            if not is_named:
                came.put(time.monotonic())
            is_named = False


def _commands(
    cluster: OwnCluster, door: int, secret: UnitSecret, count: int, dice: random.Random
) -> tuple[list[float], list[float]]:
    """Return the times until the unit had each command, and until its answer was shown."""
    names = [f"operator-{number}" for number in range(-(-count // ORDERS_OF_TOKEN))]
    cluster.commands(*(("user", "add", name, "--role", "operator") for name in names))
    scopes = ("--scope", "read", "--scope", "command")
    made = cluster.commands(*(("token", "add", "--user", name, *scopes) for name in names))
    tokens = [one["token"] for one in made]
    unit = MqttUnit(door, *secret)
    unit.subscribe_to_commands()
    came: Queue[float] = Queue()
    threading.Thread(target=_obey, args=(unit, count, came), daemon=True).start()
    arrived, answered = [], []
    for number in range(count):
        time.sleep(dice.uniform(*PAUSE_S))
        here, there = dice.sample(cluster.web_ports, 2)
        token = tokens[number // ORDERS_OF_TOKEN]
        path = f"/api/charge-points/{unit.name}/commands"
        began_s = time.monotonic()
        given = _ask(here, token, path, {"do": "limit", "amps": 6 + number % 26, "minutes": 60})
        while _ask(there, token, f"{path}/{given['id']}")["status"] == "waiting":
            assert time.monotonic() - began_s < WITHIN_S, "never answered"
            time.sleep(LOOK_S)
        answered.append(time.monotonic() - began_s)
        arrived.append(came.get(timeout=WITHIN_S) - began_s)
    unit.close()
    return arrived, answered


def _obey(unit: MqttUnit, count: int, came: "Queue[float]") -> None:
    """Answer commands as a unit with the right clock, which therefore gets no command to set the time."""
    for _ in range(count):
        command = unit.next_command()
        came.put(time.monotonic())
        unit.report("result", id=command["id"], ok=True)


def _ask(port: int, token: str, path: str, order: dict[str, Any] | None = None) -> dict[str, Any]:
    body = None if order is None else json.dumps(order).encode()
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", body, headers)
    with urllib.request.urlopen(request, timeout=WITHIN_S) as answer:
        said: dict[str, Any] = json.loads(answer.read())
    return said
