"""Does one bad row end no other alerts, neither now nor after a restart? The rows are as another version could leave them."""

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, select, update
from sqlalchemy.exc import OperationalError

from cloud_bridge.alerts import detection
from cloud_bridge.alerts.alarm import Alarm
from cloud_bridge.alerts.kinds import AlertKind, Happening, words
from cloud_bridge.counters import Counters
from cloud_bridge.durations import HOUR_MS, MINUTE_MS
from cloud_bridge.store.tables import alert_wishes, events, heartbeats
from tests.cloud_bridge.alerting import Journal, driver, look, told, unit_of, webhooks
from tests.cloud_bridge.running import Bridge, HandClock, running_bridge

PAYLOADS = [
    *(
        "",
        "not JSON",
        "[]",
        "17",
        "null",
        '"text"',
        '{"d":[]}',
        '{"d":7}',
        '{"d":{"fault":{"a":1}}}',
        '{"d":{"fault":[]}}',
    ),
    r'{"d":{"fault":"\ud800"}}',
    r'{"d":{"fault":"\u0000"}}',
    '{"d":{"fault":1e999}}',
    '{"d":' + "[" * 5000 + "]" * 5000 + "}",
    '{"d":{"fault":' + "9" * 5000 + "}}",
]


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    return webhooks(monkeypatch)


def put(bridge: Bridge, unit_id: str, payload: str, kind: str = "fault_raised") -> None:
    row = {"unit_id": unit_id, "received_ms": bridge.clock.now_ms(), "kind": kind, "payload": payload}
    with bridge.app_state.database.writing() as connection:
        connection.execute(insert(events), row)


def untold(bridge: Bridge) -> list[int]:
    with bridge.app_state.database.reading() as connection:
        return list(connection.execute(select(events.c.id).where(events.c.untold).order_by(events.c.id)).scalars())


@pytest.mark.parametrize("payload", PAYLOADS, ids=lambda payload: payload[:20])
@pytest.mark.parametrize("kind", ["fault_raised", "boot"])
def test_a_payload_that_cannot_be_read_is_passed_by(
    bridge: Bridge, sent: list[dict[str, Any]], payload: str, kind: str
) -> None:
    ann, ben = driver(bridge, "ann"), driver(bridge, "ben")
    unit_of(bridge, ann, "cp-1")
    other = Journal(unit_of(bridge, ben, "cp-2"), "cp-2")
    put(bridge, "cp-1", payload, kind)
    other.raised("supply")
    look(bridge)
    assert ("fault", "cp-2") in told(sent)
    assert untold(bridge) == []


def test_an_alert_that_the_store_refuses_is_passed_by_and_counted_and_so_after_a_restart(
    tmp_path: Path, sent: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A lone surrogate in a fault's name once failed every alert of everybody, permanently."""

    def poisoned(happening: Happening, name: str) -> str:
        return "\ud800" if happening.detail == "supply" else words(happening, name)

    monkeypatch.setattr(detection, "words", poisoned)
    clock, counters = HandClock(), Counters()
    for number in (1, 2):
        with running_bridge(tmp_path, clock) as bridge:
            if number == 1:
                journal = Journal(unit_of(bridge, driver(bridge, "ann", (AlertKind.FAULT,)), "cp-1"), "cp-1")
                for fault in ("pilot", "supply", "diode"):
                    journal.raised(fault)
            alarm = Alarm(bridge.app_state.database, clock, None, counters=counters)
            alarm.notice()
            alarm.deliver_all()
            assert untold(bridge) == []
    assert [one["words"].split("(")[1].split(")")[0] for one in sent] == [
        "The vehicle cable's pilot wire is faulty",
        "The vehicle does not answer as it should",
    ]
    assert counters.alert_rows_skipped == 1


def test_an_error_of_the_database_passes_nothing_by(
    bridge: Bridge, sent: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = Journal(unit_of(bridge, driver(bridge, "ann"), "cp-1"), "cp-1")
    journal.raised("supply")

    def away(*_: Any) -> str:
        raise OperationalError("INSERT", {}, Exception("the database is away"))

    with monkeypatch.context() as patched:
        patched.setattr(detection, "words", away)
        with pytest.raises(OperationalError):
            look(bridge)
    assert (untold(bridge), sent) == ([1], [])
    look(bridge)
    assert told(sent) == [("fault", "cp-1")]


def test_a_heartbeat_that_cannot_be_read_ends_no_wait_but_its_own(bridge: Bridge, sent: list[dict[str, Any]]) -> None:
    """When a hold-down ends, the newest heartbeat is read."""
    ann, ben = driver(bridge, "ann", (AlertKind.FAULT,)), driver(bridge, "ben", (AlertKind.FAULT,))
    units = {name: Journal(unit_of(bridge, who, name), name) for name, who in (("cp-1", ann), ("cp-2", ben))}
    for _ in range(2):
        for journal in units.values():
            journal.raised("supply")
        look(bridge)
        bridge.clock.advance(10 * MINUTE_MS)
    for journal in units.values():
        journal.heartbeat("supply")
    with bridge.app_state.database.writing() as connection:
        connection.execute(update(heartbeats).where(heartbeats.c.unit_id == "cp-1").values(payload='{"f":7}'))
    bridge.clock.advance(2 * HOUR_MS)
    look(bridge)
    assert told(sent)[2:] == [("fault", "cp-2")]


def test_a_subscription_of_a_newer_version_costs_nobody_else_theirs(bridge: Bridge, sent: list[dict[str, Any]]) -> None:
    ann = driver(bridge, "ann", (AlertKind.FAULT,))
    rows = [{"about": "meteor", "via": "webhook"}, {"about": "fault", "via": "pigeon"}]
    with bridge.app_state.database.writing() as connection:
        for row in rows:
            connection.execute(alert_wishes.insert(), row | {"person_id": ann.id, "target": "https://x.example/"})
    Journal(unit_of(bridge, ann, "cp-1"), "cp-1").raised("supply")
    look(bridge)
    assert told(sent) == [("fault", "cp-1")]
