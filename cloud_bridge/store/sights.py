"""Which installer sees a unit: the right is given with work there and ends with it (for the rule see claims.py)."""

from sqlalchemy import Connection, select, update

from cloud_bridge.store.ownership import end_sights
from cloud_bridge.store.tables import unit_installers


def give_sight(connection: Connection, unit_id: str, installer_id: int, now_ms: int) -> None:
    """Let this installer, and no other, see the unit from now on. Nothing changes for one who sees it already."""
    columns = (unit_installers.c.person_id, unit_installers.c.until_ms)
    query = select(*columns).where(unit_installers.c.unit_id == unit_id)
    known = {person_id: until_ms for person_id, until_ms in connection.execute(query)}
    others_see = any(until_ms is None for person_id, until_ms in known.items() if person_id != installer_id)
    if others_see:
        end_sights(connection, unit_id, now_ms)
    if installer_id not in known:
        row = {"unit_id": unit_id, "person_id": installer_id, "since_ms": now_ms}
        connection.execute(unit_installers.insert(), row)
    elif others_see or known[installer_id] is not None:
        theirs = (unit_installers.c.unit_id == unit_id, unit_installers.c.person_id == installer_id)
        connection.execute(update(unit_installers).where(*theirs).values(since_ms=now_ms, until_ms=None))


def end_sight(connection: Connection, unit_id: str, installer_id: int | None, now_ms: int) -> None:
    """End this installer's view of the unit."""
    theirs = (unit_installers.c.unit_id == unit_id, unit_installers.c.person_id == installer_id)
    lasting = unit_installers.c.until_ms.is_(None)
    connection.execute(update(unit_installers).where(*theirs, lasting).values(until_ms=now_ms))
