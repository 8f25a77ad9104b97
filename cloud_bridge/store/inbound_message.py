"""One message of a unit as it came in: the same for every way in (embedded broker, MQTT broker, NATS)."""

from collections.abc import Collection
from typing import NamedTuple

from cloud_bridge.duplicate_identity import Evidence
from cloud_bridge.wire import Message

Doors = tuple[
    tuple[str, int], ...
]  # names of a cluster's nodes, and the numbers of their paths (cloud_bridge/paths.py); one without a name: wherever it is
ANYWHERE = ""


class InboundMessage(NamedTuple):
    """A contact, if it is not late. `message` is None when the payload could not be read, or when it is a repeat."""

    unit_id: str
    kind: str  # heartbeat, event, session, result
    received_ms: int  # our clock, at the first hop of ours
    payload: bytes
    message: Message | None
    bad: bool
    previous_ms: int | None = None  # the unit's contact before this one
    late: bool = False  # a broker kept it for us: it is stored, but it is no contact
    duplicate: Evidence | None = None  # another charge point has the same identity, as this message shows
    listened_ms: int = 0  # how long we had listened in all by then, at most
    latest_ms: int = 0  # how late it may have been then (verified_time.py)
    shard: int = 1  # of the process that heard it
    doors: Doors = ()  # of the cluster that it came through: the store says by which, and how long we had listened there
    stored_by_ms: int = 0  # by a node of it, at the latest
    again: bool = False  # it was delivered to us before, and may be stored already


class CanaryMark(NamedTuple):
    """A mark of our own that came the way of the units' messages (ingest/canary.py)."""

    received_ms: int
    shard: int = 1  # of the processes that share a broker; each can be deaf on its own
    listened_ms: int = 0  # how long we had listened in all by then
    latest_ms: int = 0  # how late it may have been then
    paths: Collection[
        int
    ] = ()  # of the cluster, if it came through one (cloud_bridge/paths.py); `shard` is one of them
    door: str = ""  # for OCPP, of a cluster, if it came through one
