"""The entities that Home Assistant discovers for a charge point, one row for each. Pure.

Each entity has a topic of its own (discovery by component), which every version of Home Assistant supports. An OCPP charger
has no entities for values that its protocol lacks, nor for commands that it does not support.
"""

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

from cloud_bridge import commands
from cloud_bridge.contact import Contact
from cloud_bridge.home import topics
from cloud_bridge.home.messages import STATES, UNKNOWN
from cloud_bridge.store.units import Protocol
from cloud_bridge.web.api.command_schema import LEAST_AMPS, MOST_AMPS

OWN = frozenset({"signal", "mode"})  # only for units of our own; names in ENTITIES


class Entity(NamedTuple):
    """An entity. `about` has Home Assistant's own keys, as in the documentation of each MQTT component."""

    component: str
    name: str  # in topics and in `unique_id`; never changes, whatever the label
    label: str
    about: dict[str, Any]
    source: str = "state"  # the topic with its value
    needs_contact: bool = True  # unavailable while the charge point is not in contact
    do: str = ""  # the firmware's command


def _value(key: str) -> str:
    return f"{{{{ value_json.{key} }}}}"


def _number(key: str) -> str:
    """Return a template for a number. Home Assistant takes `None` for an unknown value in a sensor with a unit."""
    return f"{{{{ value_json.{key} if value_json.{key} is not none else 'None' }}}}"


_DIAGNOSTIC = {"entity_category": "diagnostic"}
_MEASURED = {"state_class": "measurement"}

ENTITIES = (
    Entity("sensor", "last_contact", "Last contacted", {"device_class": "timestamp"}, "last_contact", False),
    Entity(
        "sensor",
        "contact",
        "Contact",
        {"device_class": "enum", "options": [one.value for one in Contact]},
        "contact",
        False,
    ),
    Entity(
        "sensor",
        "state",
        "State",
        {
            "device_class": "enum",
            "options": [*dict.fromkeys(STATES.values()), UNKNOWN],
            "value_template": _value("state"),
            "icon": "mdi:ev-station",
        },
    ),
    Entity(
        "sensor",
        "power",
        "Power",
        {"device_class": "power", "unit_of_measurement": "W", **_MEASURED, "value_template": _number("power_w")},
    ),
    Entity(
        "sensor",
        "energy",
        "Energy",
        {
            "device_class": "energy",
            "unit_of_measurement": "kWh",
            "state_class": "total_increasing",
            "value_template": _number("energy_kwh"),
        },
    ),
    Entity(
        "sensor",
        "current_offered",
        "Current offered",
        {"device_class": "current", "unit_of_measurement": "A", **_MEASURED, "value_template": _number("offered_a")},
    ),
    Entity("sensor", "limited_by", "Limited by", {"value_template": _value("limited_by")}),
    Entity(
        "binary_sensor",
        "fault",
        "Fault",
        {
            "device_class": "problem",
            "value_template": "{{ 'ON' if value_json.faults else 'OFF' }}",
            "json_attributes_topic": "{state}",
            "json_attributes_template": "{{ {'faults': value_json.faults} | tojson }}",
        },
    ),
    Entity("sensor", "faults", "Faults", {**_DIAGNOSTIC, "value_template": _value("faults_said")}),
    Entity(
        "sensor",
        "signal",
        "Mobile signal",
        {
            **_DIAGNOSTIC,
            **_MEASURED,
            "unit_of_measurement": "CSQ",
            "icon": "mdi:signal",
            "value_template": _number("csq"),
        },
    ),
    Entity("sensor", "mode", "Mode", {**_DIAGNOSTIC, "value_template": _value("mode")}),
    Entity("sensor", "order", "Last order", {**_DIAGNOSTIC, "value_template": _value("said")}, "order", False),
    Entity("button", "charge_now", "Charge now", {"icon": "mdi:flash"}, "set/charge_now", do="override"),
    Entity("button", "pause", "Pause", {"icon": "mdi:pause"}, "set/pause", do="pause"),
    Entity("button", "clear", "Clear limit and pause", {"icon": "mdi:play"}, "set/clear", do="resume"),
    Entity(
        "number",
        "limit",
        "Current limit",
        {
            "device_class": "current",
            "unit_of_measurement": "A",
            "min": LEAST_AMPS,
            "max": MOST_AMPS,
            "step": 1,
            "mode": "box",
            "state_topic": "{state}",
            "value_template": _number("allowed_a"),
        },
        "set/limit",
        do="limit",
    ),
)


class Device(NamedTuple):
    """A charge point, as a device that groups its entities."""

    unit_id: str
    name: str
    protocol: str
    link: str  # to its page


def discovery(device: Device, may_order: bool) -> Iterator[tuple[str, bytes]]:
    """Return topics and payloads of the discovery messages, to be retained."""
    for entity in ENTITIES:
        if _is_there(entity, device.protocol, may_order):
            yield (
                topics.config(entity.component, device.unit_id, entity.name),
                json.dumps(_config(entity, device)).encode(),
            )


def removal(unit_id: str) -> Iterator[str]:
    """Return the topics that have to be cleared to remove the unit completely."""
    return (topics.config(entity.component, unit_id, entity.name) for entity in ENTITIES)


def _is_there(entity: Entity, protocol: str, may_order: bool) -> bool:
    if entity.do:
        return may_order and commands.is_possible(protocol, entity.do, {"on": True})
    return protocol != Protocol.OCPP or entity.name not in OWN


def _config(entity: Entity, device: Device) -> dict[str, Any]:
    identity = f"{topics.ROOT}_{device.unit_id}"
    available = [topics.STATUS, *([topics.of_unit(device.unit_id, "available")] if entity.needs_contact else [])]
    state, source = topics.of_unit(device.unit_id, "state"), topics.of_unit(device.unit_id, entity.source)
    return {
        "unique_id": f"{identity}_{entity.name}",
        "name": entity.label,
        "command_topic" if entity.do else "state_topic": source,
        "availability": [
            {"topic": topic, "payload_available": "1", "payload_not_available": "0"} for topic in available
        ],
        "availability_mode": "all",
        **{key: state if value == "{state}" else value for key, value in entity.about.items()},
        "device": {
            "identifiers": [identity],
            "name": device.name,
            "manufacturer": "Chargekeeper",
            "model": "OCPP" if device.protocol == Protocol.OCPP else "Charge point",
            "configuration_url": device.link,
        },
        "origin": {"name": "Chargekeeper"},
    }
