"""Which entities does Home Assistant get, and are all of them as its documentation requires?"""

import json
from typing import Any

import pytest

from cloud_bridge.home import topics
from cloud_bridge.home.entities import ENTITIES, Device, discovery, removal
from cloud_bridge.home.messages import STATES
from cloud_bridge.home.orders import NAMES, NoOrder, holds_ms, read_order
from cloud_bridge.store.units import Protocol
from tests.cloud_bridge.running import START_MS

ALLOWED = {  # units for each device class and state class, from Home Assistant's documentation of sensors
    "power": ("W", "measurement"),
    "energy": ("kWh", "total_increasing"),
    "current": ("A", "measurement"),
}


def found(protocol: str = Protocol.MQTT, may_order: bool = True) -> dict[str, dict[str, Any]]:
    """Return the discovery messages by topic."""
    device = Device("cp-1", "Garage", protocol, "https://example.org/charge-points/cp-1")
    return {topic: json.loads(payload) for topic, payload in discovery(device, may_order)}


def test_each_entity_has_a_topic_of_its_own_and_is_available_with_contact() -> None:
    for topic, about in found().items():
        prefix, component, node, name, last = topic.split("/")
        assert (prefix, node, last) == ("homeassistant", "chargekeeper_cp-1", "config"), "known before 2024.11 too"
        assert about["unique_id"] == f"chargekeeper_cp-1_{name}"
        assert about["device"]["name"] == "Garage"
        assert about["availability_mode"] == "all"
        available = [one["topic"] for one in about["availability"]]
        assert available[0] == "chargekeeper/status"
        assert available[1:] == (
            [] if name in ("last_contact", "contact", "order") else ["chargekeeper/cp-1/available"]
        )
        assert ("command_topic" in about) == (component in ("button", "number"))


def test_units_are_those_of_their_device_class() -> None:
    for about in found().values():
        if about.get("device_class") in ALLOWED and "command_topic" not in about:
            assert (about["unit_of_measurement"], about["state_class"]) == ALLOWED[about["device_class"]]


def test_a_charger_of_another_maker_has_no_entity_for_what_it_cannot_tell() -> None:
    missing = {topic.split("/")[3] for topic in found().keys() - found(Protocol.OCPP).keys()}
    assert missing == {"signal", "mode"}


def test_who_may_not_order_has_nothing_to_order_with() -> None:
    assert not [topic for topic, about in found(may_order=False).items() if "command_topic" in about]


def test_all_is_taken_out_and_every_state_has_a_word() -> None:
    assert set(removal("cp-1")) >= set(found())
    (state,) = [one for one in ENTITIES if one.name == "state"]
    assert set(STATES.values()) < set(state.about["options"])


@pytest.mark.parametrize(
    ("topic_filter", "topic", "does"),
    [
        ("homeassistant/#", "homeassistant/sensor/x/y/config", True),
        ("homeassistant/+/+/config", "homeassistant/sensor/x/y/config", False),
        ("homeassistant/+/+/+/config", "homeassistant/sensor/x/y/config", True),
        ("chargekeeper/one/#", "chargekeeper/one", True),
        ("chargekeeper/one/state", "chargekeeper/one2/state", False),
        ("#", "chargekeeper/one/state", True),
        ("+", "chargekeeper/one/state", False),
    ],
)
def test_filters(topic_filter: str, topic: str, does: bool) -> None:
    assert topics.matches(topic_filter, topic) is does


@pytest.mark.parametrize(
    ("name", "payload", "arguments", "minutes"),
    [
        ("limit", b"16", {"amps": 16}, 1440),
        ("limit", b'{"amps": 10, "minutes": 90}', {"amps": 10}, 90),
        ("pause", b"PRESS", {}, 1440),
        ("pause", b'{"minutes": 5}', {}, 5),
        ("charge_now", b"PRESS", {"on": True}, None),
        ("charge_now", b'{"on": false}', {"on": False}, None),
        ("clear", b"PRESS", {}, None),
    ],
)
def test_orders(name: str, payload: bytes, arguments: dict[str, Any], minutes: int | None) -> None:
    order = read_order(name, payload)
    assert (order.do, order.arguments()) == (name, arguments)
    assert holds_ms(order, START_MS) == (None if minutes is None else minutes * 60_000)


@pytest.mark.parametrize("name", sorted(NAMES | {"reboot"}))
@pytest.mark.parametrize(
    "payload", [b"", b"\xff", b"[]", b"1e999", b"NaN", b'{"do": "reboot"}', b'{"amps": 1}', b"[" * 5000]
)
def test_what_is_no_order(name: str, payload: bytes) -> None:
    if (name, payload) in ((name, b'{"do": "reboot"}') for name in ("pause", "clear", "charge_now")):
        assert read_order(name, payload).do == name, "the topic says what"
        return
    with pytest.raises(NoOrder):
        read_order(name, payload)
