"""The clock of a unit, according to its newest heartbeat."""

from typing import NamedTuple

from sqlalchemy import Connection, select

from cloud_bridge.contact import FUTURE_MS, is_believable
from cloud_bridge.store.tables import contacts, heartbeats
from cloud_bridge.wire import BadPayload, decode


class UnitClock(NamedTuple):
    """The clock as a heartbeat has shown it."""

    heartbeat_ms: int  # when the heartbeat arrived
    ahead_ms: int  # how far the unit's clock is ahead of ours


def unit_clock(connection: Connection, unit_id: str, now_ms: int) -> UnitClock | None:
    """The clock of a unit. None: it has not reported a time, or our own clock may have been wrong when the heartbeat
    arrived."""
    query = (
        select(heartbeats.c.received_ms, heartbeats.c.payload, contacts.c.latest_ms)
        .join(contacts, contacts.c.unit_id == heartbeats.c.unit_id)
        .where(heartbeats.c.unit_id == unit_id)
    )
    row = connection.execute(query).one_or_none()
    if row is None or not is_believable(row.received_ms, now_ms) or row.received_ms < row.latest_ms - FUTURE_MS:
        return None
    try:
        unit_time_s = decode("heartbeat", row.payload.encode()).unit_time_s
    except BadPayload:  # written by another version of the bridge
        return None
    return None if unit_time_s is None else UnitClock(row.received_ms, unit_time_s * 1000 - row.received_ms)
