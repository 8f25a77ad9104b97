"""Which units report a fault in their newest heartbeat, and how many do.

Heartbeats are stored as the units wrote them: JSON without spaces (tests/samples/schema.toml). So a pattern can find
the few that have one of the keys `h`, `d` and `p`: this is the column `troubled`, which has its own index. Only those
are decoded.
"""

from collections.abc import Iterable

from sqlalchemy import ColumnElement, Connection, func, select

from cloud_bridge.store.tables import heartbeats
from cloud_bridge.wire import BadPayload, Heartbeat, decode

_COUNTED = {  # keyed by the name of the fault
    "records_dropped": heartbeats.c.payload.like('%"d":%'),
    "parts_failed": heartbeats.c.payload.like('%"p":%'),
}


def heartbeats_with_trouble(connection: Connection, since_ms: int) -> Iterable[tuple[str, int, Heartbeat]]:
    """(unit id, time of arrival, heartbeat) of each that arrived since `since_ms` and may report a fault."""
    query = select(heartbeats.c.unit_id, heartbeats.c.received_ms, heartbeats.c.payload).where(
        heartbeats.c.received_ms >= since_ms, heartbeats.c.troubled
    )
    for unit_id, received_ms, payload in connection.execute(query.order_by(heartbeats.c.unit_id)):
        try:
            heartbeat = decode("heartbeat", payload.encode())
        except BadPayload:  # written by another version of the bridge
            continue
        if isinstance(heartbeat, Heartbeat):
            yield unit_id, received_ms, heartbeat


def count_troubled(connection: Connection, names: Iterable[str]) -> tuple[int, dict[str, int]]:
    """The number of units with any fault, and the number for each fault: these names and those that have a count. It
    reads the units with a fault only once."""
    conditions = {name: heartbeats.c.payload.like(f'%"h":[%"{name}"%') for name in names} | _COUNTED
    query = select(func.count(), *map(_count, conditions.values())).where(heartbeats.c.troubled)
    any_trouble, *by_name = connection.execute(query).one()
    return any_trouble, dict(zip(conditions, by_name, strict=True))


def _count(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return func.count().filter(condition)
