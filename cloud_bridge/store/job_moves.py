"""Move a job to its next state (job_states.py): by a person, or because the operator has changed the installer of the
unit.

A move carries the number of moves that the person has seen. If the job has moved since, nothing is changed and
JobChanged is raised. A form that is sent twice moves the job once.
"""

from typing import Any

from sqlalchemy import Connection, select, update

from cloud_bridge.errors import BridgeError
from cloud_bridge.store.access import Person
from cloud_bridge.store.job_states import WHO, JobState, Move, state_after
from cloud_bridge.store.job_timeline import Window, newest_move, note_move, window_of
from cloud_bridge.store.jobs import Job, Measured
from cloud_bridge.store.sights import end_sight, give_sight
from cloud_bridge.store.tables import jobs

CLOSES = (Move.FINISH, Move.CANCEL)
ENDS_SIGHT = (Move.FINISH, Move.CANCEL, Move.GIVE_BACK)
CALLS_OFF = (Move.CANCEL, Move.GIVE_BACK, Move.ASK)  # moves that cancel a planned visit


class JobChanged(BridgeError):
    """The job was moved since the person saw it."""

    def __init__(self) -> None:
        super().__init__("this job has changed meanwhile")


class MoveNotTheirs(BridgeError):
    """The person's role may not make this move."""


def move_job(
    connection: Connection,
    job: Job,
    person: Person,
    move: Move,
    seen: int,
    now_ms: int,
    words: str = "",
    visit: Window | None = None,
    installer: Person | None = None,
    measured: Measured | None = None,
) -> bool:
    """Move a job. Return False if the same move was made before. `seen` is `Job.moves` as the person saw it, `visit` is
    for PLAN, `installer` for ASK, `measured` for MEASURE. The caller must check that the person may access the job.
    Raises JobChanged, MoveNotTheirs, NoSuchMove."""
    if person.role not in WHO[move]:
        raise MoveNotTheirs(f"a job is not {move} by {person.role}")
    if job.moves != seen:
        if job.moves == seen + 1 and _is_newest(connection, job, person, move, words, visit):
            return False
        raise JobChanged
    values: dict[str, Any] = {"state": state_after(job.state, move).value, "moves": seen + 1}
    if move in CLOSES:
        values |= {"closed_ms": now_ms, "outcome": words}
    if move is Move.PLAN and visit is not None:
        values |= {"visit_from_ms": visit.from_ms, "visit_until_ms": visit.until_ms}
    if move is Move.MEASURE and measured is not None:
        values |= {"before_csq": measured.csq, "before_operator": measured.operator, "before_ms": measured.at_ms}
    if move is Move.FIT:
        values["visited_ms"] = now_ms
    if move in CALLS_OFF:
        values |= {"visit_from_ms": None, "visit_until_ms": None}
    if move is Move.GIVE_BACK:
        values["installer_id"] = None
    if move is Move.ASK and installer is not None:
        values["installer_id"] = installer.id
    statement = update(jobs).where(jobs.c.id == job.id, jobs.c.moves == seen).values(values)
    if connection.execute(statement).rowcount == 0:
        raise JobChanged
    if move in ENDS_SIGHT:
        end_sight(connection, job.unit_id, job.installer_id, now_ms)
    if move is Move.ASK and installer is not None:
        give_sight(connection, job.unit_id, installer.id, now_ms)
    note_move(connection, job.id, person.id, move, now_ms, words, job.visit if move in CALLS_OFF else visit)
    return True


def reassign_open(connection: Connection, unit_id: str, installer_id: int, now_ms: int) -> None:
    """Assign an open job at the unit to this installer, unless it is assigned to them already."""
    _change_open(
        connection, unit_id, Move.ASK, now_ms, jobs.c.installer_id.is_distinct_from(installer_id), installer_id
    )


def give_back_open(connection: Connection, unit_id: str, installer_id: int, now_ms: int) -> None:
    """Take an open job at the unit from this installer."""
    _change_open(connection, unit_id, Move.GIVE_BACK, now_ms, jobs.c.installer_id == installer_id, None)


def _change_open(
    connection: Connection, unit_id: str, move: Move, now_ms: int, which: Any, installer_id: int | None
) -> None:
    columns = (jobs.c.id, jobs.c.visit_from_ms, jobs.c.visit_until_ms)
    query = select(*columns).where(jobs.c.unit_id == unit_id, jobs.c.closed_ms.is_(None), which)
    for job_id, *visit in connection.execute(query).all():
        values: dict[str, Any] = {"visit_from_ms": None, "visit_until_ms": None, "installer_id": installer_id}
        state = JobState.GIVEN_BACK if installer_id is None else JobState.RAISED
        values |= {"state": state.value, "moves": jobs.c.moves + 1}
        connection.execute(update(jobs).where(jobs.c.id == job_id).values(values))
        note_move(connection, job_id, None, move, now_ms, visit=window_of(*visit))


def _is_newest(connection: Connection, job: Job, person: Person, move: Move, words: str, visit: Window | None) -> bool:
    newest = newest_move(connection, job.id)
    if newest is None or newest[:3] != (person.id, move.value, words):
        return False
    return move is not Move.PLAN or newest[3] == visit
