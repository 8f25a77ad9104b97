"""Does a command reach a connected unit, and never a unit that comes back after the command has expired?"""

import json
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

from hil_tests.fixtures.auth_cluster import WITHIN_S, AuthCluster, UnitSecret
from hil_tests.fixtures.bridge_process import CHECKOUT
from hil_tests.fixtures.mqtt_unit import ANSWER_WITHIN_S, CONNECT, SUBSCRIBE, packet

SEND = """
import asyncio, json, sys, time
from pathlib import Path
from cloud_bridge.clock import SystemClock
from cloud_bridge.counters import Counters
from cloud_bridge.ingest.cluster.cluster_file import read_cluster
from cloud_bridge.ingest.cluster.commands_out import CommandsOut
from cloud_bridge.ingest.cluster.connection import connect_bridge, connect_system
from cloud_bridge.ingest.cluster.nodes import Nodes
async def main(file, unit_id, lasts_ms):
    cluster, clock = read_cluster(Path(file)), SystemClock()
    bridge, system = await connect_bridge(cluster, "test"), await connect_system(cluster, "test")
    nodes = Nodes(system, len(cluster.nodes))
    await nodes.start()
    began_s = time.monotonic()
    sent = await CommandsOut(bridge, nodes, clock, Counters()).send(unit_id, b'{"id":"c-1"}', clock.now_ms() + lasts_ms)
    print(json.dumps({"sent": sent, "took_s": time.monotonic() - began_s}))
    await bridge.close()
    await system.close()
asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
"""
NOT_SENT_WITHIN_S = 20.0  # at once, not when the command expires
QUIET_S = 2.0  # to check that nothing arrives


def send(cluster: AuthCluster, unit_id: str, lasts_ms: int = 30_000) -> dict[str, Any]:
    """Send a command from a process that ends afterwards."""
    said = subprocess.run(
        [sys.executable, "-c", SEND, str(cluster.nats.file), unit_id, str(lasts_ms)],
        cwd=CHECKOUT,
        env=cluster.environment,
        capture_output=True,
        text=True,
        check=True,
        timeout=WITHIN_S,
    )
    answer: dict[str, Any] = json.loads(said.stdout)
    return answer


def kept_session(cluster: AuthCluster, node: str, unit: UnitSecret) -> socket.socket:
    """Connect with a persistent session, which our firmware does not use."""
    door = socket.create_connection(("127.0.0.1", cluster.nats.mqtt_ports[node]), ANSWER_WITHIN_S)
    name, secret = (struct.pack(">H", len(text)) + text.encode() for text in unit)
    door.sendall(packet(CONNECT, b"\0\x04MQTT\x04\xc0\0\x3c" + name + name + secret))
    assert door.recv(4)[3] == 0
    return door


def test_a_command_reaches_a_unit_at_any_node_and_one_that_is_away_is_sent_nothing_at_once(
    cluster: AuthCluster,
) -> None:
    unit, away = cluster.add_units(["there", "away"])
    connection = cluster.connect(unit, "n2")
    connection.subscribe_to_commands()
    until(lambda: bool(send(cluster, "there")["sent"]))  # repeat: a node may be slow to report who is connected
    assert connection.next_command()["id"] == "c-1"
    connection.close()
    refused = send(cluster, away[0])
    assert not refused["sent"] and refused["took_s"] < NOT_SENT_WITHIN_S
    cluster.nats.kill("n3")
    refused = send(cluster, away[0])
    assert not refused["sent"] and refused["took_s"] < NOT_SENT_WITHIN_S


def test_a_unit_that_comes_back_after_the_end_of_a_command_does_not_get_it(cluster: AuthCluster) -> None:
    """The unit had not acknowledged it, and the sender has ended."""
    (unit,) = cluster.add_units(["late"])
    topic = b"cp/late/command"
    with kept_session(cluster, "n1", unit) as door:
        door.sendall(packet(SUBSCRIBE, b"\0\7" + struct.pack(">H", len(topic)) + topic + b"\1"))
        assert door.recv(5)[4] == 1
        until(lambda: bool(send(cluster, "late", 5000)["sent"]))
        assert topic in door.recv(100)
    time.sleep(7)
    with kept_session(cluster, "n2", unit) as door:
        door.settimeout(QUIET_S)
        heard = b""
        try:
            while piece := door.recv(100):
                heard += piece
        except TimeoutError:
            pass
    assert heard == b""


def test_commands_arrive_again_when_all_nodes_were_killed_at_once(cluster: AuthCluster) -> None:
    """A node keeps subscriptions in memory only."""
    unit, other = cluster.add_units(["there", "keeps"])
    connection = cluster.connect(unit)
    connection.subscribe_to_commands()
    topic = b"cp/keeps/command"
    subscribe = packet(SUBSCRIBE, b"\0\7" + struct.pack(">H", len(topic)) + topic + b"\1")
    with kept_session(cluster, "n1", other) as door:
        door.sendall(subscribe)
        assert door.recv(5)[4] == 1
    cluster.nats.stop()
    cluster.nats.start()
    connection.subscribe_to_commands()  # connects again as often as necessary
    until(lambda: bool(send(cluster, "there")["sent"]))
    assert connection.next_command()["id"] == "c-1"
    connection.close()
    with kept_session(cluster, "n2", other) as door:
        door.sendall(subscribe)
        assert door.recv(5)[4] == 1
        until(lambda: bool(send(cluster, "keeps")["sent"]))
        assert topic in door.recv(100)


def until(condition: Callable[[], bool]) -> None:
    give_up_s = time.monotonic() + WITHIN_S
    while not condition():
        assert time.monotonic() < give_up_s
        time.sleep(0.2)
