"""Does the real mosquitto, with the configuration that we generate, behave as the product promises for an external broker?"""

import json
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from hil_tests.fixtures.cloud_fixture import MOSQUITTO, CloudFixture
from hil_tests.fixtures.mqtt_unit import MqttUnit, packet

WITHIN_S = 90.0
QUIET_S = 0.5  # to check that nothing arrives
KINDS = ("heartbeat", "event", "session", "result", "lwt", "command")

pytestmark = pytest.mark.skipif(MOSQUITTO is None, reason="mosquitto is not installed: apt-get install mosquitto")


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[CloudFixture]:
    cloud = CloudFixture(tmp_path, outside=True)
    yield cloud
    cloud.stop()


class Client:
    """An MQTT client with any login."""

    def __init__(self, cloud: CloudFixture, name: str, secret: str) -> None:
        self.heard: list[paho.MQTTMessage] = []
        self._client = paho.Client(CallbackAPIVersion.VERSION2, client_id=name, reconnect_on_failure=False)
        self._client.username_pw_set(name, secret)
        self._client.on_message = lambda _client, _data, message: self.heard.append(message)
        ready = threading.Event()
        self._client.on_connect = lambda client, *_: client.subscribe("#", 1)
        self._client.on_subscribe = lambda *_: ready.set()
        self._client.connect("127.0.0.1", cloud.mqtt_port)
        self._client.loop_start()
        assert ready.wait(WITHIN_S)

    def publish(self, topic: str, payload: bytes = b"{}", retain: bool = False) -> None:
        """Publish with QoS 1; return when the broker has acknowledged it, whether allowed or not."""
        sent = self._client.publish(topic, payload, 1, retain)
        sent.wait_for_publish(WITHIN_S)
        assert sent.is_published()

    def topics(self) -> set[str]:
        return {message.topic for message in self.heard}

    def close(self) -> None:
        self._client.disconnect()
        with suppress(AttributeError):  # paho's thread may end between its check and its join
            self._client.loop_stop()


def our_secret(cloud: CloudFixture) -> str:
    return (cloud.broker_folder / "bridge.secret").read_text()


def until(condition: Callable[[], object], what: str) -> None:
    give_up_s = time.monotonic() + WITHIN_S
    while not condition():
        assert time.monotonic() < give_up_s, f"timed out: {what}"
        time.sleep(0.02)


def counters(cloud: CloudFixture) -> dict[str, int]:
    found: dict[str, int] = cloud.health()["counters"]
    return found


def is_open(unit: MqttUnit) -> bool:
    try:
        unit.publish("event", json.dumps({"n": time.time_ns() % 2**40, "b": 1, "k": "tamper"}).encode())
    except OSError:
        return False
    return True


def test_no_client_publishes_what_it_has_no_reason_to(cloud: CloudFixture) -> None:
    one, two = cloud.add_units(["one", "two"])
    cloud.start_mosquitto()
    listeners = {name: Client(cloud, name, our_secret(cloud)) for name in ("_bridge-2", "_canary-2")}
    unit = Client(cloud, *one)
    publishers = {"_bridge-3": our_secret(cloud), "_canary-3": our_secret(cloud), "two": two[1]}
    for name, secret in publishers.items():
        client = Client(cloud, name, secret)
        for owner in ("one", "two", name):
            for kind in KINDS:
                client.publish(f"cp/{owner}/{kind}", name.encode())
        client.publish("homeassistant/sensor/one/last_contact/config")
        client.close()
    last = ("cp/two/result", b"two")  # client two publishes it last, and a broker keeps the order
    until(lambda: [(m.topic, m.payload) for m in listeners["_bridge-2"].heard].count(last) == 2, "heard")
    until(lambda: unit.heard, "heard by the unit")
    time.sleep(QUIET_S)
    heard: dict[bytes, set[str]] = {}
    for message in listeners["_bridge-2"].heard:
        heard.setdefault(bytes(message.payload), set()).add(message.topic)
    assert heard == {
        b"_canary-3": {"cp/_canary-3/heartbeat"},
        b"two": {f"cp/two/{kind}" for kind in KINDS if kind not in ("lwt", "command")},
        b"_bridge-3": {
            f"cp/{owner}/{kind}"
            for owner in ("one", "two", "_bridge-3")
            for kind in ("heartbeat", "event", "session", "result")  # to clear retained messages
        },
    }
    assert {(message.topic, message.payload) for message in unit.heard} == {("cp/one/command", b"_bridge-3")}
    assert not listeners["_canary-2"].heard, "a canary reads nothing"
    for client in (*listeners.values(), unit):
        client.close()


def test_the_broker_is_not_root(cloud: CloudFixture) -> None:
    cloud.start_mosquitto()
    assert cloud.mosquitto is not None
    status = Path(f"/proc/{cloud.mosquitto.pid}/status").read_text()
    (uids,) = [line for line in status.splitlines() if line.startswith("Uid:")]
    assert "0" not in uids.split()[1:]


def test_a_command_that_changes_a_secret_reloads_our_broker(cloud: CloudFixture) -> None:
    one, two = cloud.add_units(["one", "two"])
    cloud.start()
    old, other = cloud.connect(one), cloud.connect(two)

    answer = cloud.command("unit", "add", "new")
    assert answer["broker_reloaded"] is True, answer
    until(lambda: can_connect(cloud, ("new", answer["secret"])), "let in")
    assert is_open(old), "nobody else is disturbed"

    answer = cloud.command("unit", "secret", "one")
    assert answer["broker_reloaded"] is True, answer
    until(lambda: not is_open(old), "closed the connection with the old secret")
    assert not can_connect(cloud, one)
    renewed = cloud.connect(("one", answer["secret"]))
    assert is_open(renewed)

    answer = cloud.command("unit", "revoke", "one")
    assert (answer["revoked"], answer["broker_reloaded"]) == (True, True), answer
    until(lambda: not is_open(renewed), "closed the connection of the revoked unit")
    assert is_open(other), "nobody else is disturbed"
    assert cloud.health()["listening"]


def can_connect(cloud: CloudFixture, unit: tuple[str, str]) -> bool:
    try:
        cloud.connect(unit).close()
    except OSError:
        return False
    return True


def test_a_broker_that_is_not_ours_is_left_alone_and_the_command_says_so(cloud: CloudFixture) -> None:
    """As on a host to which the files were copied: the revoked unit stays connected, and its messages do not count."""
    (one,) = cloud.add_units(["one"])
    cloud.start()
    unit = cloud.connect(one)
    assert is_open(unit)
    until(lambda: counters(cloud)["contacts"] == 1, "in contact")
    (cloud.broker_folder / "mosquitto.pid").unlink()

    answer = cloud.command("unit", "revoke", "one")
    assert answer["broker_reloaded"] is False
    assert "Left to do" in answer["broker"], answer

    def is_dropped() -> bool:
        assert is_open(unit), "the connection stands"
        return counters(cloud)["dropped_revoked"] > 0

    until(is_dropped, "dropped")  # once the bridge has read the list of units again; messages before that are contact
    before, seen = cloud.charge_point("one")["last_contact"], counters(cloud)
    assert is_open(unit), "the connection stands"
    until(lambda: counters(cloud)["dropped_revoked"] > seen["dropped_revoked"], "dropped too")
    assert counters(cloud)["contacts"] == seen["contacts"]
    assert cloud.charge_point("one")["last_contact"] == before


def test_a_retained_message_of_a_unit_is_gone_after_we_saw_it(cloud: CloudFixture) -> None:
    (one,) = cloud.add_units(["one"])
    cloud.start_mosquitto()
    for kind in ("heartbeat", "event"):
        cloud.connect(one).publish(kind, b'{"n":1,"b":1}', retain=True)
    cloud.start()
    until(lambda: counters(cloud)["cleared_retained"] == 2, "cleared")
    until(lambda: counters(cloud)["dropped_empty"] == 2, "delivered our empty messages to us")
    assert cloud.charge_point("one")["contact"] == "never"
    later = Client(cloud, "_bridge-2", our_secret(cloud))
    time.sleep(QUIET_S)
    assert not later.topics() & {"cp/one/heartbeat", "cp/one/event"}
    later.close()
    cloud.kill_bridge()
    cloud.start()
    assert counters(cloud)["dropped_retained"] == 0
    assert counters(cloud)["refused_publishes"] == 0


def test_a_unit_that_publishes_with_qos_0_does_not_throw_us_out(cloud: CloudFixture) -> None:
    """mosquitto once closed our connection because we sent a PUBACK with packet id 0."""
    (one,) = cloud.add_units(["one"])
    cloud.start()
    unit = cloud.connect(one)
    for number in range(1, 6):
        topic = b"cp/one/heartbeat"
        unit.send(packet(0x30, len(topic).to_bytes(2) + topic + json.dumps({"n": number, "b": 1}).encode()))
    until(lambda: counters(cloud)["contacts"] == 5, "counted")
    unit.publish("heartbeat", b'{"n":9,"b":1}')
    until(lambda: counters(cloud)["contacts"] == 6, "counted")
    assert "protocol error" not in (cloud.folder / "mosquitto.log").read_text()


def test_a_bad_moment_of_the_database_loses_nothing_and_ends_nothing(cloud: CloudFixture) -> None:
    """A new unit publishes while the list of units cannot be read."""
    (one,) = cloud.add_units(["one"])
    cloud.start()
    unit = cloud.connect(one)
    assert is_open(unit)
    until(lambda: counters(cloud)["contacts"] == 1, "counted")
    added = cloud.command("unit", "add", "new")
    until(lambda: can_connect(cloud, ("new", added["secret"])), "let in")
    new = cloud.connect(("new", added["secret"]))
    with closing(sqlite3.connect(cloud.folder / "chargekeeper.db", timeout=WITHIN_S)) as database:
        database.execute("ALTER TABLE units RENAME TO away")
        until(lambda: counters(cloud)["failed_registry_reads"] > 0, "failed")
        assert is_open(new), "the broker takes it for us"
        before = counters(cloud)["contacts"]
        assert is_open(unit)
        until(lambda: counters(cloud)["contacts"] == before + 1, "counted, by the last list")
        database.execute("ALTER TABLE away RENAME TO units")
    until(lambda: cloud.charge_point("new")["contact"] == "online", "in contact")
    assert counters(cloud)["quarantined"] == 0
    with closing(sqlite3.connect(cloud.folder / "chargekeeper.db")) as database:
        until(lambda: database.execute("SELECT * FROM events WHERE unit_id = 'new'").fetchall(), "stored")
