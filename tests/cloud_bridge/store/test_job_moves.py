"""Does a job follow its table, whoever moves it in whatever order, and do rights end when the unit has a new owner?"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, text

from cloud_bridge.store import claims, jobs
from cloud_bridge.store.access import Person, Role
from cloud_bridge.store.alerts import take_job_moves
from cloud_bridge.store.claims import assign, claim, release
from cloud_bridge.store.database import open_database
from cloud_bridge.store.job_customers import customers
from cloud_bridge.store.job_moves import JobChanged, MoveNotTheirs, move_job
from cloud_bridge.store.job_states import TABLE, WHO, JobState, Move, NoSuchMove
from cloud_bridge.store.job_timeline import Window, timeline
from cloud_bridge.store.jobs import Job
from cloud_bridge.store.people import add_person, find_person
from cloud_bridge.store.personal import erase
from cloud_bridge.store.units import add_unit, visible_unit
from tests.cloud_bridge.old_store import open_at
from tests.cloud_bridge.running import START_MS, store_at

VISIT = Window(START_MS + 1000, START_MS + 2000)
PEOPLE = {
    "dora": Role.DRIVER,
    "ingo": Role.INSTALLER,
    "ivan": Role.INSTALLER,
    "sue": Role.SUPPORT,
    "olga": Role.OPERATOR,
}
CLOSED = (JobState.DONE, JobState.CANCELLED)
MOVES = tuple(move for move in Move if move is not Move.RAISE)


def settle(connection: Connection) -> None:
    """Add Dora's charger, and a job at it that sue has raised with ingo."""
    for name, role in PEOPLE.items():
        add_person(connection, name, "a hash", role, 0)
    claim(connection, person(connection, "dora"), add_unit(connection, "wall", 0).claim_code, START_MS - 1000)
    assign(connection, "wall", person(connection, "ingo"), START_MS - 500)
    jobs.raise_job(connection, "wall", "weak signal", "0", START_MS, person(connection, "sue"))


def person(connection: Connection, name: str) -> Person:
    return find_person(connection, name)


def job(connection: Connection) -> Job:
    found = jobs.find_job(connection, person(connection, "sue"), 1)
    assert found is not None
    return found


def moved(connection: Connection, name: str, move: Move, seen: int | None = None, **how: Any) -> bool:
    now = job(connection)
    if move is Move.PLAN:
        how.setdefault("visit", VISIT)
    if move is Move.ASK:
        how.setdefault("installer", person(connection, "ivan"))
    who = person(connection, name)
    return move_job(connection, now, who, move, now.moves if seen is None else seen, START_MS, **how)


def sees(connection: Connection, name: str) -> bool:
    return visible_unit(connection, person(connection, name), "wall") is not None


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[Connection]:
    database = open_database(store_at(tmp_path))
    with database.writing() as connection:
        settle(connection)
        yield connection
    database.close()


def test_every_state_that_is_open_leads_on_and_none_that_is_closed_does() -> None:
    for state in JobState:
        assert any(before is state for before, _ in TABLE) == (state not in CLOSED), state
    assert {after for after in TABLE.values()} == set(JobState)
    assert all(WHO[move] for move in Move)
    assert not any(Role.DRIVER in who for who in WHO.values())


def test_an_accepted_and_planned_job_that_is_done(connection: Connection) -> None:
    for name, move, words in (("ingo", Move.ACCEPT, ""), ("ingo", Move.PLAN, ""), ("ingo", Move.FINISH, "New antenna")):
        assert moved(connection, name, move, words=words)
    done = job(connection)
    assert (done.state, done.closed_ms, done.outcome, done.visit) == (JobState.DONE, START_MS, "New antenna", VISIT)
    told = [(one.person, one.move, one.words, one.visit) for one in timeline(connection, 1)]
    assert told == [
        ("sue", Move.RAISE, "", None),
        ("ingo", Move.ACCEPT, "", None),
        ("ingo", Move.PLAN, "", VISIT),
        ("ingo", Move.FINISH, "New antenna", None),
    ]
    assert not sees(connection, "ingo")


def test_a_job_that_was_given_back_is_nobodys_until_another_is_asked(connection: Connection) -> None:
    moved(connection, "ingo", Move.PLAN)
    moved(connection, "ingo", Move.GIVE_BACK, words="No ladder")
    assert (job(connection).installer_id, job(connection).visit) == (None, None)
    assert timeline(connection, 1)[-1].visit == VISIT, "the one that is called off"
    assert not sees(connection, "ingo")
    assert jobs.find_job(connection, person(connection, "ingo"), 1) is None
    assert jobs.open_job(connection, "wall") == job(connection)
    moved(connection, "sue", Move.ASK)
    assert (job(connection).state, job(connection).installer) == (JobState.RAISED, "ivan")
    assert sees(connection, "ivan") and not sees(connection, "ingo")


def test_of_two_at_once_one_is_told_that_it_has_changed(connection: Connection) -> None:
    seen = job(connection).moves
    assert moved(connection, "ingo", Move.ACCEPT, seen)
    with pytest.raises(JobChanged):
        moved(connection, "sue", Move.CANCEL, seen, words="Not needed")
    assert job(connection).state is JobState.ACCEPTED
    stale = job(connection)._replace(moves=seen)  # read before the other's commit
    with pytest.raises(JobChanged):
        move_job(connection, stale, person(connection, "sue"), Move.CANCEL, seen, START_MS, "Not needed")
    assert len(timeline(connection, 1)) == 2


def test_a_form_that_is_sent_twice_moves_once(connection: Connection) -> None:
    seen = job(connection).moves
    assert moved(connection, "ingo", Move.PLAN, seen)
    assert not moved(connection, "ingo", Move.PLAN, seen)
    with pytest.raises(JobChanged):
        moved(connection, "ingo", Move.PLAN, seen, visit=Window(VISIT.from_ms + 1, VISIT.until_ms))
    assert len(timeline(connection, 1)) == 2


def test_the_operators_hand_moves_it_too(connection: Connection) -> None:
    moved(connection, "ingo", Move.PLAN)
    claims.assign(connection, "wall", person(connection, "ivan"), START_MS)
    assert (job(connection).state, job(connection).installer, job(connection).visit) == (JobState.RAISED, "ivan", None)
    claims.withdraw(connection, "wall", person(connection, "ivan").id, START_MS)
    assert (job(connection).state, job(connection).installer) == (JobState.GIVEN_BACK, None)
    assert [one.move for one in timeline(connection, 1)][-2:] == [Move.ASK, Move.GIVE_BACK]


def test_an_installer_whose_account_goes_leaves_the_job_to_be_asked_of_another(connection: Connection) -> None:
    moved(connection, "ingo", Move.PLAN)
    erase(connection, person(connection, "ingo"))
    assert (job(connection).state, job(connection).visit) == (JobState.GIVEN_BACK, None)
    assert moved(connection, "sue", Move.ASK)
    assert (job(connection).state, job(connection).visit) == (JobState.RAISED, None)


def test_a_new_owner_gets_a_job_of_their_own(connection: Connection) -> None:
    release(connection, "wall", now_ms=START_MS + 10)
    assert customers(connection, person(connection, "sue"), [1]) == {}
    assert jobs.open_job(connection, "wall") is None
    new = jobs.raise_job(connection, "wall", "again", "1", START_MS + 30, person(connection, "sue"))
    assert new != 1
    assert job(connection).state is JobState.CANCELLED
    assert sees(connection, "ingo")


STEP = st.tuples(st.sampled_from(sorted(PEOPLE)), st.sampled_from(MOVES), st.booleans())


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(STEP, max_size=12))
def test_any_order_of_moves_by_anybody_keeps_to_the_table(
    connection: Connection, steps: list[tuple[str, Move, bool]]
) -> None:
    """Moves that the table and WHO do not allow change nothing; allowed moves add one row. While the job is open, sight and
    customer belong to its person."""
    undone = connection.begin_nested()
    try:
        play(connection, steps)
    finally:
        undone.rollback()


def play(connection: Connection, steps: list[tuple[str, Move, bool]]) -> None:
    state, events = job(connection).state, 1
    for name, move, is_late in steps:
        who, before = person(connection, name), job(connection)
        allowed = who.role in WHO[move] and (before.state, move) in TABLE
        try:
            is_new = moved(connection, name, move, before.moves - 1 if is_late else None, words="x")
        except (JobChanged, MoveNotTheirs, NoSuchMove):
            assert is_late or not allowed
            is_new = False
        else:
            assert allowed if not is_late else not is_new
        if is_new:
            state, events = TABLE[before.state, move], events + 1
        now = job(connection)
        assert (now.state, len(timeline(connection, 1)), now.moves) == (state, events, events - 1)
        assert (now.closed_ms is not None) == (state in CLOSED)
        assert state in CLOSED or (now.installer_id is None) == (state is JobState.GIVEN_BACK)
        for installer in ("ingo", "ivan"):
            is_theirs = state not in CLOSED and now.installer == installer
            assert sees(connection, installer) == is_theirs
            assert bool(customers(connection, person(connection, installer), [1])) == is_theirs


def test_jobs_of_before_have_their_states_and_alert_nobody(tmp_path: Path) -> None:
    where = store_at(tmp_path, empty=True)
    before = open_at(where, "0026")
    with before.writing() as connection:
        connection.execute(
            text("INSERT INTO people (name, password_hash, role, created_ms) VALUES ('ingo', 'x', 'installer', 0)")
        )
        connection.execute(
            text("INSERT INTO units (id, secret_hash, claim_hash, created_ms) VALUES ('wall', 'x', 'wall', 0)")
        )
        for once, (installer, closed_ms) in enumerate(((1, None), (None, None), (1, 7))):
            row = {"installer": installer, "closed": closed_ms, "once": str(once)}
            connection.execute(
                text(
                    "INSERT INTO jobs (unit_id, installer_id, raised_ms, reason, once, closed_ms)"
                    " VALUES ('wall', :installer, 5, 'hums', :once, :closed)"
                ),
                row,
            )
    before.close()
    now = open_database(where)
    with now.writing() as connection:
        support = Person(9, "sue", Role.SUPPORT)
        found = [jobs.find_job(connection, support, number) for number in (1, 2, 3)]
        assert [one and one.state for one in found] == [JobState.RAISED, JobState.GIVEN_BACK, JobState.DONE]
        assert [one.move for one in timeline(connection, 3)] == [Move.RAISE, Move.FINISH]
        assert take_job_moves(connection) == []
    now.close()
