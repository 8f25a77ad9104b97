"""The topics of the endpoint for Home Assistant, and the matching of topic filters. Pure.

    homeassistant/<component>/chargekeeper_<id>/<object>/config   discovery of a charge point's entities (entities.py)
    chargekeeper/status                                           1 while the service is available
    chargekeeper/<id>/available                                   1 while the charge point is in contact
    chargekeeper/<id>/last_contact, contact, state, order         its state (messages.py)
    chargekeeper/<id>/set/<order>                                 commands to it (orders.py)

`1` and `0` are also what mosquitto publishes for the state of its bridge connection.
"""

import re

from cloud_bridge.wire import UNIT_ID

DISCOVERY = "homeassistant"  # Home Assistant's default prefix for discovery
ROOT = "chargekeeper"
STATUS = f"{ROOT}/status"
THERE, AWAY = b"1", b"0"
OF_UNIT = ("available", "last_contact", "contact", "state", "order")

_OF_UNIT = re.compile(rf"{ROOT}/([A-Za-z0-9_-]{{1,36}})/[a-z_]+")
_ORDER = re.compile(rf"{ROOT}/([A-Za-z0-9_-]{{1,36}})/set/([a-z_]{{1,20}})")


def of_unit(unit_id: str, name: str) -> str:
    return f"{ROOT}/{unit_id}/{name}"


def config(component: str, unit_id: str, name: str) -> str:
    """Return the discovery topic of an entity; versions before 2024.11 support no other form."""
    return f"{DISCOVERY}/{component}/{ROOT}_{unit_id}/{name}/config"


def unit_named(topic_filter: str) -> str | None:
    """Return the unit whose state the filter names explicitly; None if there is none."""
    found = _OF_UNIT.fullmatch(topic_filter)
    return found[1] if found and UNIT_ID.match(found[1]) else None


def order_in(topic: str) -> tuple[str, str] | None:
    """Return unit and command in a topic; None if it is not a command topic."""
    found = _ORDER.fullmatch(topic)
    return (found[1], found[2]) if found else None


def matches(topic_filter: str, topic: str) -> bool:
    """Return True if the filter matches the topic (MQTT 3.1.1, section 4.7). None of our topics begins with `$`."""
    asked, levels = topic_filter.split("/"), topic.split("/")
    if asked[-1] == "#":
        asked.pop()
        levels = levels[: len(asked)]
    return len(asked) == len(levels) and all(one in ("+", level) for one, level in zip(asked, levels, strict=True))
