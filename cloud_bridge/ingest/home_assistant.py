"""Home Assistant finds the units by itself, where it shares an outside broker with us (CHARGEKEEPER_HOME_ASSISTANT=on).

`python -m cloud_bridge mosquitto write` then makes a user for it, `home_assistant`, whose secret lies beside ours. Only
what a unit is stays in the broker (MQTT discovery, retained). When it was last contacted is told with every message
once that is stored, as a time by our clock, and is never retained: a time does not turn false by growing old, and Home
Assistant shows "unknown" after its own restart until the unit speaks again, which is what it then knows. To take a unit
out, delete its device there. All units are told here, to whoever has that secret: people's own Home Assistants come in by a
door of their own, which tells more (home/README.md).
"""

import json
from typing import NamedTuple

from cloud_bridge.clock import iso_utc

USER = "home_assistant"
DISCOVERY = "homeassistant"  # its own name for the topics where it looks
STATE = "chargekeeper"
# By us. Versions before 2024.11 find what is there by its component alone; `device` is what we wrote before.
PUBLISHED = (f"{DISCOVERY}/sensor/+/last_contact/config", f"{DISCOVERY}/device/+/config", f"{STATE}/+/contact")
ACCESS = (  # of Home Assistant itself, as in an access list of mosquitto
    f"read {DISCOVERY}/#",
    f"read {STATE}/#",
    f"readwrite {DISCOVERY}/status",  # its birth and its will
    f"readwrite {DISCOVERY}/sensor/+/last_contact/config",  # it clears the retained message when a device is deleted
)


class Discovery(NamedTuple):
    """What Home Assistant finds. With a public address, each device links to its page."""

    public_url: str | None = None

    def device(self, unit_id: str) -> list[tuple[str, bytes]]:
        """Topics and payloads of the unit, to be retained; an empty one clears what an older version has left there."""
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
    """Topic and payload, never to be retained."""
    return _state_topic(unit_id), json.dumps({"last_contact": iso_utc(at_ms)}).encode()


def _state_topic(unit_id: str) -> str:
    return f"{STATE}/{unit_id}/contact"
