"""Drivers with alert subscriptions, and the alerts sent to them, for tests."""

import json
from typing import Any

import pytest

from cloud_bridge.alerts import delivery
from cloud_bridge.alerts.alarm import Alarm
from cloud_bridge.alerts.kinds import AlertKind
from cloud_bridge.store.access import Person
from cloud_bridge.store.claims import claim
from cloud_bridge.store.people import Role, add_person, find_person
from cloud_bridge.store.subscriptions import Via, add_subscription
from tests.cloud_bridge.running import Bridge, Unit

HOOK = "https://hooks.example/chargers"


def webhooks(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Return a list that collects the payloads of all webhooks from now on, which are not sent."""
    out: list[dict[str, Any]] = []
    monkeypatch.setattr(delivery, "post", lambda _url, _secret, payload, _now_ms: out.append(payload))
    return out


def driver(bridge: Bridge, name: str, about: tuple[AlertKind, ...] = tuple(AlertKind)[:5]) -> Person:
    with bridge.app_state.database.writing() as connection:
        add_person(connection, name, "a hash", Role.DRIVER, 0)
        person = find_person(connection, name)
        for one in about:
            add_subscription(connection, person, one, Via.WEBHOOK, HOOK)
    return person


def unit_of(bridge: Bridge, person: Person, unit_id: str) -> Unit:
    new = bridge.add_unit(unit_id)
    with bridge.app_state.database.writing() as connection:
        claim(connection, person, new.claim_code, 0)
    return Unit(bridge, unit_id, new.secret).connect()


def look(bridge: Bridge) -> None:
    """Do what the bridge does every few seconds: notice silences, queue alerts and send them."""
    bridge.app_state.upkeep.notice()
    notice_and_send(Alarm(bridge.app_state.database, bridge.app_state.clock, None))


def notice_and_send(alarm: Alarm) -> int:
    """Return the number of alerts delivered."""
    alarm.notice()
    return alarm.deliver_all()


def told(sent: list[dict[str, Any]]) -> list[tuple[str, str | None]]:
    """Return (kind, charge point) of each payload in the order of the queue: alerts of two people are sent concurrently."""
    return [(one["about"], one["charge_point"]) for one in sorted(sent, key=lambda one: one["id"])]


def no_bad_row(error: Exception) -> None:
    """Raise the error, in tests in which every row is readable."""
    raise error


class Journal:
    """Publishes events of one unit, numbered as in its journal."""

    def __init__(self, unit: Unit, unit_id: str) -> None:
        self.unit = unit
        self._unit_id = unit_id
        self._number = 0

    def raised(self, fault: str) -> None:
        self.event("fault_raised", {"fault": fault})
        self.heartbeat(fault)

    def cleared(self, fault: str, left: tuple[str, ...] = ()) -> None:
        self.event("fault_cleared", {"fault": fault, "by": "button"})
        self.heartbeat(*left)

    def event(self, kind: str, details: dict[str, Any]) -> None:
        self._publish("event", {"k": kind, "d": details})

    def heartbeat(self, *faults: str) -> None:
        self._publish("heartbeat", {"f": list(faults)})

    def _publish(self, kind: str, said: dict[str, Any]) -> None:
        self._number += 1
        payload = json.dumps({"n": self._number, "b": 1, **said}, separators=(",", ":"))
        self.unit.publish(f"cp/{self._unit_id}/{kind}", payload.encode())
