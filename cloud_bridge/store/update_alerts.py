"""Updates that people still have to be alerted to: those of their own charge point, and roll-outs that stopped by
themselves.

They are taken in the transaction that queues the alerts, as described in untold.py.
"""

from typing import NamedTuple

from sqlalchemy import Connection, bindparam, select, update

from cloud_bridge.releases.roll_out_states import UnitState
from cloud_bridge.store.release_tables import roll_out_units, roll_outs
from cloud_bridge.store.untold import AT_ONCE, take


class NewUpdate(NamedTuple):
    """How far one unit has come with an update."""

    unit_id: str
    version: str
    state: UnitState
    state_ms: int


def take_updates(connection: Connection) -> list[NewUpdate]:
    """Take the updates of units, at most AT_ONCE. A row that another transaction is changing is left for the next
    time."""
    column = roll_out_units.c
    query = (
        select(column.roll_out_id, column.unit_id, roll_outs.c.version, column.state, column.state_ms)
        .join(roll_outs, roll_outs.c.id == column.roll_out_id)
        .where(column.untold)
        .order_by(column.unit_id)
        .limit(AT_ONCE)
    )
    rows = connection.execute(query.with_for_update(skip_locked=True, of=roll_out_units)).all()
    if rows:
        connection.execute(_TOLD, [{"number": row.roll_out_id, "unit": row.unit_id} for row in rows])
    return [NewUpdate(row.unit_id, row.version, UnitState(row.state), row.state_ms) for row in rows]


def take_stopped(connection: Connection) -> list[tuple[str, str]]:
    """Take the stopped roll-outs: version and reason of each."""
    query = select(roll_outs.c.id, roll_outs.c.version, roll_outs.c.why)
    return [(row.version, row.why) for row in take(connection, roll_outs, query)]


_TOLD = (
    update(roll_out_units)
    .where(roll_out_units.c.roll_out_id == bindparam("number"), roll_out_units.c.unit_id == bindparam("unit"))
    .values(untold=False)
)
