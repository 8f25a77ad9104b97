"""Which units report a trouble in their newest heartbeat, and how many do.

Heartbeats are stored as the units wrote them: JSON without spaces (tests/samples/schema.toml). So a pattern finds the few that
have one of the keys `h`, `d` and `p`: the column `troubled`, which has an index of its own. Only those are decoded.
"""

from collections.abc import Iterable

from sqlalchemy import ColumnElement, Connection, func, select

from cloud_bridge.store.tables import heartbeats
from cloud_bridge.wire import BadPayload, Heartbeat, decode

_COUNTED = {  # by the name of the trouble
    "records_dropped": heartbeats.c.payload.like('%"d":%'),
    "parts_failed": heartbeats.c.payload.like('%"p":%'),
}


def heartbeats_with_trouble(connection: Connection, since_ms: int) -> Iterable[tuple[str, int, Heartbeat]]:
    """(unit id, when it came, heartbeat) of each that came since then and may report a trouble."""
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
    """Units with any trouble; and by trouble, with each of these names or a number. One pass over those with one."""
    conditions = {name: heartbeats.c.payload.like(f'%"h":[%"{name}"%') for name in names} | _COUNTED
    query = select(func.count(), *map(_count, conditions.values())).where(heartbeats.c.troubled)
    any_trouble, *by_name = connection.execute(query).one()
    return any_trouble, dict(zip(conditions, by_name, strict=True))


def _count(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return func.count().filter(condition)
