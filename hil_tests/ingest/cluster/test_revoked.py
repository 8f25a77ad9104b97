"""Is a unit with a revoked secret disconnected, at any node, whatever fails meanwhile?"""

import itertools
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest

from hil_tests.fixtures.auth_cluster import AuthCluster
from hil_tests.fixtures.mqtt_unit import ANSWER_WITHIN_S, CONNACK_OK, connect

WITHIN_S = 60.0
KNOWN_FOR_S = 5.0  # maximum time for which an auth process may accept an old secret


class Door:
    """A connection that records when it was closed."""

    def __init__(self, cluster: AuthCluster, node: str, name: str, secret: str) -> None:
        self._socket = socket.create_connection(("127.0.0.1", cluster.nats.mqtt_ports[node]), ANSWER_WITHIN_S)
        self._socket.sendall(connect(name, secret))
        if not self._is_let_in():
            self._socket.close()
            raise ConnectionRefusedError(name)

    def _is_let_in(self) -> bool:
        try:
            return self._socket.recv(4) == CONNACK_OK
        except ConnectionResetError:  # closed during the login, before the node has read all of it
            return False

    def is_open(self) -> bool:
        self._socket.setblocking(False)
        try:
            return self._socket.recv(1) != b""
        except BlockingIOError:
            return True
        except OSError:
            return False

    def ends(self, within_s: float) -> bool:
        return until(lambda: not self.is_open(), within_s)

    def close(self) -> None:
        self._socket.close()


Open = Callable[..., Door]  # the node, the unit's name and its secret


@pytest.fixture
def door_at(cluster: AuthCluster) -> Iterator[Open]:
    """Opens connections, and closes them at the end."""
    doors: list[Door] = []

    def open_one(node: str, name: str, secret: str) -> Door:
        doors.append(Door(cluster, node, name, secret))
        return doors[-1]

    yield open_one
    for door in doors:
        door.close()


def until(condition: Callable[[], bool], within_s: float) -> bool:
    give_up_s = time.monotonic() + within_s
    while not condition():
        if time.monotonic() > give_up_s:
            return False
        time.sleep(0.01)
    return True


def test_a_revoked_unit_is_cut_off_at_every_node_and_stays_out(cluster: AuthCluster, door_at: Open) -> None:
    """Other units stay connected."""
    units = cluster.add_units(["gone-1", "gone-2", "gone-3", "stays"])
    doors = [door_at(node, *unit) for node, unit in zip([*cluster.nats.names, "n1"], units, strict=True)]
    for unit, door in zip(units[:3], doors, strict=False):
        cluster.command("unit", "revoke", unit[0])
        assert door.ends(WITHIN_S)
        with suppress(ConnectionRefusedError):  # another process may still accept it, and closes it soon
            assert door_at("n2", *unit).ends(WITHIN_S)
    time.sleep(KNOWN_FOR_S)
    for unit, node in itertools.product(units[:3], cluster.nats.names):
        with pytest.raises(ConnectionRefusedError):
            door_at(node, *unit)
    assert doors[3].is_open()


def test_the_new_secret_lets_in_and_its_connection_is_left_alone_in_the_end(
    cluster: AuthCluster, door_at: Open
) -> None:
    ((name, secret),) = cluster.add_units(["changed"])
    door = door_at("n1", name, secret)
    new = cluster.command("unit", "secret", name)["secret"]
    assert door.ends(WITHIN_S)
    give_up_s = time.monotonic() + WITHIN_S
    while True:  # in the first seconds it may be closed again, also during the login
        with suppress(ConnectionRefusedError):
            if not door_at("n2", name, new).ends(12.0):
                break
        assert time.monotonic() < give_up_s


def test_a_unit_that_was_revoked_while_its_node_stood_still_is_cut_off_when_the_node_goes_on(
    cluster: AuthCluster, door_at: Open
) -> None:
    (unit,) = cluster.add_units(["frozen"])
    door = door_at("n3", *unit)
    cluster.nats.freeze("n3")
    try:
        cluster.command("unit", "revoke", unit[0])
        time.sleep(3)
    finally:
        cluster.nats.thaw("n3")
    assert door.ends(WITHIN_S)


def test_a_unit_that_was_revoked_while_no_auth_process_ran_is_cut_off_when_one_runs(
    cluster: AuthCluster, door_at: Open
) -> None:
    one, two = cluster.add_units(["unseen", "seen"])
    gone, stays = door_at("n1", *one), door_at("n2", *two)
    for name in ("auth-1", "auth-2"):
        cluster.kill_auth(name)
    cluster.command("unit", "revoke", one[0])
    assert gone.is_open()
    cluster.start_auth("auth-3")
    assert gone.ends(WITHIN_S)
    assert stays.is_open()
