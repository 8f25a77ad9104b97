"""Do more units receive their commands than a node's default limit of consumers allows (1,000 from nats-server 2.15 on)?"""

import socket

from hil_tests.fixtures.auth_cluster import WITHIN_S, AuthCluster, UnitSecret
from hil_tests.fixtures.mqtt_unit import CONNACK_OK, SUBACK, connect
from hil_tests.fixtures.nats_cluster import LOOPBACK
from hil_tests.fleet.packets import subscribe

UNITS = 1_010
AT_ONCE = 100  # concurrent subscriptions


def test_more_units_than_a_node_allows_by_itself_hear_their_commands(cluster: AuthCluster) -> None:
    units = cluster.add_units([f"cp{number:04d}" for number in range(UNITS)])
    ports = list(cluster.nats.mqtt_ports.values())
    sockets = []
    try:
        for number, (name, secret) in enumerate(units):
            one = socket.create_connection((LOOPBACK, ports[number % len(ports)]), WITHIN_S)
            sockets.append(one)
            one.sendall(connect(name, secret))
            assert one.recv(4) == CONNACK_OK, name
        for at in range(0, UNITS, AT_ONCE):
            _subscribe(units[at : at + AT_ONCE], sockets[at : at + AT_ONCE])
    finally:
        for one in sockets:
            one.close()


def _subscribe(units: list[UnitSecret], sockets: list[socket.socket]) -> None:
    for (name, _), one in zip(units, sockets, strict=True):
        one.sendall(subscribe(name, 1))
    for (name, _), one in zip(units, sockets, strict=True):
        answer = one.recv(5)
        assert answer == bytes((SUBACK, 3, 0, 1, 1)), f"{name}: {answer.hex()}"
