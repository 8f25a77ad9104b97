"""Find units whose vehicle is connected and does not charge, but has charged before.

Heartbeats are stored as the units wrote them: JSON without spaces (tests/samples/schema.toml). So a LIKE pattern
selects those with a vehicle that could charge, and only these are decoded.
"""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection, or_, select

from cloud_bridge.store.chunks import in_chunks, in_order
from cloud_bridge.store.ownership import is_owners
from cloud_bridge.store.tables import heartbeats, power, units
from cloud_bridge.wire import BadPayload, Heartbeat, decode

COULD_CHARGE = ("B2", "C2", "D2")  # pilot states in which current is offered to the vehicle
_COULD_CHARGE = or_(*(heartbeats.c.payload.like(f'%"s":"{state}"%') for state in COULD_CHARGE))


def idle_vehicles(
    connection: Connection, since_ms: int, below_w: int, drew_since_ms: int
) -> Iterable[tuple[str, Heartbeat]]:
    """Yield (unit id, newest heartbeat) of units that were heard since `since_ms` and whose vehicle does not take the
    offered current, but took some after `drew_since_ms`. So a vehicle that has been full for days is skipped."""
    drew = select(power.c.unit_id).where(
        power.c.unit_id == heartbeats.c.unit_id,
        power.c.received_ms >= drew_since_ms,
        in_chunks(power.c.received_ms, drew_since_ms, None),
        power.c.watts >= below_w,
    )
    query = select(heartbeats.c.unit_id, heartbeats.c.payload).where(
        heartbeats.c.received_ms >= since_ms, _COULD_CHARGE, drew.exists()
    )
    for unit_id, payload in connection.execute(query.order_by(heartbeats.c.unit_id)):
        try:
            heartbeat = decode("heartbeat", payload.encode())
        except BadPayload:  # written by another version of the bridge
            continue
        if not isinstance(heartbeat, Heartbeat) or heartbeat.state not in COULD_CHARGE:
            continue
        if heartbeat.amps and heartbeat.watts is not None and heartbeat.watts < below_w and not heartbeat.faults:
            yield unit_id, heartbeat


def owners_power(connection: Connection, unit_id: str, since_ms: int, until_ms: int) -> list[dict[str, Any]]:
    """Return the readings like `power_readings` of history.py, of the present owner's period."""
    at = power.c.received_ms
    of_unit = (power.c.unit_id == unit_id, at.between(since_ms, until_ms), in_chunks(at, since_ms, until_ms))
    query = select(power).join(units, units.c.id == power.c.unit_id).where(*of_unit, is_owners(power))
    return [dict(row._mapping) for row in connection.execute(query.order_by(*in_order(at)))]
