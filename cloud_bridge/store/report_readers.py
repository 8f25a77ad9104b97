"""Who wants the monthly reports, and about which units they have not been informed for a month."""

from collections.abc import Generator
from typing import NamedTuple

from sqlalchemy import Connection, and_, select, union_all

from cloud_bridge.alerts.kinds import AlertKind
from cloud_bridge.store.access import Role
from cloud_bridge.store.tables import alert_wishes, alerts, members, people, units

READ_AT_ONCE = 1000  # rows in memory at a time


class Untold(NamedTuple):
    """A unit, and a driver who has not been told of its report of the month through one of their subscriptions."""

    unit_id: str
    person_id: int
    time_zone: str
    from_ms: int  # since when the unit is theirs, or shared with them


def untold_reports(connection: Connection, month: str) -> Generator[Untold, None, None]:
    """Yield them in no particular order, more than once for a person with several subscriptions. The generator has to
    be closed, since it reads the rows in groups."""
    kind = AlertKind.MONTHLY_REPORT.value
    owned = select(
        units.c.owner_id.label("person_id"), units.c.id.label("unit_id"), units.c.owned_from_ms.label("from_ms")
    )
    shared = select(members.c.person_id, members.c.unit_id, members.c.from_ms)
    theirs = union_all(owned.where(units.c.owner_id.is_not(None)), shared).subquery()
    told = select(alerts.c.id).where(
        alerts.c.wish_id == alert_wishes.c.id,
        alerts.c.unit_id == theirs.c.unit_id,
        alerts.c.about == kind,
        alerts.c.detail == month,
    )
    query = (
        select(theirs.c.unit_id, theirs.c.person_id, units.c.time_zone, theirs.c.from_ms)
        .select_from(alert_wishes)
        .join(people, and_(people.c.id == alert_wishes.c.person_id, people.c.role == Role.DRIVER.value))
        .join(theirs, theirs.c.person_id == people.c.id)
        .join(units, units.c.id == theirs.c.unit_id)
        .where(alert_wishes.c.about == kind, ~told.exists())
    )
    with connection.execution_options(yield_per=READ_AT_ONCE).execute(query) as rows:
        for row in rows:
            yield Untold(*row)
