"""Does a household's mosquitto, bridged as the README says, retain what the door publishes, and lose a unit that was sold?"""

import json
import os
import re
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from hil_tests.fixtures.children import die_with_parent
from hil_tests.fixtures.cloud_fixture import MOSQUITTO, CloudFixture
from hil_tests.fixtures.ports import free_ports

README = Path(__file__).parents[2] / "cloud_bridge" / "home" / "README.md"
WITHIN_S = 30.0
STATE, POWER = "chargekeeper/one/state", "homeassistant/sensor/chargekeeper_one/power/config"

pytestmark = pytest.mark.skipif(MOSQUITTO is None, reason="mosquitto is not installed: apt-get install mosquitto")


class Household:
    """The mosquitto of the household. `retained` connects a new client and returns what it receives."""

    def __init__(self, folder: Path, door: int, token: str) -> None:
        (self.port,) = free_ports(1)
        (bridge,) = re.findall(r"^```text\n(connection .*?)^```$", README.read_text(), re.DOTALL | re.MULTILINE)
        bridge = re.sub(r"^bridge_cafile .*\n", "", bridge, flags=re.MULTILINE)  # on this machine, without TLS
        bridge = bridge.replace("chargers.example:8884", f"127.0.0.1:{door}").replace("TOKEN", token)
        self._file = folder / "household.conf"
        user = "user root\n" if os.getuid() == 0 else ""
        self._file.write_text(
            f"{user}listener {self.port} 127.0.0.1\nallow_anonymous true\n{bridge}restart_timeout 1\n"
        )
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        assert MOSQUITTO is not None
        log = self._file.with_suffix(".log").open("ab")
        self._process = subprocess.Popen(
            [MOSQUITTO, "-c", str(self._file)], stdout=log, stderr=log, preexec_fn=die_with_parent
        )
        log.close()

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(WITHIN_S)

    def publish(self, topic: str, payload: bytes) -> None:
        client = self._client()
        client.publish(topic, payload, 1).wait_for_publish(WITHIN_S)
        client.disconnect()
        client.loop_stop()

    def retained(self) -> dict[str, bytes]:
        found: dict[str, bytes] = {}
        over = threading.Event()

        def heard(client: paho.Client, _data: Any, message: paho.MQTTMessage) -> None:
            if message.topic == "over":
                over.set()
            elif message.retain:
                found[message.topic] = bytes(message.payload)

        client = self._client()
        client.on_message = heard
        client.subscribe([("homeassistant/#", 0), ("chargekeeper/#", 0), ("over", 0)])
        client.publish("over", b"", 1)
        assert over.wait(WITHIN_S)
        client.disconnect()
        client.loop_stop()
        return found

    def until(self, topic: str, payload: bytes | None) -> None:
        """Wait until `payload` is retained at the topic; None means that nothing is."""
        give_up_s = time.monotonic() + WITHIN_S
        while (found := self.retained()).get(topic) != payload:
            assert time.monotonic() < give_up_s, (
                f"{topic} is {found.get(topic)!r}\n{self._file.with_suffix('.log').read_text()}"
            )
            time.sleep(0.1)

    def _client(self) -> paho.Client:
        client = paho.Client(CallbackAPIVersion.VERSION2)
        give_up_s = time.monotonic() + WITHIN_S
        while True:
            try:
                client.connect("127.0.0.1", self.port)
                break
            except OSError:
                assert time.monotonic() < give_up_s
                time.sleep(0.05)
        client.loop_start()
        return client


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[CloudFixture]:
    (door,) = free_ports(1)
    (tmp_path / "cloud").mkdir()
    cloud = CloudFixture(tmp_path / "cloud", environment={"CHARGEKEEPER_HOME_PORT": str(door)})
    yield cloud
    cloud.stop()


def test_a_bridged_mosquitto(cloud: CloudFixture, tmp_path: Path) -> None:
    made, _ = cloud.commands(["unit", "add", "one"], ["user", "add", "dora", "--role", "driver"])
    scopes = ["--scope", "read", "--scope", "command"]
    _, token = cloud.commands(
        ["unit", "claim", made["claim_code"], "dora"], ["token", "add", "--user", "dora", *scopes]
    )
    cloud.start()
    unit = cloud.connect(("one", made["secret"]))
    unit.subscribe_to_commands()
    unit.report("heartbeat", t=int(time.time()), s="C2", a=16, w=3600)
    household = Household(tmp_path, int(cloud.bridge.environment["CHARGEKEEPER_HOME_PORT"]), token["token"])
    household.start()
    try:
        household.until("chargekeeper/status", b"1")
        household.until("chargekeeper/one/available", b"1")
        kept = household.retained()
        assert json.loads(kept[STATE])["power_w"] == 3600 and POWER in kept

        household.publish("chargekeeper/one/set/limit", b'{"amps": 10, "minutes": 90}')
        assert unit.next_command()["do"] == "limit"

        cloud.stop_bridge()
        household.until("chargekeeper/status", b"0")  # published by mosquitto itself
        cloud.command("unit", "release", "one")
        cloud.start()
        for topic in (POWER, STATE):
            household.until(topic, None)
        household.until("chargekeeper/status", b"1")
    finally:
        household.stop()
