"""Work for an installer at one charge point: raised by support, visited, reported, closed. With it begins and ends what the
installer sees of the charge point (claims.py).
"""

from typing import Any, NamedTuple

from sqlalchemy import Column, ColumnElement, Connection, Select, String, select, true, update

from cloud_bridge.errors import UnreadableRow
from cloud_bridge.store.access import SEE_ALL, Asker, Person, Role
from cloud_bridge.store.paging import Part, part_of
from cloud_bridge.store.readable import Rows, readable
from cloud_bridge.store.tables import jobs, people, unit_installers
from cloud_bridge.store.upsert import insert_new

MAX_REASON = 1000
MAX_REPORT = 40_000  # characters


_COLUMNS = (  # in the order of `Job`
    jobs.c.id,
    jobs.c.unit_id,
    jobs.c.installer_id,
    Column("installer", String, nullable=True),
    jobs.c.raised_ms,
    jobs.c.reason,
    jobs.c.visited_ms,
    jobs.c.report_name,
    jobs.c.report,
    jobs.c.closed_ms,
    jobs.c.outcome,
)


class Job(NamedTuple):
    id: int
    unit_id: str
    installer_id: int | None
    installer: str | None
    raised_ms: int
    reason: str
    visited_ms: int | None
    report_name: str | None
    report: str | None
    closed_ms: int | None
    outcome: str | None


def installer_of(connection: Connection, unit_id: str) -> Person | None:
    """Whose work the unit is: the newest of its installers."""
    query = (
        select(people.c.id, people.c.name)
        .join(unit_installers, unit_installers.c.person_id == people.c.id)
        .where(unit_installers.c.unit_id == unit_id)
        .order_by(unit_installers.c.since_ms.desc())
    )
    row = connection.execute(query).first()
    return None if row is None else Person(row.id, row.name, Role.INSTALLER)


def raise_job(connection: Connection, unit_id: str, reason: str, once: str, now_ms: int) -> int:
    """The id of the job at the unit's installer, who sees the unit from now on. One that is open at this unit already is that
    job."""
    installer = installer_of(connection, unit_id)
    if installer is not None:
        theirs = (unit_installers.c.unit_id == unit_id, unit_installers.c.person_id == installer.id)
        connection.execute(update(unit_installers).where(*theirs).values(until_ms=None))
    open_job = connection.execute(select(jobs.c.id).where(jobs.c.unit_id == unit_id, jobs.c.closed_ms.is_(None)))
    found = open_job.scalars().first()
    if found is not None:
        return int(found)
    row = {
        "unit_id": unit_id,
        "installer_id": installer.id if installer else None,
        "raised_ms": now_ms,
        "reason": reason,
        "once": once,
    }
    insert_new(connection, jobs, [row])
    return int(connection.execute(select(jobs.c.id).where(jobs.c.once == once)).scalar_one())


def jobs_of(connection: Connection, asker: Person, unit_id: str | None = None) -> Rows[Job]:
    """Those the asker may see, open ones first, the oldest on top."""
    query = _jobs().where(_visible(asker))
    if unit_id is not None:
        query = query.where(jobs.c.unit_id == unit_id)
    rows = connection.execute(query.order_by(jobs.c.closed_ms.is_not(None), jobs.c.raised_ms).limit(200))
    found = readable(_COLUMNS, rows)
    return Rows((Job(*row) for row in found), found.unreadable)


def jobs_after(connection: Connection, asker: Asker, after: int, limit: int) -> Part[Job]:
    """Those the asker may see, by number."""
    found, next_after = part_of(connection, _jobs().where(_visible(asker)), _COLUMNS, after, limit)
    return Part(Rows((Job(*row) for row in found), found.unreadable), next_after)


def find_job(connection: Connection, asker: Person, job_id: int) -> Job | None:
    """None both for one that does not exist and for one that is not the asker's. Raises UnreadableRow."""
    row = connection.execute(_jobs().where(jobs.c.id == job_id, _visible(asker))).one_or_none()
    if row is None:
        return None
    if not readable(_COLUMNS, [row]):
        raise UnreadableRow(f"the row of job {job_id} is not valid")
    return Job(*row)


def visited(connection: Connection, job: Job, now_ms: int) -> None:
    """The evidence from now on is "after". A second visit moves the mark."""
    connection.execute(update(jobs).where(jobs.c.id == job.id, jobs.c.closed_ms.is_(None)).values(visited_ms=now_ms))


def attach_report(connection: Connection, job: Job, name: str, text: str) -> None:
    """The installer's own report replaces the one before."""
    connection.execute(
        update(jobs).where(jobs.c.id == job.id, jobs.c.closed_ms.is_(None)).values(report_name=name, report=text)
    )


def close(connection: Connection, job: Job, outcome: str, now_ms: int) -> bool:
    """Its installer does not see the unit any more. False when it was closed before; the first outcome stays."""
    statement = update(jobs).where(jobs.c.id == job.id, jobs.c.closed_ms.is_(None))
    if connection.execute(statement.values(closed_ms=now_ms, outcome=outcome)).rowcount == 0:
        return False
    theirs = (unit_installers.c.unit_id == job.unit_id, unit_installers.c.person_id == job.installer_id)
    lasting = unit_installers.c.until_ms.is_(None)
    connection.execute(update(unit_installers).where(*theirs, lasting).values(until_ms=now_ms))
    return True


def ended_ms(connection: Connection, job: Job) -> int:
    """When the installer's work at the unit ended, in a job whose installer does not see the unit any more."""
    theirs = (unit_installers.c.unit_id == job.unit_id, unit_installers.c.person_id == job.installer_id)
    until_ms = connection.execute(select(unit_installers.c.until_ms).where(*theirs)).scalar()
    return min((stamp for stamp in (until_ms, job.closed_ms) if stamp is not None), default=job.raised_ms)


def _jobs() -> Select[Any]:
    return select(*_COLUMNS[:3], people.c.name, *_COLUMNS[4:]).outerjoin(people, people.c.id == jobs.c.installer_id)


def _visible(asker: Asker) -> ColumnElement[bool]:
    """Support and operators all, an installer their own; a driver sees that there is a job, not what is in it."""
    return true() if asker.role in SEE_ALL else jobs.c.installer_id == asker.id
