"""Do many unauthenticated sockets leave broker and pages available, and can everybody else connect meanwhile?

All are on loopback: a stranger has 127.0.0.2, and honest units share 127.0.0.1, as a fleet shares its mobile network's
address.
"""

import select
import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from hil_tests.fixtures.cloud_fixture import add_units
from hil_tests.fixtures.mqtt_unit import CONNACK_OK, MqttUnit, connect
from hil_tests.ingest.bridge_with_limits import WITHIN_S, BridgeWithLimits

FILES = 1024
FEW_FILES = 120
CROWD = 1060  # more than the limit of open files
ROUNDS = 4
SOON_S = 15.0  # while the crowd is connected: its sockets are closed after 20 s
LOOK_S = 1.0
LOG_BYTES = 20_000  # before the limits, one wave of these sockets logged 11.8 MB
FLEET = 300
STRANGER = "127.0.0.2"
BEGINNINGS = {
    "mqtt": b"\x10",
    "mqtts": b"\x16\x03\x01",  # of a handshake
    "http": b"GET / HTTP/1.1\r\nHost: x\r\nX: ",
}


@pytest.fixture(scope="module")
def bridge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BridgeWithLimits]:
    bridge = BridgeWithLimits(tmp_path_factory.mktemp("crowd"), "127.0.0.1", (FILES, FILES), tls=True)
    yield bridge
    bridge.close()


@pytest.fixture(scope="module")
def unit(bridge: BridgeWithLimits) -> tuple[str, str]:
    return "cp-1", bridge.command("unit", "add", "cp-1")["secret"]


def open_one(stack: ExitStack, port: int, beginning: bytes, address: str) -> socket.socket:
    one = stack.enter_context(socket.create_connection(("127.0.0.1", port), WITHIN_S, (address, 0)))
    with suppress(ConnectionError):
        one.sendall(beginning)
    return one


@pytest.mark.parametrize("address", ["127.0.0.1", STRANGER])
@pytest.mark.parametrize("kind", BEGINNINGS)
def test_more_sockets_than_files_take_nothing_down(
    bridge: BridgeWithLimits, unit: tuple[str, str], kind: str, address: str
) -> None:
    """Also from the same address as the honest units."""
    port = {"mqtt": bridge.mqtt_port, "mqtts": bridge.mqtts_port, "http": bridge.http_port}[kind]
    log_bytes = bridge.log.stat().st_size
    slowest_s, files = 0.0, 0
    for _ in range(ROUNDS):
        with ExitStack() as stack:
            for _ in range(CROWD):
                open_one(stack, port, BEGINNINGS[kind], address)
            begun_s = time.monotonic()
            counters = bridge.health(SOON_S)["counters"]
            honest = MqttUnit(bridge.mqtt_port, *unit)
            honest.publish("event", b'{"k":"boot"}')
            honest.close()
            slowest_s = max(slowest_s, time.monotonic() - begun_s)
            files = max(files, bridge.files())
    grown = bridge.log.stat().st_size - log_bytes
    print(f"\n{kind}: page, login and message in {slowest_s:.2f} s at most, {files} files, log +{grown} bytes")
    assert slowest_s < SOON_S
    assert files < FILES
    assert counters["failed_accepts"] == 0
    assert grown < LOG_BYTES, bridge.said()[-2000:]


def test_a_slow_unit_is_not_turned_out_by_a_stranger_s_crowd(bridge: BridgeWithLimits, unit: tuple[str, str]) -> None:
    """The stranger's address reaches its limit before the limit for all addresses."""
    packet = connect(*unit)
    with ExitStack() as stack:
        slow = open_one(stack, bridge.mqtt_port, packet[:-1], "127.0.0.1")
        for _ in range(CROWD):
            open_one(stack, bridge.mqtt_port, b"\x10", STRANGER)
        slow.sendall(packet[-1:])
        assert slow.recv(4) == CONNACK_OK


def test_a_fleet_behind_one_address_comes_back_at_once(tmp_path: Path) -> None:
    """All sockets are accepted before the first unit logs in, while a stranger floods the bridge; with TLS, as units use
    it."""
    bridge = BridgeWithLimits(tmp_path, "127.0.0.1", tls=True)
    try:
        units = add_units(tmp_path / "data", [f"cp-{number}" for number in range(FLEET)])
        context = ssl.create_default_context(cafile=str(tmp_path / "tls" / "ca.pem"))
        context.check_hostname = False
        with ExitStack() as stack:
            for _ in range(CROWD):
                open_one(stack, bridge.mqtts_port, b"", STRANGER)
            opened = [open_one(stack, bridge.mqtts_port, b"", "127.0.0.1") for _ in range(FLEET)]
            begun_s = time.monotonic()
            fleet = [stack.enter_context(context.wrap_socket(one)) for one in opened]
            for one, unit in zip(fleet, units, strict=True):
                one.sendall(connect(*unit))
            answers = [one.recv(4) for one in fleet]
            print(f"\n{FLEET} units over TLS were let in after {time.monotonic() - begun_s:.1f} s")
        assert answers == [CONNACK_OK] * FLEET
    finally:
        bridge.close()


def is_held_back(bridge: BridgeWithLimits, one: socket.socket) -> bool:
    """Return whether the bridge reports that it has stopped accepting. A slow socket has no answer either."""
    give_up_s = time.monotonic() + WITHIN_S
    while not select.select([one], [], [], LOOK_S)[0]:
        if bridge.health()["counters"]["pauses_full"]:
            return True
        assert time.monotonic() < give_up_s, bridge.said()
    return False


def test_without_files_nothing_fails_and_who_waits_is_let_in_later(tmp_path: Path) -> None:
    """There are more honest units than files: the bridge stops accepting, and continues when a unit has left."""
    bridge = BridgeWithLimits(tmp_path, "127.0.0.1", (FEW_FILES, FEW_FILES))
    try:
        units = add_units(tmp_path / "data", [f"cp-{number}" for number in range(FEW_FILES // 2)])
        with ExitStack() as stack:
            fleet: list[socket.socket] = []
            for unit in units:
                one = open_one(stack, bridge.mqtt_port, connect(*unit), "127.0.0.1")
                if is_held_back(bridge, one):
                    break
                assert one.recv(4) == CONNACK_OK
                fleet.append(one)
            assert FEW_FILES // 4 < len(fleet) < len(units)
            fleet[0].close()
            assert one.recv(4) == CONNACK_OK
        counters = bridge.health()["counters"]
        assert (counters["failed_accepts"], counters["closed_crowded"]) == (0, 0), bridge.said()
    finally:
        bridge.close()
