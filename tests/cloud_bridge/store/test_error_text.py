"""Does an error of the database contain no value, for any statement?"""

import logging
import sqlite3
import traceback
from typing import Any

import pytest
from psycopg.errors import DiskFull, ReadOnlySqlTransaction
from sqlalchemy import Connection, Engine, event, select
from sqlalchemy.exc import OperationalError, SQLAlchemyError

from cloud_bridge.store.access import Role
from cloud_bridge.store.database import Database
from cloud_bridge.store.error_text import reason_of, remedy_of
from cloud_bridge.store.tables import people
from tests.cloud_bridge.people import PASSWORD, Visitor, entrust, give
from tests.cloud_bridge.running import Bridge, Unit, sample

MARKER = "a secret of the marker"
ENOUGH = 60  # minimum number of different statements in the story


class Unbindable:
    """A value that no driver accepts, whose repr reveals the marker."""

    def __repr__(self) -> str:
        return MARKER

    __str__ = __repr__


@pytest.fixture
def statements(bridge: Bridge) -> dict[str, Any]:
    """Return every statement of a day of the bridge, with parameters that it had."""
    seen: dict[str, Any] = {}

    def see(_connection: Any, _cursor: Any, statement: str, parameters: Any, _context: Any, many: bool) -> None:
        if parameters:
            seen.setdefault(statement, parameters[0] if many else parameters)

    event.listen(Engine, "before_cursor_execute", see)
    try:
        live_a_day(bridge)
    finally:
        event.remove(Engine, "before_cursor_execute", see)
    told = dict(seen)  # a copy, because a thread of the bridge may still add a statement
    assert len(told) > ENOUGH, "the story tries what there is"
    return told


def live_a_day(bridge: Bridge) -> None:
    for name, role in (("dora", Role.DRIVER), ("ingo", Role.INSTALLER)):
        bridge.add_person(name, PASSWORD, role)
    new = bridge.add_unit("home-1")
    give(bridge, new.claim_code, "dora")
    entrust(bridge, "home-1", "ingo")
    unit = Unit(bridge, "home-1", new.secret).connect()
    for kind, name in (("heartbeat", "heartbeat-charging"), ("event", "event-boot"), ("session", "session")):
        unit.publish(f"cp/home-1/{kind}", sample(name))
    bridge.send_canary()
    dora, sue, olga = (
        Visitor(bridge, "dora"),
        Visitor(bridge, "sue", Role.SUPPORT),
        Visitor(bridge, "olga", Role.OPERATOR),
    )
    dora.post("/account/details", full_name="Dora", phone="01614960000")
    dora.post("/charge-points/home-1/support", text="It blinks.")
    dora.post("/account/notifications", about="silent", via="webhook", target="https://example.org/x")
    sue.post("/charge-points/home-1/jobs", reason="Weak signal.")
    for visitor, paths in (
        (dora, ("/", "/charge-points/home-1", "/charge-points/home-1/history", "/charge-points/home-1/charging")),
        (
            dora,
            ("/account", "/account/units", "/account/vehicles", "/account/notifications", "/account/data", "/support"),
        ),
        (sue, ("/support", "/jobs", "/jobs/1", "/support/1")),
        (olga, ("/fleet", "/fleet?by=network", "/fleet?q=home", "/status")),
        (Visitor(bridge, "ingo"), ("/jobs", "/jobs/1")),
    ):
        for path in paths:
            visitor.client.get(path)
    for path in ("", "/home-1", "/home-1/sessions", "/home-1/events", "/home-1/signal", "/home-1/silences"):
        bridge.client.get(f"/api/charge-points{path}")
    bridge.app_state.upkeep.notice()


def replaced(parameters: Any, value: Any) -> Any:
    if isinstance(parameters, dict):
        return dict.fromkeys(parameters, value)
    return tuple(value for _ in parameters)


def words_of(error: BaseException, caplog: pytest.LogCaptureFixture) -> str:
    """Return everything that a log can contain of the error."""
    caplog.clear()
    logging.getLogger("test").error("failed: %s", error, exc_info=error)
    logging.getLogger("test").error("failed: %r", error)
    return caplog.text + "".join(traceback.format_exception(error)) + str(getattr(error, "orig", ""))


VALUES = [Unbindable(), f"{MARKER}\udc80", f"{MARKER}\0", MARKER, [MARKER], 2**200]


def test_no_statement_tells_what_it_was_given(
    bridge: Bridge, statements: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    """Each statement gets a value that it cannot accept. Statements that accept it have logged nothing either."""
    failed = set()
    for statement, parameters in statements.items():
        for value in VALUES:
            with bridge.app_state.database.reading() as connection:
                try:
                    connection.exec_driver_sql(statement, replaced(parameters, value))
                except (SQLAlchemyError, sqlite3.Error, UnicodeError, OverflowError, TypeError) as error:
                    failed.add(statement)
                    words = words_of(error, caplog)
                    assert MARKER not in words, f"{statement} with {type(value)}"
                    assert str(2**200) not in words
    assert failed == set(statements)


def insert(connection: Connection, **values: Any) -> None:
    row = {"name": "x", "password_hash": MARKER, "role": "driver", "created_ms": 0, "email": None} | values
    connection.execute(people.insert(), row)


@pytest.mark.parametrize(
    "values",
    [
        {"name": MARKER},
        {"role": None},
        {"name": None},
        {"created_ms": MARKER + " is no number"},
        {"name": "n" + MARKER * 20, "created_ms": 2**70},
    ],
    ids=["twice", "no role", "no name", "no number", "too long"],
)
def test_no_constraint_tells_the_row_that_breaks_it(
    database: Database, values: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    """PostgreSQL's own message contains the whole row, including the password hash."""
    with database.writing() as connection:
        insert(connection, name=MARKER)
    try:
        with database.writing() as connection:
            insert(connection, **values)
    except (SQLAlchemyError, OverflowError) as error:
        assert MARKER not in words_of(error, caplog)
        assert str(error)
    else:
        assert database.file is not None, "SQLite alone takes a text for a number"


def test_what_is_wrong_is_still_said(database: Database) -> None:
    with pytest.raises(SQLAlchemyError, match=r"(?i)unique constraint") as failure, database.writing() as connection:
        insert(connection, name="dora")
        insert(connection, name="dora")
    assert "people" in str(failure.value)


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (OperationalError("SELECT 1", {"name": "dora"}, Exception("refused\nIs the server running?\n")), "refused"),
        (OperationalError("SELECT 1", {}, Exception("")), "Exception"),
        (OSError("\n"), "OSError"),
    ],
)
def test_a_reason_is_one_line_without_the_statement(error: Exception, line: str) -> None:
    assert reason_of(error) == line


def test_nothing_is_taken_off_a_working_statement(database: Database) -> None:
    with database.writing() as connection:
        insert(connection, name="dora")
        assert connection.execute(select(people.c.name)).scalar() == "dora"


def test_what_to_do_is_told_where_it_is_known() -> None:
    full, read_only = (
        sqlite3.OperationalError("database or disk is full"),
        sqlite3.OperationalError("readonly database"),
    )
    full.sqlite_errorcode, read_only.sqlite_errorcode = sqlite3.SQLITE_FULL, sqlite3.SQLITE_READONLY_DIRECTORY
    assert remedy_of(OperationalError("INSERT", {}, full)) == "Make room on its disk"
    assert remedy_of(OperationalError("INSERT", {}, read_only)).startswith("Make the data folder")
    assert remedy_of(OperationalError("INSERT", {}, DiskFull())) == "Make room on its disk"
    assert "has to name the primary" in remedy_of(OperationalError("INSERT", {}, ReadOnlySqlTransaction()))
    assert remedy_of(OperationalError("INSERT", {}, sqlite3.OperationalError("no such table"))) == ""
    assert remedy_of(OSError("away")) == ""
