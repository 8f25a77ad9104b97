"""The timeline of a job: every move, with its time and person."""

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import Column, Connection, String, insert, select

from cloud_bridge.store.job_states import Move
from cloud_bridge.store.readable import Rows, readable
from cloud_bridge.store.tables import job_events, people

MOST_EVENTS = 200  # the newest, that are shown


class Window(NamedTuple):
    """The time window of a planned visit."""

    from_ms: int
    until_ms: int


class JobEvent(NamedTuple):
    id: int
    person: str | None  # who made the move; None for the command line or a deleted account
    at_ms: int
    move: Move
    words: str
    visit: Window | None  # the visit that was planned or cancelled


_COLUMNS: Sequence[Column[object]] = (
    job_events.c.id,
    Column("person", String, nullable=True),
    job_events.c.at_ms,
    job_events.c.move,
    job_events.c.words,
    job_events.c.visit_from_ms,
    job_events.c.visit_until_ms,
)


def note_move(
    connection: Connection,
    job_id: int,
    person_id: int | None,
    move: Move,
    now_ms: int,
    words: str = "",
    visit: Window | None = None,
) -> None:
    row = {"job_id": job_id, "person_id": person_id, "at_ms": now_ms, "move": move.value, "words": words}
    from_ms, until_ms = visit or (None, None)
    connection.execute(insert(job_events), row | {"visit_from_ms": from_ms, "visit_until_ms": until_ms})


def timeline(connection: Connection, job_id: int) -> Rows[JobEvent]:
    """Return the moves of one job, oldest first."""
    query = (
        select(*_COLUMNS[:1], people.c.name, *_COLUMNS[2:])
        .select_from(job_events)
        .outerjoin(people, people.c.id == job_events.c.person_id)
        .where(job_events.c.job_id == job_id)
        .order_by(job_events.c.id.desc())
        .limit(MOST_EVENTS)
    )
    found = readable(_COLUMNS, connection.execute(query))
    known = [row for row in found if row[3] in set(Move)]
    events = [
        JobEvent(event_id, person, at_ms, Move(move), words, window_of(*visit))
        for event_id, person, at_ms, move, words, *visit in reversed(known)
    ]
    return Rows(events, found.unreadable + len(found) - len(known))


def newest_move(connection: Connection, job_id: int) -> tuple[int | None, str, str, Window | None] | None:
    """Return (person id, move, words, visit) of the job's newest move, or None."""
    columns = (job_events.c.person_id, job_events.c.move, job_events.c.words)
    query = select(*columns, job_events.c.visit_from_ms, job_events.c.visit_until_ms)
    row = connection.execute(query.where(job_events.c.job_id == job_id).order_by(job_events.c.id.desc())).first()
    return None if row is None else (row[0], row[1], row[2], window_of(row[3], row[4]))


def window_of(from_ms: int | None, until_ms: int | None) -> Window | None:
    return None if from_ms is None or until_ms is None else Window(from_ms, until_ms)
