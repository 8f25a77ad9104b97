"""Silent and back, as noticed: the only part of "online or silent" that is stored, because alerts follow it.

Every step is a compare-and-set on the last contact that the decision was made from, so that a contact in the same
millisecond wins, and two processes notice a change once.
"""

from typing import Any, NamedTuple

from sqlalchemy import Connection, func, select, update

from cloud_bridge.contact import Contact
from cloud_bridge.store.tables import contacts, transitions, units

SOONEST_MS = 5 * 60 * 1000  # no unit is silent earlier; lets the index find the few that may be


class Overdue(NamedTuple):
    """A unit that may be silent; whether it is, the caller judges."""

    unit_id: str
    last_contact_ms: int
    silent_after_ms: int


def overdue(connection: Connection, now_ms: int) -> list[Overdue]:
    """Units that are not known to be silent and have not been heard for as long as they may."""
    query = (
        select(contacts.c.unit_id, contacts.c.last_contact_ms, units.c.silent_after_ms)
        .join(units, units.c.id == contacts.c.unit_id)
        .where(
            contacts.c.silent_ms.is_(None),
            contacts.c.last_contact_ms < now_ms - SOONEST_MS,
            contacts.c.last_contact_ms < now_ms - units.c.silent_after_ms,
        )
    )
    return [Overdue(*row) for row in connection.execute(query)]


def back(connection: Connection) -> list[str]:
    """Units that were noticed silent and have been heard since."""
    query = select(contacts.c.unit_id).where(contacts.c.last_contact_ms > contacts.c.silent_ms)
    return list(connection.execute(query).scalars())


def mark_silent(connection: Connection, unit_id: str, seen_ms: int, now_ms: int) -> bool:
    """False: it has been heard since `seen_ms`, or somebody else was first."""
    statement = (
        update(contacts)
        .where(contacts.c.unit_id == unit_id, contacts.c.last_contact_ms == seen_ms, contacts.c.silent_ms.is_(None))
        .values(silent_ms=seen_ms)
    )
    return _changed(connection, statement, unit_id, Contact.SILENT, seen_ms, now_ms)


def mark_back(connection: Connection, unit_id: str, now_ms: int) -> bool:
    """False: somebody else was first."""
    statement = (
        update(contacts)
        .where(contacts.c.unit_id == unit_id, contacts.c.last_contact_ms > contacts.c.silent_ms)
        .values(silent_ms=None)
    )
    seen_ms = connection.execute(select(contacts.c.last_contact_ms).where(contacts.c.unit_id == unit_id)).scalar()
    return _changed(connection, statement, unit_id, Contact.ONLINE, seen_ms, now_ms)


def _changed(
    connection: Connection, statement: Any, unit_id: str, contact: Contact, seen_ms: int | None, now_ms: int
) -> bool:
    if connection.execute(statement).rowcount == 0:
        return False
    row = {"unit_id": unit_id, "at_ms": now_ms, "contact": contact.value, "last_contact_ms": seen_ms}
    connection.execute(transitions.insert(), row)
    return True


def flaps(connection: Connection, unit_id: str, since_ms: int) -> int:
    """How often the unit fell silent since then."""
    query = select(func.count()).where(
        transitions.c.unit_id == unit_id, transitions.c.at_ms >= since_ms, transitions.c.contact == Contact.SILENT.value
    )
    return connection.execute(query).scalar_one()
