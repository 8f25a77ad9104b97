"""Is only the owner of a car account told that access is lost, and only once?"""

from typing import Any

import pytest
from sqlalchemy import insert, update

from cloud_bridge.alerts.alarm import Alarm
from cloud_bridge.alerts.delivery import page_of
from cloud_bridge.alerts.kinds import AlertKind
from cloud_bridge.durations import DAY_MS, HOUR_MS
from cloud_bridge.store.access import Person
from cloud_bridge.store.alerts import Occupied, next_due
from cloud_bridge.store.vehicle_tables import vehicles
from cloud_bridge.vehicles.linking.link import State
from cloud_bridge.vehicles.providers.provider_errors import LASTING, Trouble
from tests.cloud_bridge.alerting import driver, notice_and_send, webhooks
from tests.cloud_bridge.running import Bridge


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    return webhooks(monkeypatch)


@pytest.fixture
def ann(bridge: Bridge) -> Person:
    """Ann with a vehicle, and a second person with the same subscription."""
    driver(bridge, "ben", (AlertKind.VEHICLE_LOST,))
    ann = driver(bridge, "ann", (AlertKind.VEHICLE_LOST,))
    row = {"person_id": ann.id, "provider": "tesla", "car_id": "1", "vin": "5YJ", "name": "Bluebell", "created_ms": 0}
    with bridge.app_state.database.writing() as connection:
        connection.execute(insert(vehicles), row | {"state": State.LINKED.value, "since_ms": 0})
    return ann


@pytest.fixture
def alarm(bridge: Bridge) -> Alarm:
    return Alarm(bridge.app_state.database, bridge.clock, None, makers={"tesla": "Tesla"})


def becomes(bridge: Bridge, state: State, reason: Trouble | None = None, advice: str = "") -> None:
    values = {"state": state.value, "since_ms": bridge.clock.now_ms(), "reason": reason, "advice": advice}
    with bridge.app_state.database.writing() as connection:
        connection.execute(update(vehicles).values(values))


def look(alarm: Alarm) -> None:
    alarm.notice_lost_vehicles()
    notice_and_send(alarm)


def test_a_lost_access_is_told_once_with_the_way_back(
    bridge: Bridge, ann: Person, alarm: Alarm, sent: list[dict[str, Any]]
) -> None:
    look(alarm)
    becomes(bridge, State.DEGRADED, Trouble.OUTAGE)
    look(alarm)
    assert sent == []
    becomes(bridge, State.ACCESS_LOST, Trouble.CONSENT_GONE)
    for _ in range(60):
        look(alarm)
        bridge.clock.advance(HOUR_MS)
    (one,) = sent
    assert (one["about"], one["charge_point"]) == ("vehicle_lost", None)
    assert one["words"].startswith("We have lost access to Bluebell. Tesla no longer lets us read it.")
    assert one["words"].endswith("connect the vehicle again: it takes a minute.")


def test_one_that_is_lost_again_and_again_is_told_once_a_day(
    bridge: Bridge, ann: Person, alarm: Alarm, sent: list[dict[str, Any]]
) -> None:
    for _ in range(16):
        becomes(bridge, State.ACCESS_LOST, Trouble.CONSENT_GONE)
        look(alarm)
        bridge.clock.advance(2 * HOUR_MS)
        becomes(bridge, State.LINKED)
        look(alarm)
        bridge.clock.advance(HOUR_MS)
    assert len(sent) == 2, "two days"


@pytest.mark.parametrize("reason", sorted(LASTING))
def test_every_reason_says_what_to_do(
    bridge: Bridge, ann: Person, alarm: Alarm, sent: list[dict[str, Any]], reason: Trouble
) -> None:
    becomes(bridge, State.ACCESS_LOST, reason, "Ask the dealer for a key.")
    look(alarm)
    assert sent[0]["words"].endswith("Ask the dealer for a key."), "the maker's own advice comes first"
    assert "{" not in sent[0]["words"]


def test_one_that_was_lost_while_we_were_away_for_long_is_no_news(
    bridge: Bridge, ann: Person, alarm: Alarm, sent: list[dict[str, Any]]
) -> None:
    becomes(bridge, State.ACCESS_LOST, Trouble.CONSENT_GONE)
    bridge.clock.advance(2 * DAY_MS)
    look(alarm)
    assert sent == []


def test_its_notice_leads_to_the_vehicle(bridge: Bridge, ann: Person, alarm: Alarm) -> None:
    becomes(bridge, State.ACCESS_LOST, Trouble.CONSENT_GONE)
    alarm.notice_lost_vehicles()
    with bridge.app_state.database.reading() as connection:
        alert = next_due(connection, bridge.clock.now_ms(), Occupied(), failing=False)
    assert alert is not None
    assert page_of(alert) == "/account/vehicles/1"
