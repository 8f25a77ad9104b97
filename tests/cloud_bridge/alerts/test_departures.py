"""Is a driver told once, in time, that the vehicle will not be ready, and when it will be after all? Is nobody else told?"""

import json
import threading
from typing import Any

import pytest
from sqlalchemy import delete, insert, select, update
from sqlalchemy.exc import OperationalError

from cloud_bridge.alerts import departures
from cloud_bridge.alerts.alarm import Alarm
from cloud_bridge.alerts.kinds import USUAL, AlertKind
from cloud_bridge.durations import HOUR_MS, MINUTE_MS
from cloud_bridge.readiness.facts import ReadyPlan
from cloud_bridge.store.claims import claim, new_code, release
from cloud_bridge.store.members import end_membership
from cloud_bridge.store.ownership import begin_membership
from cloud_bridge.store.ready_plans import due_plans, plan_of, set_plan
from cloud_bridge.store.subscriptions import Via
from cloud_bridge.store.tables import alert_wishes, alerts, known_devices, members, people, push_browsers, units
from cloud_bridge.store.usual_alerts import subscribe_to_letters, subscribe_unless_chosen
from cloud_bridge.store.vehicle_tables import ready_plans, vehicles
from cloud_bridge.store.vehicles import delete_row
from cloud_bridge.vehicles.linking.link import State
from cloud_bridge.web.presentation.ready_words import announcement, line
from tests.cloud_bridge.alerting import driver, notice_and_send, webhooks
from tests.cloud_bridge.running import DEADLINE_S, Bridge, Unit

READY_IN_MS = 6 * HOUR_MS


class Home:
    """Ann's charge point and vehicle, and Ben, a second resident. Both subscribe to all alerts."""

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
        """Report this every five minutes, with a look at departures each time."""
        for _ in range(for_ms // (5 * MINUTE_MS)):
            self.speaks(state, watts)
            self.bridge.clock.advance(5 * MINUTE_MS)
            self.alarm.notice_departures()
            notice_and_send(self.alarm)

    def speaks(self, state: str, watts: int) -> None:
        """Report once, after five minutes in this state."""
        self.number += 1
        self.meter_wh += watts / 12
        said = {"n": self.number, "b": 1, "s": state, "a": 32, "w": watts, "e": int(self.meter_wh), "f": []}
        payload = json.dumps(said | {"y": "installer"}, separators=(",", ":"))
        self.unit.publish("cp/cp-1/heartbeat", payload.encode())

    def waiting(self) -> dict[str, Any]:
        """Queue an alert to Ann whose delivery has failed."""
        with self.database.reading() as connection:
            wish_id = connection.execute(
                select(alert_wishes.c.id).where(alert_wishes.c.person_id == self.ann.id)
            ).scalar()
        due_ms = self.bridge.clock.now_ms()
        return {
            "wish_id": wish_id,
            "unit_id": "cp-1",
            "about": "not_ready",
            "at_ms": 0,
            "words": "no",
            "due_ms": due_ms,
        }

    def rows(self) -> int:
        with self.database.reading() as connection:
            return len(connection.execute(select(ready_plans)).all())


@pytest.fixture
def home(bridge: Bridge, monkeypatch: pytest.MonkeyPatch) -> Home:
    return Home(bridge, webhooks(monkeypatch))


def test_with_two_vehicles_at_home_nobody_is_told_what_may_be_the_other_one(home: Home) -> None:
    """Ben's vehicle is plugged in, or Ann's: no account tells which."""
    other = {"person_id": home.ben.id, "provider": "tesla", "car_id": "2", "vin": "5YK", "name": "Foxglove"}
    with home.database.writing() as connection:
        connection.execute(insert(vehicles), other | {"created_ms": 0, "state": State.LINKED.value, "since_ms": 0})
    home.plans()
    home.says("C2", 7400, MINUTE_MS * 10)
    assert "We cannot see which of your vehicles is plugged in" in _line(home)
    home.says("B2", 0, 3 * HOUR_MS)
    (one,) = home.sent
    assert "We do not know whether your vehicle will be ready by" in one["words"]
    with home.database.writing() as connection:
        now_ms = home.bridge.clock.now_ms()
        connection.execute(
            update(vehicles).where(vehicles.c.name == "Bluebell").values(seen_ms=now_ms, plugged_in=False)
        )
    home.says("C2", 7400, MINUTE_MS * 10)
    assert "Another vehicle is plugged in, and this one is not. Plug it in." in _line(home)


def _line(home: Home) -> str:
    """Return the line on the dashboard."""
    with home.database.reading() as connection:
        return line(plan_of(connection, "cp-1", home.bridge.clock.now_ms()), "Europe/London") or ""


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


def test_two_processes_at_the_same_moment_tell_it_once(home: Home) -> None:
    home.plans()
    home.says("B2", 0, 2 * HOUR_MS)
    others = [Alarm(home.database, home.bridge.clock, None) for _ in range(2)]
    for _ in range(12):
        home.speaks("B2", 0)
        home.bridge.clock.advance(5 * MINUTE_MS)
        at_once = [threading.Thread(target=other.notice_departures) for other in others]
        for thread in at_once:
            thread.start()
        for thread in at_once:
            thread.join(DEADLINE_S)
        notice_and_send(home.alarm)
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


def test_who_was_told_that_all_is_well_is_told_once_more(home: Home) -> None:
    home.plans()
    with home.database.writing() as connection:
        connection.execute(update(ready_plans).values(target_percent=100, capacity_kwh=150))
    home.says("B2", 0, HOUR_MS)
    assert len(home.sent) == 1, "there is not enough time, whatever happens"
    with home.database.writing() as connection:
        connection.execute(update(ready_plans).values(target_percent=70, capacity_kwh=60))
    home.says("C2", 7400, 10 * MINUTE_MS)
    assert home.sent[1]["words"].startswith("cp-1: All is well again")
    home.says("B2", 0, 2 * HOUR_MS)
    assert "will not be ready" in home.sent[2]["words"]
    home.says("C2", 7400, HOUR_MS)
    home.says("B2", 0, 2 * HOUR_MS)
    assert len(home.sent) == 4, "and taken back once more"


def test_it_comes_by_mail_and_in_each_browser(home: Home) -> None:
    person = home.ann
    with home.database.writing() as connection:
        connection.execute(delete(alert_wishes).where(alert_wishes.c.person_id == person.id))
        connection.execute(update(people).where(people.c.id == person.id).values(email="ann@example.org"))
        browser = {
            "person_id": person.id,
            "since_ms": 0,
            "host": "push.example",
            "p256dh_secret": "k",
            "auth_secret": "a",
        }
        for number in ("1", "2"):
            of_number = {"device_hash": number, "endpoint_secret": number, "endpoint_hash": number}
            connection.execute(insert(known_devices), {"token_hash": number, "person_id": person.id, "since_ms": 0})
            connection.execute(insert(push_browsers), browser | of_number)
        subscribe_to_letters(connection, [person.id])
        subscribe_unless_chosen(connection, person, Via.BROWSER)
    assert AlertKind.NOT_READY in USUAL
    home.plans()
    home.says("B2", 0, 3 * HOUR_MS)
    with home.database.reading() as connection:
        query = select(alert_wishes.c.via).join(alerts, alerts.c.wish_id == alert_wishes.c.id)
        told = list(connection.execute(query.where(alerts.c.about == AlertKind.NOT_READY.value)).scalars())
    assert sorted(told) == ["browser", "browser", "email"]


def test_of_two_at_home_whoever_set_it_last_is_told(home: Home) -> None:
    home.plans(home.ben.id)
    home.plans(home.ann.id)
    home.says("B2", 0, 3 * HOUR_MS)
    with home.database.reading() as connection:
        told = select(alert_wishes.c.person_id).join(alerts, alerts.c.wish_id == alert_wishes.c.id)
        assert list(connection.execute(told).scalars()) == [home.ann.id]


def test_a_former_owner_is_told_nothing_of_what_was_seen_or_waited(home: Home) -> None:
    home.plans()
    home.says("B2", 0, READY_IN_MS - 3 * HOUR_MS - 15 * MINUTE_MS)
    home.speaks("B2", 0)
    home.bridge.clock.advance(10 * MINUTE_MS)
    now_ms = home.bridge.clock.now_ms()
    with home.database.reading() as connection:
        looks = departures.look(connection, now_ms, raise_it)
    with home.database.writing() as connection:
        connection.execute(insert(alerts), home.waiting())
        release(connection, "cp-1", home.ann.id, now_ms=now_ms)
        claim(connection, home.ben, new_code(connection, "cp-1"), now_ms)
    with home.database.writing() as connection:
        departures.store_looks(connection, looks, now_ms, announcement, raise_it)
        assert plan_of(connection, "cp-1", now_ms) is None, "nor does the new owner see what the former one planned"
    home.says("B2", 0, HOUR_MS)
    assert home.sent == []


def test_a_plan_ends_with_the_sight_of_whoever_set_it(home: Home) -> None:
    """However the membership ended; here its row is deleted."""
    home.plans(home.ben.id)
    with home.database.writing() as connection:
        connection.execute(delete(members))
    home.says("B2", 0, 20 * MINUTE_MS)
    assert (home.rows(), home.sent) == (0, [])


def test_a_plan_ends_with_its_vehicle(home: Home) -> None:
    home.plans()
    with home.database.writing() as connection:
        delete_row(connection, home.vehicle_id)
    home.says("B2", 0, HOUR_MS)
    assert (home.rows(), home.sent) == (0, [])


def test_a_time_zone_that_this_machine_does_not_know_is_utc(home: Home) -> None:
    with home.database.writing() as connection:
        connection.execute(update(units).values(time_zone="Mars/Olympus"))
    home.plans()
    home.says("B2", 0, 3 * HOUR_MS)
    assert "will not be ready by 06:00 UTC" in home.sent[0]["words"]


def test_what_the_database_refuses_is_told_at_the_next_look(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """The judgement and its alert are stored together or not at all."""
    home.plans()
    home.says("B2", 0, READY_IN_MS - 3 * HOUR_MS - 15 * MINUTE_MS)
    home.speaks("B2", 0)
    home.bridge.clock.advance(10 * MINUTE_MS)

    def refuse(*_: object) -> None:
        raise OperationalError("insert", {}, Exception("disk full"))

    with monkeypatch.context() as patch, pytest.raises(OperationalError):
        patch.setattr(departures, "queue", refuse)
        home.alarm.notice_departures()
    home.alarm.notice_departures()
    notice_and_send(home.alarm)
    assert len(home.sent) == 1


@pytest.mark.parametrize("watched", ['{"heard_ms": "noon"}', '{"percent": "full", "percent_ms": 1}', "[]", "none"])
def test_what_cannot_be_read_stops_no_other(home: Home, watched: str) -> None:
    new = home.bridge.add_unit("cp-0")
    with home.database.writing() as connection:
        claim(connection, home.ann, new.claim_code, 0)
        plan = ReadyPlan(home.ready_ms, 0, 80, 60, 7400)
        set_plan(connection, "cp-0", home.ann.id, home.vehicle_id, plan, None, home.bridge.clock.now_ms())
        connection.execute(update(ready_plans).values(watched=watched))
    home.plans()
    home.says("B2", 0, 3 * HOUR_MS)
    assert "cp-1" in {sent["charge_point"] for sent in home.sent}


def test_what_was_seen_before_the_last_departure_is_not_believed_of_the_next(home: Home) -> None:
    """No look happens between two plans; the vehicle was away, and access to its account was lost."""
    home.plans()
    home.says("C2", 7400, READY_IN_MS)
    home.bridge.clock.advance(12 * HOUR_MS)
    home.ready_ms = home.bridge.clock.now_ms() + READY_IN_MS
    home.plans()
    home.says("B2", 0, 10 * MINUTE_MS)
    with home.database.reading() as connection:
        shown = plan_of(connection, "cp-1", home.bridge.clock.now_ms())
    assert shown is not None and shown.outlook is not None
    assert shown.outlook.percent is None


def raise_it(error: Exception) -> None:
    raise error


def test_at_the_last_call_it_is_looked_at_each_minute(home: Home) -> None:
    home.plans()
    home.bridge.clock.advance(READY_IN_MS - 3 * HOUR_MS - MINUTE_MS)
    for due in (["cp-1"], ["cp-1"], []):
        now_ms = home.bridge.clock.now_ms()
        with home.database.reading() as connection:
            assert [one.unit_id for one in due_plans(connection, now_ms)] == due
        home.alarm.notice_departures()
        home.bridge.clock.advance(MINUTE_MS)
