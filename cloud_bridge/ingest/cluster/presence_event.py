"""Parse a node's events about clients that connect and disconnect (docs.nats.io, "System events"). Pure."""

import json

from cloud_bridge.ingest.canary import CANARY_ID
from cloud_bridge.ingest.cluster.cluster_file import ACCOUNT
from cloud_bridge.ingest.cluster.connz import time_ms
from cloud_bridge.store.presence import Presence
from cloud_bridge.wire import UNIT_ID

SUBJECTS = f"$SYS.ACCOUNT.{ACCOUNT}.*"
_IS_CONNECTED = {"CONNECT": True, "DISCONNECT": False}
_TAKEN_OVER = "Duplicate Client ID"  # the unit is still connected, by the connection that took over


def read_event(subject: str, data: bytes) -> Presence | None:
    """Parse an event. Return None if it is not about a unit's presence or is invalid."""
    connected = _IS_CONNECTED.get(subject.rpartition(".")[2])
    try:
        said = json.loads(data)
        unit_id, door = said["client"].get("client_id"), str(said["server"]["name"])
        changed_ms = time_ms(said["timestamp"])
        reason = said.get("reason")
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
    if connected is None or reason == _TAKEN_OVER or not is_unit(unit_id):
        return None
    return Presence(unit_id, connected, door, changed_ms)


def is_unit(client_id: object) -> bool:
    """Return whether a client id is that of a unit, and not of a canary or another client of ours."""
    return isinstance(client_id, str) and bool(UNIT_ID.match(client_id)) and not client_id.startswith(CANARY_ID)
