"""Does no list of a large fleet read or sort the whole fleet, and are additions counted?"""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, event, text

from cloud_bridge.store.access import Person, Role
from cloud_bridge.store.authorities import in_use
from cloud_bridge.store.conversations import conversation_about, conversations_of, send
from cloud_bridge.store.database import Database, open_database
from cloud_bridge.store.fleet import Order, found_page, page_of, silent_by_site
from cloud_bridge.store.jobs import jobs_of
from cloud_bridge.store.page_versions import token_versions, unit_versions, viewer_versions
from cloud_bridge.store.people import add_person, find_person
from cloud_bridge.store.troubles import count_troubled
from cloud_bridge.store.units import (
    add_unit,
    count_silent,
    count_units,
    units_at_home,
    visible_unit,
    visible_units,
    visible_zones,
)
from tests.cloud_bridge.old_store import open_at
from tests.cloud_bridge.running import store_at

SUE = Person(1, "sue", Role.SUPPORT)

LISTS: dict[str, Callable[[Connection], Any]] = {
    **{order: partial(page_of, asker=SUE, order=order, now_ms=5) for order in Order},
    "next silent": lambda connection: page_of(connection, SUE, Order.SILENCE, ("5", "cp-1")),
    "next of a network": lambda connection: page_of(connection, SUE, Order.NETWORK, ("23415", "5", "cp-1")),
    "next by name": lambda connection: page_of(connection, SUE, Order.SITE, ("Home", "cp-1")),
    "longest heard": lambda connection: page_of(connection, SUE, Order.SILENCE, ("5", "cp-1"), backwards=True),
    "last by name": lambda connection: page_of(connection, SUE, Order.SITE, backwards=True),
    "silent sites": lambda connection: silent_by_site(connection, SUE),
    "one network": lambda connection: page_of(connection, SUE, Order.SILENCE, operator="23415"),
    "search": lambda connection: found_page(connection, SUE, "Home"),
    "next of a search": lambda connection: found_page(connection, SUE, "Home", ("name", "home", "cp-1")),
    "units by id": lambda connection: visible_units(connection, SUE, 500, "cp-1"),
    "one unit": lambda connection: visible_unit(connection, SUE, "cp-1"),
    "their own": lambda connection: units_at_home(connection, SUE),
    "zones": lambda connection: visible_zones(connection, SUE, {"cp-1"}),
    "jobs": lambda connection: jobs_of(connection, SUE),
    "conversations": lambda connection: conversations_of(connection, SUE),
    "troubles": lambda connection: count_troubled(connection, ["meter_silent"]),
    "silent": count_silent,
    "authorities that end": lambda connection: in_use(connection, None, 5),
    "all": count_units,
    "watched units": lambda connection: unit_versions(connection, ["cp-1", "cp-2"]),
    "viewers": lambda connection: viewer_versions(connection, ["a session"], 0),
    "tokens": lambda connection: token_versions(connection, ["a token"], 0),
}


@pytest.mark.store("sqlite")
@pytest.mark.parametrize("name", LISTS)
def test_every_list_walks_an_index_and_sorts_nothing(database: Database, name: str) -> None:
    statements: list[tuple[str, Any]] = []
    with database.reading() as connection:
        engine = connection.engine

        def told(_connection: object, _cursor: object, statement: str, parameters: Any, *_: object) -> None:
            statements.append((statement, parameters))

        event.listen(engine, "before_cursor_execute", told)
        try:
            LISTS[name](connection)
        finally:
            event.remove(engine, "before_cursor_execute", told)
        plan = [
            row[3]
            for statement, parameters in statements
            for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
        ]
    small = ("CONSTANT", "anon_", "authorities")  # one row, a limited result, or few rows
    scanned = [step for step in plan if step.startswith("SCAN") and "INDEX" not in step]
    read_whole = [step for step in scanned if not any(name in step for name in small)]
    is_limited = any("SCAN anon_" in step for step in plan)  # before it is sorted
    sorted_whole = [step for step in plan if "TEMP B-TREE FOR ORDER BY" in step and not is_limited]
    assert plan and not read_whole and not sorted_whole, plan


def test_units_are_counted_as_they_are_added_and_those_of_before_too(tmp_path: Path) -> None:
    where = store_at(tmp_path, empty=True)
    before = open_at(where, "0033")
    with before.writing() as connection:
        for unit_id in ("a", "b"):
            added = "INSERT INTO units (id, secret_hash, claim_hash, created_ms) VALUES (:unit, 'x', :unit, 0)"
            connection.execute(text(added), {"unit": unit_id})
    before.close()
    now = open_database(where)
    with now.writing() as connection:
        assert count_units(connection) == 2
        add_unit(connection, "c", 0)
        assert count_units(connection) == 3
    now.close()


def test_support_reads_the_longest_waiting_first_and_then_the_newest(database: Database) -> None:
    with database.writing() as connection:
        for name, role in (("ann", Role.DRIVER), ("sue", Role.SUPPORT)):
            add_person(connection, name, "a hash", role, 0)
        ann, sue = find_person(connection, "ann"), find_person(connection, "sue")
        for at_ms, unit_id in enumerate((None, "cp-1", "cp-2")):
            about = conversation_about(connection, ann, unit_id, at_ms)
            send(connection, about, ann, "Help", None, f"once {at_ms}", at_ms)
        about_all = [conversation_about(connection, ann, unit_id, 9) for unit_id in (None, "cp-1", "cp-2")]
        assert [one.id for one in conversations_of(connection, sue)] == about_all
        for at_ms, about in enumerate(about_all[:2], 10):
            send(connection, about, sue, "Yes", None, f"answer {at_ms}", at_ms)
        assert [one.id for one in conversations_of(connection, sue)] == [about_all[2], about_all[1], about_all[0]]
