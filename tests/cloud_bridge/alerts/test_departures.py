"""Is a driver told once, and in time, that the vehicle will not be ready, and once that it will be after all?"""

import json
from typing import Any

import pytest
from sqlalchemy import insert, select

from cloud_bridge.alerts.alarm import Alarm
from cloud_bridge.alerts.kinds import AlertKind
from cloud_bridge.durations import HOUR_MS, MINUTE_MS
from cloud_bridge.readiness.facts import ReadyPlan
from cloud_bridge.store.claims import claim, release
from cloud_bridge.store.members import end_membership
from cloud_bridge.store.ownership import begin_membership
from cloud_bridge.store.ready_plans import plan_of, set_plan
from cloud_bridge.store.vehicle_tables import ready_plans, vehicles
from cloud_bridge.vehicles.linking.link import State
from tests.cloud_bridge.alerting import driver, notice_and_send, webhooks
from tests.cloud_bridge.running import Bridge, Unit

READY_IN_MS = 6 * HOUR_MS


class Home:
    """Ann's charge point and vehicle, beside which Ben lives; both want to know all there is."""

    def __init__(self, bridge: Bridge, sent: list[dict[str, Any]]) -> None:
        self.bridge, self.sent, self.database = bridge, sent, bridge.app_state.database
        new = bridge.add_unit("cp-1")
        self.ann, self.ben = (driver(bridge, name, (AlertKind.NOT_READY,)) for name in ("ann", "ben"))
        now_ms = bridge.clock.now_ms()
        car = {"person_id": self.ann.id, "provider": "tesla", "car_id": "1", "vin": "5YJ", "name": "Bluebell"}
        car |= {"created_ms": 0, "state": State.LINKED.value, "since_ms": 0, "seen_ms": now_ms, "battery_percent": 60.0}
        with self.database.writing() as connection:
            claim(connection, self.ann, new.claim_code, 0)
            begin_membership(connection, "cp-1", self.ben.id, 0)
            self.vehicle_id = connection.execute(insert(vehicles).returning(vehicles.c.id), car).scalar_one()
        self.unit = Unit(bridge, "cp-1", new.secret).connect()
        self.alarm = Alarm(self.database, bridge.clock, None)
        self.number, self.meter_wh = 0, 1000.0
        self.ready_ms = now_ms + READY_IN_MS

    def plans(self, person_id: int | None = None) -> None:
        plan = ReadyPlan(self.ready_ms, self.bridge.clock.now_ms(), 80, 60, 7400)
        with self.database.writing() as connection:
            of = ("cp-1", person_id or self.ann.id, self.vehicle_id)
            set_plan(connection, *of, plan, None, self.bridge.clock.now_ms())

    def says(self, state: str, watts: int, for_ms: int) -> None:
        """Every five minutes, while somebody looks."""
        for _ in range(for_ms // (5 * MINUTE_MS)):
            self.number += 1
            self.meter_wh += watts / 12
            said = {"n": self.number, "b": 1, "s": state, "a": 32, "w": watts, "e": int(self.meter_wh)}
            said |= {"y": "installer", "f": []}
            self.unit.publish("cp/cp-1/heartbeat", json.dumps(said, separators=(",", ":")).encode())
            self.bridge.clock.advance(5 * MINUTE_MS)
            self.alarm.notice_departures()
            notice_and_send(self.alarm)

    def rows(self) -> int:
        with self.database.reading() as connection:
            return len(connection.execute(select(ready_plans)).all())


@pytest.fixture
def home(bridge: Bridge, monkeypatch: pytest.MonkeyPatch) -> Home:
    return Home(bridge, webhooks(monkeypatch))


def test_a_vehicle_that_sleeps_is_told_once_in_time_and_taken_back_once(home: Home) -> None:
    home.plans()
    home.says("B2", 0, 2 * HOUR_MS)
    assert home.sent == [], "there is time"
    home.says("B2", 0, HOUR_MS)
    (one,) = home.sent
    assert (one["about"], one["charge_point"]) == ("not_ready", "cp-1")
    assert "Your vehicle will not be ready by" in one["words"]
    assert "it will have about 60 % instead of 80 %" in one["words"]
    assert "The vehicle is plugged in but takes nothing. Unplug it" in one["words"]
    home.says("C2", 7400, HOUR_MS)
    assert [sent["about"] for sent in home.sent] == ["not_ready"] * 2
    assert "All is well again: your vehicle will be ready at about" in home.sent[1]["words"]
    home.says("A1", 0, 3 * HOUR_MS)
    assert len(home.sent) == 2


def test_one_that_charges_is_told_of_nowhere_but_on_the_page(home: Home) -> None:
    home.plans()
    home.says("C2", 7400, READY_IN_MS + HOUR_MS)
    assert home.sent == []


def test_two_processes_tell_it_once(home: Home) -> None:
    home.plans()
    other = Alarm(home.database, home.bridge.clock, None)
    for _ in range(10):
        home.says("B2", 0, 20 * MINUTE_MS)
        other.notice_departures()
    assert len(home.sent) == 1


def test_a_plan_that_is_set_anew_is_told_anew(home: Home) -> None:
    home.plans()
    home.says("B2", 0, 3 * HOUR_MS)
    home.plans()
    home.says("B2", 0, HOUR_MS)
    assert len(home.sent) == 2


def test_the_plan_goes_with_whoever_set_it(home: Home) -> None:
    home.plans(home.ben.id)
    with home.database.writing() as connection:
        end_membership(connection, "cp-1", home.ben.id)
    assert home.rows() == 0
    home.plans()
    with home.database.writing() as connection:
        release(connection, "cp-1", home.ann.id, now_ms=home.bridge.clock.now_ms())
    assert home.rows() == 0


def test_a_row_of_another_version_harms_nobody(home: Home) -> None:
    home.plans()
    with home.database.writing() as connection:
        connection.execute(ready_plans.update().values(watched='{"of": "later"}', verdict="better"))
    with home.database.reading() as connection:
        shown = plan_of(connection, "cp-1", home.bridge.clock.now_ms())
    assert shown is not None and shown.outlook is None
    home.says("C2", 7400, 10 * MINUTE_MS)
    with home.database.reading() as connection:
        shown = plan_of(connection, "cp-1", home.bridge.clock.now_ms())
    assert shown is not None and shown.outlook is not None


def test_a_departure_that_is_over_is_shown_no_more(home: Home) -> None:
    home.plans()
    home.bridge.clock.advance(READY_IN_MS)
    with home.database.reading() as connection:
        assert plan_of(connection, "cp-1", home.bridge.clock.now_ms()) is None
