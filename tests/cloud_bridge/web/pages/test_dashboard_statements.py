"""How many statements does the driver's first view execute, and is each built only once for all views?

Times depend on the machine, but these numbers do not. `python -m hil_tests.web.many_pages` measures the cost of a dashboard.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import Connection, event, insert

from cloud_bridge.durations import HOUR_MS, MINUTE_MS
from cloud_bridge.readiness.facts import ReadyPlan
from cloud_bridge.store.people import find_person
from cloud_bridge.store.ready_plans import set_plan
from cloud_bridge.store.sites import Tariff, set_tariff
from cloud_bridge.store.vehicle_tables import vehicles
from cloud_bridge.vehicles.linking.link import State
from tests.cloud_bridge.people import Visitor, unit_of
from tests.cloud_bridge.running import Bridge

PAGE = "/charge-points/home-1"
FIRST_VIEW, TRANSACTIONS = 19, 2  # one transaction for the person and their rights, one for the page


@pytest.fixture
def driver(bridge: Bridge) -> Visitor:
    """A driver who charges, with a tariff of two rates, a vehicle, and a plan for the next departure: the fullest
    dashboard."""
    unit = unit_of(bridge, "dora")
    unit.publish("cp/home-1/heartbeat", b'{"n":1,"b":1,"s":"A1","w":0,"e":1000}')
    bridge.clock.advance(MINUTE_MS)
    unit.publish("cp/home-1/heartbeat", b'{"n":2,"b":1,"s":"C2","w":7360,"e":1000}')
    now_ms = bridge.clock.now_ms()
    with bridge.app_state.database.writing() as connection:
        dora = find_person(connection, "dora").id
        car = {"person_id": dora, "provider": "tesla", "car_id": "1", "vin": "5YJ", "name": "Bluebell", "created_ms": 0}
        car |= {"state": State.LINKED.value, "since_ms": 0, "seen_ms": now_ms, "battery_percent": 60.0}
        vehicle_id = connection.execute(insert(vehicles).returning(vehicles.c.id), car).scalar_one()
        plan = ReadyPlan(now_ms + 6 * HOUR_MS, now_ms, 80, 60, 7400)
        set_plan(connection, "home-1", dora, vehicle_id, plan, None, now_ms)
        set_tariff(connection, "home-1", Tariff(2800, 850, 30, 330))
    driver = Visitor(bridge, "dora")
    bridge.until(lambda: "This session" in driver.read(PAGE), "heard and stored")
    return driver


@contextmanager
def asked(bridge: Bridge) -> Iterator[tuple[list[Any], list[Connection]]]:
    """Collect the statements of readers, and their transactions."""
    statements: list[Any] = []
    transactions: list[Connection] = []

    def note(connection: Connection, statement: Any, *_: Any) -> None:
        if not connection.get_execution_options().get("writing"):
            statements.append(statement)

    def note_begin(connection: Connection) -> None:
        if not connection.get_execution_options().get("writing"):
            transactions.append(connection)

    engine = bridge.app_state.database._engine
    event.listen(engine, "before_execute", note)
    event.listen(engine, "begin", note_begin)
    try:
        yield statements, transactions
    finally:
        event.remove(engine, "before_execute", note)
        event.remove(engine, "begin", note_begin)


def test_the_first_view_takes_no_more_statements_and_transactions_than_these(bridge: Bridge, driver: Visitor) -> None:
    with asked(bridge) as (statements, transactions):
        page = driver.read(PAGE)
    assert all(shown in page for shown in ("This session", "Bluebell", "8.5p per kWh")), page
    assert len(statements) <= FIRST_VIEW, "\n\n".join(map(str, statements))
    assert len(transactions) == TRANSACTIONS


def test_every_statement_of_it_is_built_once(bridge: Bridge, driver: Visitor) -> None:
    """Building one and finding its compiled form takes three times as long as executing it."""
    with asked(bridge) as (first, _):
        driver.get(PAGE)
    with asked(bridge) as (second, _):
        driver.get(PAGE)
    anew = [str(statement) for statement in second if all(statement is not known for known in first)]
    assert not anew, "\n\n".join(anew)
