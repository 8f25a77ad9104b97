"""Does everybody get the alerts they subscribed to, once, in time and signed, and nothing about others' chargers?"""

from typing import Any

import pytest
from sqlalchemy import select

from cloud_bridge.alerts import delivery
from cloud_bridge.alerts.delivery import AGAIN_AFTER_MS
from cloud_bridge.alerts.errors import NotDelivered
from cloud_bridge.alerts.kinds import AlertKind
from cloud_bridge.durations import HOUR_MS, MINUTE_MS
from cloud_bridge.errors import BridgeError
from cloud_bridge.store.people import Role, add_person, find_person
from cloud_bridge.store.subscriptions import Via, add_subscription, remove_subscription, subscriptions_of
from cloud_bridge.store.tables import alerts
from tests.cloud_bridge.alerting import HOOK, driver, look, told, unit_of, webhooks
from tests.cloud_bridge.running import Bridge, sample


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    return webhooks(monkeypatch)


def test_silence_and_return_are_told_once_and_only_to_the_owner(bridge: Bridge, sent: list[dict[str, Any]]) -> None:
    unit = unit_of(bridge, driver(bridge, "ann"), "cp-1")
    driver(bridge, "ben")
    unit.publish("cp/cp-1/heartbeat", b"{}")
    bridge.clock.advance(31 * MINUTE_MS)
    for _ in range(3):
        look(bridge)
    assert told(sent) == [("silent", "cp-1")]
    unit.publish("cp/cp-1/heartbeat", b"{}")
    for _ in range(3):
        look(bridge)
    assert told(sent) == [("silent", "cp-1"), ("back", "cp-1")]


def test_a_unit_that_flaps_is_told_of_once_in_six_hours(bridge: Bridge, sent: list[dict[str, Any]]) -> None:
    unit = unit_of(bridge, driver(bridge, "ann"), "cp-1")
    for _ in range(4):
        unit.publish("cp/cp-1/heartbeat", b"{}")
        look(bridge)
        bridge.clock.advance(31 * MINUTE_MS)
        look(bridge)
    assert told(sent) == [("silent", "cp-1"), ("back", "cp-1")]
    bridge.clock.advance(6 * HOUR_MS)
    unit.publish("cp/cp-1/heartbeat", b"{}")
    look(bridge)
    bridge.clock.advance(31 * MINUTE_MS)
    look(bridge)
    assert told(sent)[-1] == ("silent", "cp-1")
    assert len(sent) == 3


def test_a_fault_and_a_brown_out_are_told_by_name(bridge: Bridge, sent: list[dict[str, Any]]) -> None:
    unit = unit_of(bridge, driver(bridge, "ann"), "cp-1")
    unit.publish("cp/cp-1/event", sample("event-fault-raised"))
    unit.publish("cp/cp-1/event", sample("event-boot-time-unknown"))
    look(bridge)
    assert told(sent) == [("fault", "cp-1"), ("brown_out", "cp-1")]
    assert "Earth leakage (AC)" in sent[0]["words"]


def test_many_at_once_are_one_incident(bridge: Bridge, sent: list[dict[str, Any]]) -> None:
    ann = driver(bridge, "ann")
    with bridge.app_state.database.writing() as connection:
        add_person(connection, "olga", "a hash", Role.OPERATOR, 0)
        add_subscription(connection, find_person(connection, "olga"), AlertKind.INCIDENT, Via.WEBHOOK, HOOK)
    for number in range(12):
        unit_of(bridge, ann, f"cp-{number}").publish(f"cp/cp-{number}/heartbeat", b"{}")
    bridge.clock.advance(31 * MINUTE_MS)
    look(bridge)
    look(bridge)
    assert told(sent) == [("incident", None)]
    assert sent[0]["words"].startswith("12 chargers")


def test_what_is_not_delivered_is_tried_again_and_given_up(bridge: Bridge, monkeypatch: pytest.MonkeyPatch) -> None:
    tries: list[int] = []

    def refuse(_url: str, _secret: str, payload: dict[str, Any], now_ms: int) -> None:
        tries.append(payload["id"])
        raise NotDelivered("it answered 500")

    monkeypatch.setattr(delivery, "post", refuse)
    unit = unit_of(bridge, driver(bridge, "ann", (AlertKind.FAULT,)), "cp-1")
    unit.publish("cp/cp-1/event", sample("event-fault-raised"))
    for wait_ms in [0, *AGAIN_AFTER_MS, 10**9]:
        bridge.clock.advance(wait_ms)
        look(bridge)
    assert tries == [1] * (len(AGAIN_AFTER_MS) + 1), "the same id each time"
    with bridge.app_state.database.reading() as connection:
        (row,) = connection.execute(select(alerts))
    assert (row.due_ms, row.trouble) == (None, "it answered 500")


@pytest.mark.parametrize(
    ("about", "via", "target"),
    [
        (AlertKind.SILENT, Via.WEBHOOK, "http://hooks.example/"),
        (AlertKind.SILENT, Via.WEBHOOK, "https://"),
        (AlertKind.SILENT, Via.WEBHOOK, "https://[::1"),
        (AlertKind.SILENT, Via.PUSH, "json://localhost/"),
        (AlertKind.SILENT, Via.EMAIL, "somebody@else.example"),
        (AlertKind.SILENT, Via.EMAIL, ""),  # her account has no address
        (AlertKind.SILENT, Via.WEBHOOK, "https://a/" + "x" * 500),
        (AlertKind.INCIDENT, Via.WEBHOOK, HOOK),
    ],
)
def test_a_wish_that_we_do_not_grant(bridge: Bridge, about: AlertKind, via: Via, target: str) -> None:
    ann = driver(bridge, "ann", ())
    with bridge.app_state.database.writing() as connection, pytest.raises(BridgeError):
        add_subscription(connection, ann, about, via, target)


def test_a_wish_is_taken_back_only_by_its_owner(bridge: Bridge) -> None:
    ann, ben = driver(bridge, "ann", (AlertKind.SILENT,)), driver(bridge, "ben", ())
    with bridge.app_state.database.writing() as connection:
        (subscription,) = subscriptions_of(connection, ann)
        assert not remove_subscription(connection, ben, subscription.id)
        assert remove_subscription(connection, ann, subscription.id)
        assert subscriptions_of(connection, ann) == []
