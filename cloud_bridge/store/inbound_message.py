"""A received message of a unit, in the same form for every way in (embedded broker, outside broker, NATS, OCPP)."""

from collections.abc import Collection
from typing import NamedTuple

from cloud_bridge.duplicate_identity import Evidence
from cloud_bridge.wire import Message

Doors = tuple[tuple[str, int], ...]  # (name of a cluster's node, number of its path); see cloud_bridge/paths.py
ANYWHERE = ""  # instead of a name: whichever node the unit is connected to


class InboundMessage(NamedTuple):
    """A received message. It is a contact unless it is late. `message` is None if the payload is invalid or a
    repeat."""

    unit_id: str
    kind: str  # heartbeat, event, session, result
    received_ms: int  # by our clock, at the first process of ours
    payload: bytes
    message: Message | None
    bad: bool
    previous_ms: int | None = None  # the unit's previous contact
    late: bool = False  # a broker had queued it: it is stored, but is no contact
    duplicate: Evidence | None = None  # evidence of a second charge point with this identity
    listened_ms: int = 0  # an upper bound of our total listening time by then
    latest_ms: int = 0  # the latest time that it may have been then (verified_time.py)
    shard: int = 1  # of the process that received it
    doors: Doors = ()  # of the cluster that it came through; path and listening time are then taken from the store
    stored_by_ms: int = 0  # an upper bound of the time at which a node stored it
    again: bool = False  # a redelivery, which may be stored already


class CanaryMark(NamedTuple):
    """A canary that came by the way of the units' messages (ingest/canary.py)."""

    received_ms: int
    shard: int = 1  # or the path in a cluster
    listened_ms: int = 0  # our total listening time by then
    latest_ms: int = 0  # the latest time that it may have been then
    paths: Collection[
        int
    ] = ()  # all paths of the cluster, if it came through one (cloud_bridge/paths.py); `shard` is one of them
    door: str = ""  # the OCPP door of a cluster, if it came through one
