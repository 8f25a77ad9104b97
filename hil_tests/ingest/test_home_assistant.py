"""Does Home Assistant find a unit and receive its last contact, and is nothing retained that could become false?"""

import json
import threading
import time
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from hil_tests.fixtures.cloud_fixture import MOSQUITTO, CloudFixture

WITHIN_S = 90.0
CONFIG, STATE = "homeassistant/sensor/chargekeeper_one/last_contact/config", "chargekeeper/one/contact"


class Listener:
    """An MQTT client with Home Assistant's login and subscriptions."""

    def __init__(self, cloud: CloudFixture) -> None:
        self.heard: list[paho.MQTTMessage] = []
        self._changed = threading.Condition()
        self._client = paho.Client(CallbackAPIVersion.VERSION2, client_id="home_assistant")
        secret = (cloud.broker_folder / "home-assistant.secret").read_text()
        self._client.username_pw_set("home_assistant", secret)
        ready = threading.Event()
        filters = [("homeassistant/#", 1), ("chargekeeper/#", 0), ("cp/#", 0)]
        self._client.on_connect = lambda client, *_: client.subscribe(filters)
        self._client.on_subscribe = lambda *_: ready.set()
        self._client.on_message = self._on_message
        self._client.connect("127.0.0.1", cloud.mqtt_port)
        self._client.loop_start()
        assert ready.wait(WITHIN_S)

    def wait_for(self, topic: str) -> paho.MQTTMessage:
        with self._changed:
            found: paho.MQTTMessage | None = self._changed.wait_for(
                lambda: next((one for one in self.heard if one.topic == topic), None), WITHIN_S
            )
        assert found, [one.topic for one in self.heard]
        return found

    def close(self) -> None:
        self._client.disconnect()
        with suppress(AttributeError):  # paho's thread may end between its check and its join
            self._client.loop_stop()

    def _on_message(self, _client: Any, _data: Any, message: paho.MQTTMessage) -> None:
        with self._changed:
            self.heard.append(message)
            self._changed.notify()


@pytest.mark.skipif(MOSQUITTO is None, reason="mosquitto is not installed: apt-get install mosquitto")
def test_a_unit_is_found_and_its_contact_is_a_time_that_nobody_keeps(tmp_path: Path) -> None:
    cloud = CloudFixture(tmp_path, outside=True, environment={"CHARGEKEEPER_HOME_ASSISTANT": "on"})
    (one,) = cloud.add_units(["one"])
    try:
        cloud.start()
        first = Listener(cloud)
        cloud.connect(one).publish("heartbeat", b'{"n":1,"b":1,"s":"A1"}')
        sensor = json.loads(first.wait_for(CONFIG).payload)
        assert (sensor["device_class"], sensor["state_topic"]) == ("timestamp", STATE)
        told = json.loads(first.wait_for(STATE).payload)["last_contact"]
        assert abs(datetime.fromisoformat(told) - datetime.now(UTC)).total_seconds() < WITHIN_S
        first.close()
        later = Listener(cloud)
        assert later.wait_for(CONFIG).retain
        time.sleep(0.3)
        assert {message.topic for message in later.heard} == {CONFIG}, "no state is kept, and no unit's topic is heard"
        later.close()
    finally:
        cloud.stop()
