"""Jobs: work for an installer at one charge point, raised by support. The installer sees the charge point while the job
is open (claims.py). job_moves.py changes its state.
"""

from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import Column, ColumnElement, Connection, Select, String, insert, select, true, update

from cloud_bridge.errors import UnreadableRow
from cloud_bridge.store.access import SEE_ALL, Asker, Person, Role
from cloud_bridge.store.job_customers import fill_customer
from cloud_bridge.store.job_states import JobState, Move
from cloud_bridge.store.job_timeline import Window, note_move, window_of
from cloud_bridge.store.ownership import Extent, Period, extent_of, within_any
from cloud_bridge.store.paging import Part, part_of
from cloud_bridge.store.readable import Rows, readable
from cloud_bridge.store.tables import jobs, people, unit_installers, units

MAX_REASON = 1000
MAX_REPORT = 40_000  # characters
MAX_LISTED = 200


_COLUMNS = (  # in the order of `Job`; the visit and the measurement have several columns, at the end
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
    jobs.c.report_before_name,
    jobs.c.report_before,
    jobs.c.moves,
    jobs.c.state,
    jobs.c.visit_from_ms,
    jobs.c.visit_until_ms,
    jobs.c.before_csq,
    jobs.c.before_operator,
    jobs.c.before_ms,
)


class Measured(NamedTuple):
    """The signal that the charger has reported."""

    csq: int
    operator: str | None  # PLMN digits; None if the modem did not report it
    at_ms: int


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
    report_before_name: str | None
    report_before: str | None
    moves: int  # number of moves so far, for job_moves.move_job
    state: JobState
    visit: Window | None  # the planned visit
    before: Measured | None = None  # measured on site before the work


def installer_of(connection: Connection, unit_id: str) -> Person | None:
    """Return the unit's newest installer, or None."""
    query = (
        select(people.c.id, people.c.name)
        .join(unit_installers, unit_installers.c.person_id == people.c.id)
        .where(unit_installers.c.unit_id == unit_id)
        .order_by(unit_installers.c.since_ms.desc())
    )
    row = connection.execute(query).first()
    return None if row is None else Person(row.id, row.name, Role.INSTALLER)


def open_job(connection: Connection, unit_id: str) -> Job | None:
    """Return the open job of the present ownership of the unit, of which there is at most one. Raises UnreadableRow."""
    return _one(connection.execute(_jobs().where(jobs.c.id.in_(_open_ids(unit_id).limit(1)))).one_or_none())


def raise_job(connection: Connection, unit_id: str, reason: str, once: str, now_ms: int, person: Person) -> int:
    """Raise a job with the unit's installer, who can then see the unit, and return its id. If there is an open job at
    the unit, return its id instead. An open job of a former ownership is cancelled."""
    same = select(jobs.c.id).where(jobs.c.once == once)
    found = connection.execute(same).scalar() or connection.execute(_open_ids(unit_id)).scalars().first()
    if found is not None:
        return int(found)
    _cancel_former(connection, unit_id, now_ms)
    installer = installer_of(connection, unit_id)
    if installer is not None:
        theirs = (unit_installers.c.unit_id == unit_id, unit_installers.c.person_id == installer.id)
        connection.execute(update(unit_installers).where(*theirs).values(until_ms=None))
    row = {
        "unit_id": unit_id,
        "installer_id": installer.id if installer else None,
        "raised_ms": now_ms,
        "reason": reason,
        "once": once,
        "state": (JobState.RAISED if installer else JobState.GIVEN_BACK).value,
    }
    job_id = connection.execute(insert(jobs).returning(jobs.c.id), row).scalar_one()
    note_move(connection, job_id, person.id, Move.RAISE, now_ms)
    owner_id = connection.execute(select(units.c.owner_id).where(units.c.id == unit_id)).scalar()
    if owner_id is not None:
        fill_customer(connection, job_id, owner_id)
    return int(job_id)


def jobs_of(connection: Connection, asker: Person, unit_id: str | None = None) -> Rows[Job]:
    """Return the jobs that the asker may see, open ones first, oldest first."""
    query = _jobs().where(_visible(asker))
    if unit_id is not None:
        query = query.where(jobs.c.unit_id == unit_id)
    rows = connection.execute(query.order_by(jobs.c.closed, jobs.c.raised_ms).limit(MAX_LISTED))
    found = readable(_COLUMNS, rows)
    return _jobs_in(found)


def newest_job(connection: Connection, period: Period) -> Job | None:
    """Return the newest job of a unit in a period, open ones first, or None. It is for the driver, who may see its
    state but not its content. Raises UnreadableRow."""
    return _one(connection.execute(_newest_job(extent_of(period)), period._asdict()).one_or_none())


@cache
def _newest_job(extent: Extent) -> Select[Any]:
    newest = (jobs.c.closed_ms.is_not(None), jobs.c.id.desc())
    return _jobs().where(within_any(jobs, extent)).order_by(*newest).limit(1)


def jobs_after(connection: Connection, asker: Asker, after: int, limit: int) -> Part[Job]:
    """Return a page of the jobs that the asker may see, by id."""
    found, next_after = part_of(connection, _jobs().where(_visible(asker)), _COLUMNS, after, limit)
    return Part(_jobs_in(found), next_after)


def find_job(connection: Connection, asker: Person, job_id: int) -> Job | None:
    """Return a job, or None if it does not exist or the asker may not see it. Raises UnreadableRow."""
    return _one(connection.execute(_jobs().where(jobs.c.id == job_id, _visible(asker))).one_or_none())


def job_of_owner(connection: Connection, person: Person, job_id: int) -> Job | None:
    """Return an open job at a unit of this owner that was raised during their ownership, or None. Raises
    UnreadableRow."""
    theirs = (units.c.owner_id == person.id, jobs.c.closed_ms.is_(None), jobs.c.raised_ms >= units.c.owned_from_ms)
    query = _jobs().join(units, units.c.id == jobs.c.unit_id).where(jobs.c.id == job_id, *theirs)
    return _one(connection.execute(query).one_or_none())


def attach_report(connection: Connection, job: Job, name: str, text: str, *, is_before: bool) -> None:
    """Attach the installer's report of the time before or after the work, replacing an earlier one."""
    values = {"report_before_name": name, "report_before": text} if is_before else {"report_name": name, "report": text}
    connection.execute(update(jobs).where(jobs.c.id == job.id, jobs.c.closed_ms.is_(None)).values(values))


def ended_ms(connection: Connection, job: Job) -> int:
    """Return when the installer's work at the unit ended, for a job whose installer does not see the unit any more."""
    theirs = (unit_installers.c.unit_id == job.unit_id, unit_installers.c.person_id == job.installer_id)
    until_ms = connection.execute(select(unit_installers.c.until_ms).where(*theirs)).scalar()
    return min((stamp for stamp in (until_ms, job.closed_ms) if stamp is not None), default=job.raised_ms)


def _jobs() -> Select[Any]:
    return select(*_COLUMNS[:3], people.c.name, *_COLUMNS[4:]).outerjoin(people, people.c.id == jobs.c.installer_id)


def _jobs_in(found: Rows[Any]) -> Rows[Job]:
    known = [row for row in found if row.state in set(JobState)]
    return Rows(map(_job, known), found.unreadable + len(found) - len(known))


def _one(row: Any) -> Job | None:
    """Return the job of a row, or None. Raises UnreadableRow."""
    if row is None:
        return None
    if not readable(_COLUMNS, [row]) or row.state not in set(JobState):
        raise UnreadableRow(f"the row of job {row.id} is not valid")
    return _job(row)


def _job(row: Any) -> Job:
    """Return the job of a row. An open job without an installer counts as given back, also if the installer's account
    was deleted."""
    *columns, state, visit_from_ms, visit_until_ms, csq, operator, at_ms = row
    before = None if csq is None or at_ms is None else Measured(csq, operator, at_ms)
    job = Job._make([*columns, JobState(state), window_of(visit_from_ms, visit_until_ms), before])
    if job.closed_ms is None and job.installer_id is None:
        return job._replace(state=JobState.GIVEN_BACK, visit=None)
    return job


def _open_ids(unit_id: str) -> Select[Any]:
    query = select(jobs.c.id).join(units, units.c.id == jobs.c.unit_id).order_by(jobs.c.id)
    return query.where(jobs.c.unit_id == unit_id, jobs.c.closed_ms.is_(None), jobs.c.raised_ms >= units.c.owned_from_ms)


def _cancel_former(connection: Connection, unit_id: str, now_ms: int) -> None:
    """Cancel open jobs of former ownerships. A job stays open after the ownership in which it was raised
    (ownership.py), until the next job is raised."""
    left = (jobs.c.unit_id == unit_id, jobs.c.closed_ms.is_(None))
    for job_id in connection.execute(select(jobs.c.id).where(*left)).scalars().all():
        values = {"state": JobState.CANCELLED.value, "closed_ms": now_ms, "moves": jobs.c.moves + 1}
        connection.execute(update(jobs).where(jobs.c.id == job_id).values(values))
        note_move(connection, job_id, None, Move.CANCEL, now_ms)


def _visible(asker: Asker) -> ColumnElement[bool]:
    """Return the condition that the asker may see a job: support and operators see all, an installer their own. A
    driver sees only its state (`newest_job`)."""
    return true() if asker.role in SEE_ALL else jobs.c.installer_id == asker.id
