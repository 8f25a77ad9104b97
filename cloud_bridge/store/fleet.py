"""The whole fleet by silence. Every query walks an index and stops early: the fleet may be large."""

from typing import NamedTuple

from sqlalchemy import Connection, select

from cloud_bridge.store.access import Asker, visible
from cloud_bridge.store.tables import contacts, heartbeats, units
from cloud_bridge.store.units import Unit

PAGE = 100  # rows
MOST = 5000  # silent units that are looked at for what they have in common


class Silent(NamedTuple):
    unit_id: str
    since_ms: int  # its last contact
    heartbeat: str | None  # its last payload
    time_zone: str  # of its site


_ROW = (
    units.c.id,
    units.c.time_zone,
    units.c.silent_after_ms,
    contacts.c.last_contact_ms,
    heartbeats.c.received_ms,
    heartbeats.c.payload,
    units.c.name,
    units.c.owner_id,
)


def longest_unheard(connection: Connection, asker: Asker, search: str = "") -> list[Unit]:
    """A page of units, those not heard for longest first; a search also finds those that were never heard."""
    query = select(*_ROW).select_from(contacts).join(units, units.c.id == contacts.c.unit_id)
    if search:
        query = select(*_ROW).select_from(units).outerjoin(contacts, contacts.c.unit_id == units.c.id)
        found = units.c.id.startswith(search, autoescape=True) | units.c.name.contains(search, autoescape=True)
        query = query.where(found)
    query = query.outerjoin(heartbeats, heartbeats.c.unit_id == units.c.id).where(visible(asker))
    return [Unit(*row) for row in connection.execute(query.order_by(contacts.c.last_contact_ms).limit(PAGE))]


def never_heard(connection: Connection, asker: Asker) -> list[str]:
    """Ids of units that were added and never reached us."""
    query = (
        select(units.c.id)
        .outerjoin(contacts, contacts.c.unit_id == units.c.id)
        .where(contacts.c.unit_id.is_(None), visible(asker))
    )
    return list(connection.execute(query.order_by(units.c.id).limit(PAGE)).scalars())


def silent_units(connection: Connection, asker: Asker) -> list[Silent]:
    """Those that have been noticed silent, newest first."""
    query = (
        select(contacts.c.unit_id, contacts.c.last_contact_ms, heartbeats.c.payload, units.c.time_zone)
        .join(units, units.c.id == contacts.c.unit_id)
        .outerjoin(heartbeats, heartbeats.c.unit_id == contacts.c.unit_id)
        .where(contacts.c.silent_ms.is_not(None), visible(asker))
        .order_by(contacts.c.last_contact_ms.desc())
        .limit(MOST)
    )
    return [Silent(*row) for row in connection.execute(query)]
