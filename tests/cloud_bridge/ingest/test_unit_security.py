"""Are wrong installer codes on a unit's console in the security log and on the unit's page, once each, whatever a unit
sends?"""

import json
import threading
from typing import Any

import pytest

from cloud_bridge.ingest import unit_security
from cloud_bridge.security_log import EACH
from cloud_bridge.store.access import Role
from cloud_bridge.store.security_events import Kind, newest_security_events
from cloud_bridge.wire import decode
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
    assert [times for _, _, times in recorded(bridge)] == [1]


class Log:
    """Of the security log: what was noted."""

    def __init__(self) -> None:
        self.noted: list[tuple[Any, ...]] = []

    def note(self, kind: Kind, address: str, about: str) -> None:
        self.noted.append((kind, address, about))


def test_a_report_is_recorded_when_it_is_committed_and_before_whoever_waits_for_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(unit_security, "REMEMBERED_MAX", 2)
    log: Any = Log()
    security, done = unit_security.UnitSecurity(log), list[int]()

    def commit(number: int, times: Any = 3) -> int:
        """How many are noted then."""
        message = decode("event", report(number, {"what": "wrong installer code", "times": times}))
        committed = security.recording("cp-1", message, lambda: done.append(len(log.noted)))
        before = len(log.noted)
        committed()
        return len(log.noted) - before

    assert [commit(number) for number in (1, 1, 2, 1, 3, 2, 1)] == [1, 0, 1, 0, 1, 0, 1], "two are remembered"
    assert log.noted[0] == (Kind.WRONG_INSTALLER_CODE, "charger cp-1", "3 since the right one")
    assert done == [1, 1, 2, 2, 3, 3, 4]
    assert commit(9, 0) == 0 and commit(10, 1) == 1 and len(done) == 9


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
