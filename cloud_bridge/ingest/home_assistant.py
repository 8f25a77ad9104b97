"""MQTT discovery for one Home Assistant that shares an outside broker with us (CHARGEKEEPER_HOME_ASSISTANT=on).

`python -m cloud_bridge mosquitto write` then creates a user for it, `home_assistant`, with its secret beside ours. Only
the description of a unit is retained in the broker. The time of the last contact is published after each message is
committed, by our clock, and is not retained: a timestamp stays true when it gets old, and after a restart Home
Assistant shows "unknown" until the unit's next message. To remove a unit, delete its device in Home Assistant.

Whoever has that secret sees all units. People's own Home Assistants use a listener of their own, with more data
(home/README.md).
"""

import json
from typing import NamedTuple

from cloud_bridge.clock import iso_utc

USER = "home_assistant"
DISCOVERY = "homeassistant"  # Home Assistant's default discovery prefix
STATE = "chargekeeper"
# Topics that we publish. Home Assistant before 2024.11 supports discovery by component only; older versions of the
# bridge used `device`.
PUBLISHED = (f"{DISCOVERY}/sensor/+/last_contact/config", f"{DISCOVERY}/device/+/config", f"{STATE}/+/contact")
ACCESS = (  # of Home Assistant, in the format of mosquitto's access list
    f"read {DISCOVERY}/#",
    f"read {STATE}/#",
    f"readwrite {DISCOVERY}/status",  # its birth and its will
    f"readwrite {DISCOVERY}/sensor/+/last_contact/config",  # to clear it when a device is deleted
)


class Discovery(NamedTuple):
    """Builds discovery messages. With a public URL, each device links to its page."""

    public_url: str | None = None

    def device(self, unit_id: str) -> list[tuple[str, bytes]]:
        """Return the unit's topics and payloads, to be published retained. The empty payload clears the message of an
        older version of the bridge."""
        name = f"chargekeeper_{unit_id}"
        device: dict[str, object] = {"identifiers": [name], "name": unit_id, "manufacturer": "Chargekeeper"}
        if self.public_url:
            device["configuration_url"] = f"{self.public_url}/charge-points/{unit_id}"
        said = {
            "unique_id": f"{name}_last_contact",
            "name": "Last contacted",
            "device_class": "timestamp",
            "state_topic": _state_topic(unit_id),
            "value_template": "{{ value_json.last_contact }}",
            "device": device,
            "origin": {"name": "Chargekeeper"},
        }
        found = f"{DISCOVERY}/sensor/{name}/last_contact/config"
        return [(f"{DISCOVERY}/device/{name}/config", b""), (found, json.dumps(said).encode())]


def contacted(unit_id: str, at_ms: int) -> tuple[str, bytes]:
    """Return topic and payload with the time of the last contact. Publish it without retain."""
    return _state_topic(unit_id), json.dumps({"last_contact": iso_utc(at_ms)}).encode()


def _state_topic(unit_id: str) -> str:
    return f"{STATE}/{unit_id}/contact"
