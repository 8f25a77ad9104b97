"""What a node tells when a client of an account comes or goes (docs.nats.io, "System events"). Pure."""

import json

from cloud_bridge.ingest.canary import CANARY_ID
from cloud_bridge.ingest.cluster.cluster_file import ACCOUNT
from cloud_bridge.ingest.cluster.connz import time_ms
from cloud_bridge.store.presence import Presence
from cloud_bridge.wire import UNIT_ID

SUBJECTS = f"$SYS.ACCOUNT.{ACCOUNT}.*"
_IS_CONNECTED = {"CONNECT": True, "DISCONNECT": False}
_TAKEN_OVER = "Duplicate Client ID"  # the unit is there, by the connection that took over


def read_event(subject: str, data: bytes) -> Presence | None:
    """None for what tells nothing of a unit, or cannot be read."""
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
    """Our own clients, and canaries, are none."""
    return isinstance(client_id, str) and bool(UNIT_ID.match(client_id)) and not client_id.startswith(CANARY_ID)
