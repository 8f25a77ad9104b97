"""Are wrong installer codes on a unit's console in the security log and on the unit's page, once each, whatever a unit
sends?"""

import json
import threading
from typing import Any

import pytest

from cloud_bridge.security_log import EACH
from cloud_bridge.store.access import Role
from cloud_bridge.store.security_events import Kind, newest_security_events
from tests.cloud_bridge.people import Visitor, unit_of
from tests.cloud_bridge.running import DEADLINE_S, Bridge, Unit, sample

EVENT = "cp/home-1/event"
REPORT = sample("event-security-code")


@pytest.fixture
def unit(bridge: Bridge) -> Unit:
    return unit_of(bridge, "dora")


def recorded(bridge: Bridge) -> list[tuple[str, str, int]]:
    """Return address, subject and count, oldest first."""
    bridge.app_state.security_log.write()
    with bridge.app_state.database.reading() as connection:
        rows = newest_security_events(connection, Kind.WRONG_INSTALLER_CODE)
    return [(row.address, row.about, row.times) for row in reversed(rows)]


def report(number: int, details: Any) -> bytes:
    return json.dumps({"n": number, "b": 4, "k": "security", "d": details}).encode()


def test_operators_read_which_charger_was_tried_and_how_often(bridge: Bridge, unit: Unit) -> None:
    unit.publish(EVENT, REPORT)
    assert recorded(bridge) == [("charger home-1", "3 since the right one, 2026-01-02T01:30:00.000Z by its clock", 1)]
    page = Visitor(bridge, "olga", Role.OPERATOR).read("/security")
    assert "Wrong installer code at a charger" in page and "charger home-1" in page


def test_a_report_that_is_delivered_again_is_recorded_once(bridge: Bridge, unit: Unit) -> None:
    for _ in range(3):
        unit.publish(EVENT, REPORT)
    assert len(recorded(bridge)) == 1


def test_a_report_that_was_kept_while_we_were_away_is_recorded(bridge: Bridge, unit: Unit) -> None:
    ingest, done = bridge.broker._listener._ingest, threading.Event()
    bridge._loop.call_soon_threadsafe(ingest.take_late, "home-1", "event", REPORT, 1, done.set)
    assert done.wait(DEADLINE_S)
    assert len(recorded(bridge)) == 1


@pytest.mark.parametrize(
    "details",
    [
        {},
        {"what": "wrong installer code"},
        {"what": "wrong installer code", "times": "3"},
        {"what": "wrong installer code", "times": True},
        {"what": "wrong installer code", "times": -1},
        {"what": "wrong installer code", "times": 2**60},
        {"what": "<b>anything</b>", "times": 3},
        {"what": ["wrong installer code"], "times": 3},
    ],
)
def test_what_reports_no_wrong_code_is_not_recorded(bridge: Bridge, unit: Unit, details: Any) -> None:
    unit.publish(EVENT, report(1, details))
    assert recorded(bridge) == []


def test_a_unit_that_reports_without_end_costs_the_log_a_bounded_number(bridge: Bridge, unit: Unit) -> None:
    for number in range(EACH + 10):
        unit.publish(EVENT, report(number, {"what": "wrong installer code", "times": number + 1}))
    assert len(recorded(bridge)) == EACH


def test_the_page_of_the_unit_shows_the_number_while_there_is_one(bridge: Bridge, unit: Unit) -> None:
    unit.publish("cp/home-1/heartbeat", sample("heartbeat-wrong-codes"))
    driver = Visitor(bridge, "dora")
    page = driver.read("/")
    assert "Wrong installer codes on its console" in page
    assert bridge.read("home-1")["wrong_installer_codes"] == 4
    unit.publish("cp/home-1/heartbeat", sample("heartbeat-idle"))
    bridge.until(lambda: "Wrong installer codes" not in driver.read("/"), "the line went")
