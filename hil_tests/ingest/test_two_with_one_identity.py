"""Two real clients with one id and secret, each of which reconnects when it is disconnected.

Are they noticed and reported, does a new secret end it, and is nothing lost that was acknowledged? With the embedded broker
and behind mosquitto.
"""

import json
import random
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import pytest

from hil_tests.fixtures.cloud_fixture import MOSQUITTO, CloudFixture, UnitSecret
from hil_tests.fixtures.mqtt_unit import MqttUnit

WITHIN_S = 120.0
SEED = 20260104


@pytest.fixture(params=["embedded", "mosquitto"])
def cloud(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[CloudFixture]:
    if request.param == "mosquitto" and MOSQUITTO is None:
        pytest.skip("mosquitto is not installed: apt-get install mosquitto")
    cloud = CloudFixture(tmp_path, outside=request.param == "mosquitto")
    yield cloud
    cloud.stop()


def until(condition: Callable[[], object], what: str) -> None:
    give_up_s = time.monotonic() + WITHIN_S
    while not condition():
        assert time.monotonic() < give_up_s, f"timed out: {what}"
        time.sleep(0.1)


class Board(threading.Thread):
    """Connects, sends a heartbeat and an event, and reconnects when the connection has ended, until it is switched off."""

    def __init__(self, cloud: CloudFixture, unit: UnitSecret, boot: int, sequence: int, ends_itself: bool) -> None:
        super().__init__(name=f"boot {boot}")
        self.acknowledged: list[tuple[int, int]] = []  # (boot, sequence) of events
        self.connections = 0
        self._cloud, self._unit = cloud, unit
        self._boot, self._sequence = boot, sequence
        self._ends_itself = ends_itself  # closes its connections itself, as a modem that roams
        self._off = threading.Event()
        self._dice = random.Random(f"{SEED} {boot} {sequence}")

    def run(self) -> None:
        while not self._off.wait(self._dice.uniform(1.1, 1.6)):  # over a second: the unit's time has no fractions
            with suppress(OSError):
                unit = MqttUnit(self._cloud.mqtt_port, *self._unit)
                try:
                    self._talk(unit)
                finally:
                    unit.close()

    def switch_off(self) -> None:
        self._off.set()
        self.join(WITHIN_S)

    def _talk(self, unit: MqttUnit) -> None:
        self.connections += 1
        unit.publish("heartbeat", self._payload(t=int(time.time()), s="A1", q=17))
        numbers = self._boot, self._sequence + 1
        unit.publish("event", self._payload(k="tamper", d={"open": True, "by": self.name}))
        self.acknowledged.append(numbers)
        give_up_s = time.monotonic() + WITHIN_S
        while not self._off.wait(0.2) and not self._ends_itself and time.monotonic() < give_up_s:
            unit.send(b"\xc0\x00")  # PINGREQ: fails once another connection has taken over

    def _payload(self, **said: object) -> bytes:
        self._sequence += 1
        return json.dumps({"n": self._sequence, "b": self._boot, **said}).encode()


@contextmanager
def switched_on(*boards: Board) -> Iterator[None]:
    for board in boards:
        board.start()
    try:
        yield
    finally:
        for board in boards:
            board.switch_off()


def since(cloud: CloudFixture, unit_id: str = "twin") -> object:
    return cloud.charge_point(unit_id)["duplicate_identity_since"]


@pytest.mark.parametrize("boot", [4, 17], ids=["replaced board", "copied image"])
def test_they_are_noticed_and_a_new_secret_ends_it(cloud: CloudFixture, boot: int) -> None:
    print(f"seed {SEED}")
    twin, roaming = cloud.add_units(["twin", "roaming"])
    cloud.start()
    boards = Board(cloud, twin, 17, 900, False), Board(cloud, twin, boot, 0, False)
    alone = Board(cloud, roaming, 17, 0, True)
    with switched_on(*boards, alone):
        until(lambda: since(cloud), "noticed")
        assert cloud.charge_point("twin")["contact"] == "online"
        cloud.kill_bridge()
        cloud.start()
        assert since(cloud), "it outlives kill -9"
        until(lambda: alone.connections > 10, "10 connections of the other unit")
    assert since(cloud, "roaming") is None
    print("connections:", [board.connections for board in (*boards, alone)], cloud.health()["counters"])

    sent = [(board.name, *numbers) for board in boards for numbers in board.acknowledged]
    with closing(sqlite3.connect(cloud.folder / "chargekeeper.db")) as database:
        payloads = [json.loads(row[0]) for row in database.execute("SELECT payload FROM events WHERE unit_id = 'twin'")]
    kept = [(one["d"]["by"], one["b"], one["n"]) for one in payloads]
    assert set(sent) <= set(kept), "what was acknowledged is there"
    assert len(kept) == len(set(kept)), "and once"

    cloud.command("unit", "secret", "twin")
    assert since(cloud) is None
