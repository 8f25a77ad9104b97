"""Who can log in to the cluster, and which topics may they use? Real nodes, real processes of ours, raw MQTT packets."""

import json
import socket
import struct
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hil_tests.fixtures.auth_cluster import AuthCluster
from hil_tests.fixtures.cloud_fixture import API_TOKEN
from hil_tests.fixtures.mqtt_unit import ANSWER_WITHIN_S, CONNACK_OK, SUBSCRIBE, MqttUnit, connect, packet, publish
from hil_tests.fixtures.ports import free_ports

NOT_AUTHORISED = b"\x20\x02\0\5"
ENDED = b""  # closed without an answer: a refused unit would stay away for longer
QUIET_S = 1.0  # to check that nothing arrives
WITHIN_S = 60.0


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AuthCluster]:
    """A cluster for tests that restore it."""
    cluster = AuthCluster(tmp_path_factory.mktemp("cluster"))
    try:
        cluster.start("auth-1", "auth-2")
        yield cluster
    finally:
        cluster.stop()


def connack(cluster: AuthCluster, node: str, name: str, secret: str, client_id: str | None = None) -> bytes:
    with socket.create_connection(("127.0.0.1", cluster.nats.mqtt_ports[node]), ANSWER_WITHIN_S) as door:
        door.sendall(connect(name, secret, client_id=client_id))
        return door.recv(4)


def is_let_in(cluster: AuthCluster, node: str, name: str, secret: str) -> bool:
    """Log in as the first unit. The nodes create their streams then, and close a connection that waits too long for them."""
    give_up_s = time.monotonic() + WITHIN_S
    while (answer := connack(cluster, node, name, secret)) == ENDED and time.monotonic() < give_up_s:
        time.sleep(0.1)
    return answer == CONNACK_OK


def suback(unit: socket.socket, topic: str) -> int:
    unit.sendall(packet(SUBSCRIBE, struct.pack(">H", 9) + struct.pack(">H", len(topic)) + topic.encode() + b"\1"))
    return unit.recv(5)[4]


def test_a_unit_gets_in_at_every_node_and_nobody_else(cluster: AuthCluster) -> None:
    one, two = cluster.add_units(["in-1", "in-2"])
    for node in cluster.nats.names:
        assert is_let_in(cluster, node, *one)
        assert connack(cluster, node, one[0], "wrong") == NOT_AUTHORISED
        assert connack(cluster, node, one[0], two[1]) == NOT_AUTHORISED
        assert connack(cluster, node, "nobody", one[1]) == NOT_AUTHORISED
        assert connack(cluster, node, *one, client_id=two[0]) == NOT_AUTHORISED
        assert connack(cluster, node, f"_canary-{node}", one[1]) == NOT_AUTHORISED
    assert "wrong secret for in-1" in cluster.log("auth-1") + cluster.log("auth-2")
    strangers = "SELECT sum(messages) FROM unknown_clients WHERE id = 'nobody'"
    give_up_s = time.monotonic() + WITHIN_S
    while cluster.postgresql.say(strangers) != [(len(cluster.nats.names),)]:
        assert time.monotonic() < give_up_s, "never in the store, for the pages of every process"
        time.sleep(0.1)


def test_a_process_is_ready_when_it_answers_logins_and_not_before(tmp_path: Path) -> None:
    cluster = AuthCluster(tmp_path)
    try:
        (unit,) = cluster.add_units(["first-1"])
        cluster.environment["CHARGEKEEPER_API_TOKEN"] = API_TOKEN
        (port,) = free_ports(1)
        cluster.begin_auth("auth-1", port)
        code, said = health_of(port)
        assert code == 503 and said["trouble"].startswith("no login is answered yet"), said
        cluster.nats.start()
        give_up_s = time.monotonic() + WITHIN_S
        while health_of(port)[0] != 200:
            assert time.monotonic() < give_up_s, cluster.log("auth-1")
            time.sleep(0.05)
        assert is_let_in(cluster, "n1", *unit)
        cluster.nats.stop()
        while health_of(port)[0] != 503:
            assert time.monotonic() < give_up_s, cluster.log("auth-1")
            time.sleep(0.05)
    finally:
        cluster.stop()


def health_of(port: int) -> tuple[int, dict[str, Any]]:
    """Return the first answer of a starting process: status and body."""
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/healthz", headers={"Authorization": f"Bearer {API_TOKEN}"}
    )
    give_up_s = time.monotonic() + WITHIN_S
    while True:
        try:
            with urllib.request.urlopen(request, timeout=WITHIN_S) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as refusal:
            with refusal:
                return refusal.code, json.load(refusal)
        except OSError:
            assert time.monotonic() < give_up_s, "no process listens"
            time.sleep(0.05)


def test_a_unit_that_was_added_a_moment_ago_gets_in(cluster: AuthCluster) -> None:
    assert connack(cluster, "n1", "late-1", "secret") == NOT_AUTHORISED
    assert connack(cluster, "n1", *cluster.add_units(["late-1"])[0]) == CONNACK_OK


def test_a_unit_publishes_and_reads_on_its_own_topics_alone(cluster: AuthCluster) -> None:
    one, two = cluster.add_units(["own-1", "own-2"])
    listener = cluster.connect(two, "n2")
    listener.subscribe_to_commands()
    with socket.create_connection(("127.0.0.1", cluster.nats.mqtt_ports["n1"]), ANSWER_WITHIN_S) as unit:
        unit.sendall(connect(*one))
        assert unit.recv(4) == CONNACK_OK
        for topic in (
            "#",
            "+/own-2/command",
            "cp/own-2/command",
            "cp/own-1/heartbeat",
            "$MQTT/sub/#",
            "$SYS/#",
            "$JS/#",
        ):
            assert suback(unit, topic) == 0x80, topic
        assert suback(unit, "cp/own-1/command") == 1
        for topic in ("cp/own-2/command", "cp/own-2/heartbeat", "cp/own-1/command", "$MQTT/msgs/cp/own-2/command"):
            unit.sendall(publish(topic, b'{"id":"forged"}', 7))
            assert unit.recv(4) == b"\x40\x02\0\7", topic  # MQTT 3.1.1 has no negative PUBACK
        unit.settimeout(QUIET_S)
        with pytest.raises(TimeoutError):
            unit.recv(1)
    with pytest.raises(TimeoutError):
        listener.next_command(QUIET_S)
    listener.close()


def test_a_will_on_another_unit_s_topic_is_dropped_and_the_connection_stands(cluster: AuthCluster) -> None:
    one, two = cluster.add_units(["will-1", "will-2"])
    listener = cluster.connect(two, "n2")
    listener.subscribe_to_commands()
    cluster.connect(one, will="cp/will-2/command").drop()
    with pytest.raises(TimeoutError):
        listener.next_command(QUIET_S)
    listener.close()


def test_logins_go_on_while_one_auth_process_is_killed(tmp_path: Path) -> None:
    """If the killed process had received a unit's login, the node refuses the unit after 10 s, and the unit tries again."""
    cluster = AuthCluster(tmp_path)
    try:
        cluster.start("auth-1", "auth-2")
        units = cluster.add_units([f"many-{number}" for number in range(60)])
        inside: list[MqttUnit] = []

        def log_in(number: int, unit: tuple[str, str]) -> None:
            give_up_s = time.monotonic() + WITHIN_S
            time.sleep(number / 30)  # half of them after the kill
            while time.monotonic() < give_up_s:
                try:
                    inside.append(cluster.connect(unit, cluster.nats.names[number % 3]))
                    return
                except OSError:
                    time.sleep(0.5)

        threads = [threading.Thread(target=log_in, args=each) for each in enumerate(units)]
        for thread in threads:
            thread.start()
        time.sleep(1)
        cluster.kill_auth("auth-1")
        for thread in threads:
            thread.join(WITHIN_S)
        assert len(inside) == len(units)
        for unit in inside:
            unit.close()
    finally:
        cluster.stop()


def test_an_auth_process_that_is_told_to_end_leaves_no_login_unanswered(tmp_path: Path) -> None:
    cluster = AuthCluster(tmp_path)
    try:
        cluster.start("auth-1", "auth-2")
        units = cluster.add_units([f"many-{number}" for number in range(40)])
        for node in cluster.nats.names:
            assert is_let_in(cluster, node, *units[0])
        answers: list[bytes] = []

        def log_in(number: int, unit: tuple[str, str]) -> None:
            time.sleep(number / 40)
            answers.append(connack(cluster, cluster.nats.names[number % 3], *unit))

        threads = [threading.Thread(target=log_in, args=each) for each in enumerate(units)]
        for thread in threads:
            thread.start()
        time.sleep(0.5)
        assert cluster.end_auth("auth-1") == 0
        for thread in threads:
            thread.join(WITHIN_S)
        assert answers == [CONNACK_OK] * len(units)
    finally:
        cluster.stop()


def test_nobody_gets_in_while_the_database_is_away_and_everybody_when_it_is_back(tmp_path: Path) -> None:
    cluster = AuthCluster(tmp_path)
    try:
        cluster.start("auth-1")
        one, two = cluster.add_units(["away-1", "away-2"])
        assert is_let_in(cluster, "n1", *one)
        cluster.postgresql.stop()
        assert connack(cluster, "n1", *two) == ENDED
        assert connack(cluster, "n1", *one) == ENDED  # no longer cached
        assert connack(cluster, "n1", one[0], "wrong") == ENDED
        cluster.postgresql.start()
        assert connack(cluster, "n1", *two) == CONNACK_OK
    finally:
        cluster.stop()


def test_a_short_failover_of_the_database_refuses_nobody(tmp_path: Path) -> None:
    cluster = AuthCluster(tmp_path)
    try:
        cluster.start("auth-1")
        (one,) = cluster.add_units(["short-1"])
        cluster.postgresql.stop()
        answers: list[bytes] = []
        waiting = threading.Thread(target=lambda: answers.append(connack(cluster, "n1", *one)))
        waiting.start()
        time.sleep(1.0)
        cluster.postgresql.start()  # on this thread, because the server ends with the thread that started it
        waiting.join(WITHIN_S)
        if answers == [ENDED]:  # the start took longer than a login waits
            answers.append(connack(cluster, "n1", *one))
        assert answers[-1] == CONNACK_OK
    finally:
        cluster.stop()
