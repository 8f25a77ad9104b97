"""The present state of a charge point for Home Assistant, as topics and payloads. Pure.

The texts are in English, as in all interfaces for programs, because automations compare them.
"""

import json
from typing import Any

from cloud_bridge.clock import iso_utc
from cloud_bridge.contact import Contact
from cloud_bridge.home import topics
from cloud_bridge.store.commands import Command
from cloud_bridge.values import NO_CSQ
from cloud_bridge.web.api.command_schema import LEAST_AMPS
from cloud_bridge.web.presentation.view import ChargePoint
from cloud_bridge.wire import Heartbeat

UNKNOWN = "unknown"
FAULT = "fault"
LONGEST_STATE = 255  # characters that Home Assistant accepts
STATES = {  # states of the control pilot (IEC 61851-1); the digit is 2 while current is offered
    "A1": "no vehicle",
    "A2": "no vehicle",
    "B1": "waiting",
    "B2": "full or not ready",
    "C1": "waiting",
    "C2": "charging",
    "D1": "waiting",
    "D2": "charging",
    "E": "no pilot signal",
    "F": "not available",
    "": FAULT,  # in any state of the pilot
}


def messages(point: ChargePoint, order: Command | None) -> dict[str, bytes]:
    """Return the messages by topic. Unknown values are null in `state`. Before the first contact, there is no
    `last_contact`."""
    is_there = point.verdict.contact is Contact.ONLINE
    told = {
        "available": topics.THERE if is_there else topics.AWAY,
        "contact": point.verdict.contact.encode(),
        "state": json.dumps(_state(point.heartbeat)).encode(),
        "order": order_message(_said(order)),
    }
    if point.last_contact_ms is not None:
        told["last_contact"] = iso_utc(point.last_contact_ms).encode()
    return {topics.of_unit(point.id, name): payload for name, payload in told.items()}


def order_message(said: str) -> bytes:
    """Return the message about the last command."""
    return json.dumps({"said": said[:LONGEST_STATE]}).encode()


def _state(heartbeat: Heartbeat) -> dict[str, Any]:
    faults, allowed_a = heartbeat.faults or [], _allowed(heartbeat)
    return {
        "state": FAULT if faults else STATES.get(heartbeat.state or UNKNOWN, UNKNOWN),
        "power_w": heartbeat.watts,
        "energy_kwh": None if heartbeat.total_wh is None else heartbeat.total_wh / 1000,
        "offered_a": heartbeat.amps,
        "allowed_a": allowed_a if allowed_a is not None and allowed_a >= LEAST_AMPS else None,
        "limited_by": (heartbeat.limited_by or UNKNOWN).replace("_", " "),
        "faults": faults,
        "faults_said": ", ".join(one.replace("_", " ") for one in faults) or "none",
        "csq": None if heartbeat.csq == NO_CSQ else heartbeat.csq,
        "mode": (heartbeat.mode or UNKNOWN).replace("_", " "),
    }


def _allowed(heartbeat: Heartbeat) -> float | None:
    """Return the current that is allowed now. If no claim limits it, that is the offered current
    (tests/samples/schema.toml)."""
    return heartbeat.amps if heartbeat.allowed_amps is None else heartbeat.allowed_amps


def _said(order: Command | None) -> str:
    """Return the last command with its status, whoever gave it."""
    if order is None:
        return "none"
    amps = order.arguments.get("amps")
    asked = f"{order.do} {amps} A" if amps is not None else order.do
    reason = f" ({order.reason})" if order.reason else ""
    return f"{asked}: {order.status}{reason}"
