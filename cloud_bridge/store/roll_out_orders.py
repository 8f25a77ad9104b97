"""Which units of a roll-out are to be sent its order now, and which are to be told that it is withdrawn.

An order without an answer is sent again after AGAIN_MS: the order or the answer may be lost. No more than a tenth of
the units are updating at once, so that the effect of a release on the first units is seen before the last have it.
"""

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import BigInteger, Connection, and_, bindparam, case, func, or_, select, update

from cloud_bridge.durations import DAY_MS
from cloud_bridge.releases.roll_out_states import LOADING, RollOutState, UnitState
from cloud_bridge.store.release_tables import releases, roll_out_units, roll_outs
from cloud_bridge.store.roll_out_start import HEARD_MS
from cloud_bridge.store.tables import contacts

AGAIN_MS = DAY_MS // 4
ON_THEIR_WAY = 50  # units that update at once, in a small fleet
SHARE = 10  # in a large fleet, one unit in this many
UNDER_WAY_MS = DAY_MS  # a unit whose order is older does not count: it has gone away, or has no budget left


class Order(NamedTuple):
    """An order to one unit."""

    roll_out: int
    unit_id: str
    name: str
    version: str
    manifest_bytes: int
    is_required: bool  # the time by which the update is required has passed
    is_withdrawn: bool


def due(connection: Connection, now_ms: int, limit: int) -> list[Order]:
    """The orders to send now, to units that were heard recently, at most `limit`."""
    column = roll_out_units.c
    found: list[Order] = []
    for one in connection.execute(_OPEN).all():
        is_required = one.required_by_ms is not None and one.required_by_ms <= now_ms
        is_withdrawn = one.state == RollOutState.STOPPED
        is_old = column.ordered_ms < now_ms - AGAIN_MS
        if is_withdrawn:
            wanted = and_(column.state.in_(LOADING), or_(is_old, column.ordered_ms < one.ended_ms))
            room = limit
        else:
            waits = and_(column.state == UnitState.WAITING, column.ring <= one.ring)
            wanted = or_(waits, and_(column.state == UnitState.ORDERED, is_old))
            if is_required:
                wanted = or_(wanted, and_(column.state.in_(LOADING), column.ordered_ms < one.required_by_ms))
            room = max(ON_THEIR_WAY, one.units // SHARE) - _on_their_way(connection, one.id, now_ms)
        if min(room, limit - len(found)) <= 0:
            continue
        query = (
            select(column.unit_id, releases.c.name, func.length(releases.c.manifest))
            .join(contacts, contacts.c.unit_id == column.unit_id)
            .join(releases, releases.c.name == column.release)
            .where(column.roll_out_id == one.id, column.is_newest, wanted)
            .where(contacts.c.last_contact_ms >= now_ms - HEARD_MS)
            .limit(min(room, limit - len(found)))  # in any order: a million rows are not sorted for fifty
        )
        found += [
            Order(one.id, unit_id, name, one.version, size, is_required, is_withdrawn)
            for unit_id, name, size in connection.execute(query)
        ]
    return found


def mark_sent(connection: Connection, orders: Sequence[Order], now_ms: int) -> None:
    """Note that the broker has passed the orders on. What the units have answered meanwhile is kept."""
    rows = [{"number": one.roll_out, "unit": one.unit_id, "now": now_ms} for one in orders]
    if rows:
        connection.execute(_SENT, sorted(rows, key=lambda row: str(row["unit"])))


_OPEN = (
    select(
        roll_outs.c.id,
        roll_outs.c.version,
        roll_outs.c.units,
        roll_outs.c.state,
        roll_outs.c.ring,
        roll_outs.c.required_by_ms,
        roll_outs.c.ended_ms,
    )
    .where(
        select(roll_out_units.c.unit_id)
        .where(
            roll_out_units.c.roll_out_id == roll_outs.c.id,
            roll_out_units.c.state.in_((UnitState.WAITING, *LOADING)),
            roll_out_units.c.is_newest,
        )
        .exists()
    )
    .order_by(roll_outs.c.id)
)
_now_ms = bindparam("now", type_=BigInteger)
_is_first = roll_out_units.c.state == UnitState.WAITING
_SENT = (
    update(roll_out_units)
    .where(roll_out_units.c.roll_out_id == bindparam("number"), roll_out_units.c.unit_id == bindparam("unit"))
    .values(
        ordered_ms=_now_ms,
        state=case((_is_first, UnitState.ORDERED.value), else_=roll_out_units.c.state),
        state_ms=case((_is_first, _now_ms), else_=roll_out_units.c.state_ms),
    )
)


def _on_their_way(connection: Connection, number: int, now_ms: int) -> int:
    column = roll_out_units.c
    states = (*LOADING, UnitState.INSTALLED, UnitState.TRIAL)
    query = select(func.count()).where(column.roll_out_id == number, column.state.in_(states))
    count: int = connection.execute(query.where(column.state_ms >= now_ms - UNDER_WAY_MS)).scalar_one()
    return count
