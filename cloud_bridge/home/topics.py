"""The topics at the door for Home Assistant, and which of them a topic filter asks for. Pure.

    homeassistant/<component>/chargekeeper_<id>/<object>/config   what there is of a charge point (entities.py)
    chargekeeper/status                                           1 while we are there
    chargekeeper/<id>/available                                   1 while the charge point is in contact
    chargekeeper/<id>/last_contact, contact, state, order         what is known of it (messages.py)
    chargekeeper/<id>/set/<order>                                 what it is to do (orders.py)

`1` and `0` are what mosquitto itself writes where it tells whether its bridge to us is connected.
"""

import re

from cloud_bridge.wire import UNIT_ID

DISCOVERY = "homeassistant"  # its own name for the topics where it looks
ROOT = "chargekeeper"
STATUS = f"{ROOT}/status"
THERE, AWAY = b"1", b"0"
OF_UNIT = ("available", "last_contact", "contact", "state", "order")

_OF_UNIT = re.compile(rf"{ROOT}/([A-Za-z0-9_-]{{1,36}})/[a-z_]+")
_ORDER = re.compile(rf"{ROOT}/([A-Za-z0-9_-]{{1,36}})/set/([a-z_]{{1,20}})")


def of_unit(unit_id: str, name: str) -> str:
    return f"{ROOT}/{unit_id}/{name}"


def config(component: str, unit_id: str, name: str) -> str:
    """Where Home Assistant looks for one entity; versions before 2024.11 know no other place."""
    return f"{DISCOVERY}/{component}/{ROOT}_{unit_id}/{name}/config"


def unit_named(topic_filter: str) -> str | None:
    """The unit whose state the filter asks for by name; None: by no name, or not for a state."""
    found = _OF_UNIT.fullmatch(topic_filter)
    return found[1] if found and UNIT_ID.match(found[1]) else None


def order_in(topic: str) -> tuple[str, str] | None:
    """Unit and order; None: the topic is none of an order."""
    found = _ORDER.fullmatch(topic)
    return (found[1], found[2]) if found else None


def matches(topic_filter: str, topic: str) -> bool:
    """Section 4.7 of MQTT 3.1.1. None of our topics begins with `$`."""
    asked, levels = topic_filter.split("/"), topic.split("/")
    if asked[-1] == "#":
        asked.pop()
        levels = levels[: len(asked)]
    return len(asked) == len(levels) and all(one in ("+", level) for one, level in zip(asked, levels, strict=True))
