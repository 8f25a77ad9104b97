"""Sessions for which meter and vehicle are still to be found, and the result (cloud_bridge/settling.py).

Each row has its own mark that it is unsettled, like the mark "untold" of other rows, and for the same reason
(untold.py). It does no harm if two processes settle the same session: both get the same result.
"""

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import Connection, select, update

from cloud_bridge.store.ownership import HAPPENED
from cloud_bridge.store.readable import readable
from cloud_bridge.store.tables import sessions, units
from cloud_bridge.store.vehicle_tables import vehicles

AT_ONCE = 200  # sessions


class Unsettled(NamedTuple):
    """A session. Times are UTC in milliseconds since 1970."""

    id: int
    unit_id: str
    owner_id: int | None  # None: it is from before the present owner, or the unit has no owner
    began_ms: int
    ended_ms: int
    energy_wh: int | None


class SomeUnsettled(NamedTuple):
    """At most AT_ONCE in total; `unreadable` are the ids of rows with impossible values."""

    readable: list[Unsettled]
    unreadable: list[int]


class Charge(NamedTuple):
    """The times between which a vehicle was seen charging, by its account."""

    name: str
    from_ms: int
    until_ms: int


class Settled(NamedTuple):
    """What was found for a session; None: not known."""

    id: int
    meter_began_wh: int | None = None
    meter_ended_wh: int | None = None
    vehicle: str | None = None


def unsettled_sessions(connection: Connection, until_ms: int) -> SomeUnsettled:
    """The unsettled sessions received until `until_ms`, in order of arrival."""
    told = [sessions.c[name] for name in ("received_ms", "started_s", "ended_s", "duration_s", "energy_wh")]
    columns = [sessions.c.id, sessions.c.unit_id, *told]
    owner, owned_from_ms = (
        select(column).where(units.c.id == sessions.c.unit_id).scalar_subquery()
        for column in (units.c.owner_id, units.c.owned_from_ms)
    )
    whose = (HAPPENED[sessions].began_ms.label("at_ms"), owner.label("owner_id"), owned_from_ms.label("owned_from_ms"))
    query = select(*columns, *whose).where(sessions.c.unsettled, sessions.c.received_ms <= until_ms)
    rows = connection.execute(query.order_by(sessions.c.id).limit(AT_ONCE)).all()
    found = []
    for row in readable([*columns, sessions.c.received_ms, units.c.owner_id, units.c.owned_from_ms], rows):
        ended_ms = row.received_ms if row.ended_s is None else row.ended_s * 1000
        began_ms = ended_ms - (row.duration_s or 0) * 1000 if row.started_s is None else row.started_s * 1000
        owner_id = row.owner_id if row.at_ms >= row.owned_from_ms else None
        if began_ms >= 0:
            found.append(Unsettled(row.id, row.unit_id, owner_id, began_ms, ended_ms, row.energy_wh))
    known = {one.id for one in found}
    return SomeUnsettled(found, [row.id for row in rows if row.id not in known])


def charges_of(connection: Connection, person_id: int) -> list[Charge]:
    """For each of the person's vehicles, the charge in progress or the last one."""
    query = select(vehicles.c.name, vehicles.c.charging_from_ms, vehicles.c.charging_until_ms).where(
        vehicles.c.person_id == person_id, vehicles.c.charging_until_ms.is_not(None)
    )
    return [Charge(*row) for row in connection.execute(query.order_by(vehicles.c.id))]


def settle(connection: Connection, found: Sequence[Settled]) -> None:
    """Store what was found; values stored before are not changed."""
    for one in found:
        values = one._asdict()
        unsettled = (sessions.c.id == values.pop("id"), sessions.c.unsettled)
        connection.execute(update(sessions).where(*unsettled).values(unsettled=False, **values))
