"""Is each row processed once, including rows from before the column that marks processed rows?"""

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, select, text

from cloud_bridge.store import untold
from cloud_bridge.store.database import Database, open_database
from cloud_bridge.store.tables import alert_cursors, events, transitions
from cloud_bridge.store.untold import take
from tests.cloud_bridge.old_store import open_at
from tests.cloud_bridge.running import store_at


def silence(number: int) -> dict[str, Any]:
    return {"unit_id": "cp-1", "at_ms": number, "contact": "silent", "last_contact_ms": 0}


def taken(database: Database) -> list[int]:
    with database.writing() as connection:
        return [row.id for row in take(connection, transitions, select(transitions))]


def test_a_row_is_taken_once_and_so_many_at_a_time(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(untold, "AT_ONCE", 3)
    with database.writing() as connection:
        connection.execute(insert(transitions), [silence(number) for number in range(5)])
    assert [taken(database) for _ in range(3)] == [[1, 2, 3], [4, 5], []]


def test_what_is_undone_is_untold(database: Database) -> None:
    with database.writing() as connection:
        connection.execute(insert(transitions), silence(1))
    with pytest.raises(ZeroDivisionError), database.writing() as connection:
        take(connection, transitions, select(transitions))
        raise ZeroDivisionError
    assert taken(database) == [1]


def test_the_database_finds_untold_rows_by_their_index(database: Database) -> None:
    plan = "EXPLAIN QUERY PLAN" if database.kind == "sqlite" else "EXPLAIN"
    query = select(transitions).where(transitions.c.untold).order_by(transitions.c.id).limit(1)
    with database.reading() as connection:
        if database.kind == "postgresql":
            connection.execute(text("SET LOCAL enable_seqscan = off"))
        compiled = str(query.compile(connection, compile_kwargs={"literal_binds": True}))
        rows = connection.exec_driver_sql(f"{plan} {compiled}").all()
    assert "ix_transitions_untold" in str(rows)


def test_what_the_cursors_of_before_had_passed_is_told(tmp_path: Path) -> None:
    where = store_at(tmp_path, empty=True)
    before = open_at(where, "0033")
    with before.writing() as connection:
        connection.execute(
            text("INSERT INTO units (id, secret_hash, claim_hash, created_ms) VALUES ('cp-1', 'x', 'y', 0)")
        )
        for number in range(1, 4):
            connection.execute(
                text("INSERT INTO events (unit_id, received_ms, payload, kind) VALUES ('cp-1', :at, '{}', 'boot')"),
                {"at": number},
            )
            connection.execute(
                text(
                    "INSERT INTO transitions (unit_id, at_ms, contact, last_contact_ms) VALUES ('cp-1', :at, 'silent', 0)"
                ),
                {"at": number},
            )
        connection.execute(text("INSERT INTO alert_cursors VALUES ('events', 2), ('silent hold-downs', 7)"))
    before.close()
    now = open_database(where)
    with now.reading() as connection:
        assert connection.execute(select(events.c.id).where(events.c.untold)).scalars().all() == [3]
        assert connection.execute(select(alert_cursors.c.name)).scalars().all() == ["silent hold-downs"]
    assert taken(now) == [1, 2, 3], "no cursor had begun"
    now.close()
