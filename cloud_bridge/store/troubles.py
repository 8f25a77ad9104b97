"""Which units report a trouble in their newest heartbeat, and how many do.

Heartbeats are stored as the units wrote them: JSON without spaces (tests/samples/schema.toml). So a pattern finds the few that
have one of the keys `h` and `d`, and only those are decoded.
"""

from collections.abc import Iterable

from sqlalchemy import ColumnElement, Connection, func, or_, select

from cloud_bridge.store.tables import heartbeats
from cloud_bridge.wire import BadPayload, Heartbeat, decode

_NAMED = heartbeats.c.payload.like('%"h":[%')
_DROPPED = heartbeats.c.payload.like('%"d":%')


def heartbeats_with_trouble(connection: Connection, since_ms: int) -> Iterable[tuple[str, int, Heartbeat]]:
    """(unit id, when it came, heartbeat) of each that came since then and may report a trouble."""
    query = select(heartbeats.c.unit_id, heartbeats.c.received_ms, heartbeats.c.payload).where(
        heartbeats.c.received_ms >= since_ms, or_(_NAMED, _DROPPED)
    )
    for unit_id, received_ms, payload in connection.execute(query.order_by(heartbeats.c.unit_id)):
        try:
            heartbeat = decode("heartbeat", payload.encode())
        except BadPayload:  # written by another version of the bridge
            continue
        if isinstance(heartbeat, Heartbeat):
            yield unit_id, received_ms, heartbeat


def count_troubled(connection: Connection, names: Iterable[str]) -> tuple[int, dict[str, int], int]:
    """Units with any trouble; with each of these names; and with records given up. One pass over the newest heartbeats."""
    names = list(names)
    with_name = [_NAMED & heartbeats.c.payload.like(f'%"h":[%"{name}"%') for name in names]
    row = connection.execute(select(*(_count(one) for one in (or_(_NAMED, _DROPPED), *with_name, _DROPPED)))).one()
    any_trouble, *by_name, dropped = row
    return any_trouble, dict(zip(names, by_name, strict=True)), dropped


def _count(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return func.count().filter(condition)
