"""Are the rows of second factors bounded and changed by one process at a time, and did the migration end sessions without
one?"""

from pathlib import Path

import pytest
from sqlalchemy import Connection, func, select, text

from cloud_bridge.store.access import Role
from cloud_bridge.store.database import Database, open_database
from cloud_bridge.store.people import Person, add_person, find_person
from cloud_bridge.store.second_factors import (
    PENDING_MAX,
    STEPS_KEPT,
    SecondFactor,
    add_second_factor,
    close_pending_login,
    open_pending_login,
    second_factor_of,
    use_step,
    who_waits,
)
from cloud_bridge.store.tables import pending_logins, web_sessions
from tests.cloud_bridge.old_store import open_at
from tests.cloud_bridge.running import store_at


@pytest.fixture
def olga(database: Database) -> Person:
    with database.writing() as connection:
        add_person(connection, "olga", "a hash", Role.OPERATOR, 0)
        person = find_person(connection, "olga")
        add_second_factor(connection, person.id, SecondFactor("key", b"sealed", 0, ""), ["A" * 16])
    return person


def factor_of(connection: Connection, person: Person) -> SecondFactor:
    factor = second_factor_of(connection, person.id)
    assert factor is not None
    return factor


def test_of_two_that_have_read_the_same_one_uses_a_step(database: Database, olga: Person) -> None:
    with database.writing() as connection:
        read = factor_of(connection, olga)
        assert use_step(connection, olga.id, read, 100)
        assert not use_step(connection, olga.id, read, 100)
        assert factor_of(connection, olga).steps == [100]


def test_the_last_steps_are_kept_and_fit_in_their_column(database: Database, olga: Person) -> None:
    """Up to the year 9999, although SQLite has no limit."""
    last = 253_402_300_799 // 30
    with database.writing() as connection:
        for step in range(last - 2 * STEPS_KEPT, last):
            assert use_step(connection, olga.id, factor_of(connection, olga), step)
        kept = factor_of(connection, olga)
    assert kept.steps == list(range(last - STEPS_KEPT, last))
    assert len(kept.used_steps) <= 400


def test_logins_that_wait_are_bounded_end_and_are_closed_once(database: Database, olga: Person) -> None:
    with database.writing() as connection:
        tokens = [open_pending_login(connection, olga, now_ms) for now_ms in range(PENDING_MAX + 5)]
        count = select(func.count()).select_from(pending_logins)
        assert connection.execute(count).scalar_one() == PENDING_MAX
        assert who_waits(connection, tokens[0], 200) is None
        assert who_waits(connection, tokens[-1], 200) == olga
        assert [close_pending_login(connection, tokens[-1]) for _ in range(2)] == [True, False]
        assert who_waits(connection, tokens[-1], 200) is None
        open_pending_login(connection, olga, 10**9)
        assert connection.execute(count).scalar_one() == 1, "those that were over are swept"


def test_the_migration_logs_operators_out_and_nobody_else(tmp_path: Path) -> None:
    where = store_at(tmp_path, empty=True)
    before = open_at(where, "0021")
    with before.writing() as connection:
        for role in Role:
            query = "INSERT INTO people (name, password_hash, role, created_ms) VALUES (:role, 'x', :role, 0)"
            connection.execute(text(query), {"role": role.value})
            query = "INSERT INTO web_sessions SELECT role, id, 1 FROM people WHERE role = :role"
            connection.execute(text(query), {"role": role.value})
    before.close()
    now = open_database(where)
    with now.reading() as connection:
        kept = set(connection.execute(select(web_sessions.c.token_hash)).scalars())
    now.close()
    assert kept == {role.value for role in Role} - {"operator"}
