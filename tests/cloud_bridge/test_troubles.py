"""Is a trouble that does not stop charging shown wherever it can be acted on: pages, support, alerts, API, metrics?"""

import re
from typing import Any

import pytest

from cloud_bridge.alerts import delivery
from cloud_bridge.alerts.alarm import Alarm
from cloud_bridge.alerts.kinds import AlertKind
from cloud_bridge.durations import DAY_MS
from cloud_bridge.store.access import Role
from cloud_bridge.store.people import find_person
from cloud_bridge.store.subscriptions import Via, add_subscription
from cloud_bridge.troubles import COUNTED, KNOWN, described
from firmware.charging.contactor_rest import WORN_CLOSINGS
from tests.cloud_bridge.people import Visitor, entrust, unit_of
from tests.cloud_bridge.running import Bridge, Unit, sample
from tests.wire_schema import SCHEMA, bounds

HEARTBEAT = "cp/home-1/heartbeat"
TROUBLED = sample("heartbeat-troubles")
HOOK = "https://hooks.example/chargers"


@pytest.fixture
def unit(bridge: Bridge) -> Unit:
    return unit_of(bridge, "dora")


@pytest.fixture
def driver(bridge: Bridge, unit: Unit) -> Visitor:
    return Visitor(bridge, "dora")


def test_every_trouble_that_a_unit_names_has_words() -> None:
    assert set(KNOWN) == {*bounds(SCHEMA["heartbeat"]["h"])[1], *COUNTED}
    assert f"{WORN_CLOSINGS:,} times" in described("contactor_worn").meaning


def test_the_dashboard_says_what_it_means_and_what_to_do(unit: Unit, driver: Visitor) -> None:
    unit.publish(HEARTBEAT, TROUBLED)
    said = driver.read("/")
    assert "Needs attention" in said
    for name in ("flash", "plain_mqtt"):
        assert all(words in said for words in described(name)[1:])
    assert "Some of its records are lost (3)" in said
    assert "Ready, no vehicle connected" in said
    assert 'role="alert"' not in driver.get("/"), "it charges"


def test_parts_of_the_firmware_that_failed_are_shown_with_their_number(
    bridge: Bridge, unit: Unit, driver: Visitor
) -> None:
    unit.publish(HEARTBEAT, sample("heartbeat-parts-failed"))
    said = driver.read("/")
    assert "Needs attention" in said and "Parts of its software have failed (2)" in said
    assert bridge.read("home-1")["parts_failed"] == 2


def test_the_notice_goes_with_the_trouble(bridge: Bridge, unit: Unit, driver: Visitor) -> None:
    unit.publish(HEARTBEAT, TROUBLED)
    assert "Needs attention" in driver.read("/")
    unit.publish(HEARTBEAT, sample("heartbeat-idle"))
    bridge.until(lambda: "Needs attention" not in driver.read("/"), "the notice went")


def test_a_trouble_that_we_do_not_know_is_shown_by_its_name(unit: Unit, driver: Visitor) -> None:
    unit.publish(HEARTBEAT, b'{"n":1,"b":1,"s":"A1","h":["<b>fan"]}')
    assert "&lt;b&gt;fan" in driver.get("/")


def test_support_and_the_installer_see_it(bridge: Bridge, unit: Unit, driver: Visitor) -> None:
    unit.publish(HEARTBEAT, TROUBLED)
    driver.post("/charge-points/home-1/support", text="It hums.")
    support, installer = Visitor(bridge, "sue", Role.SUPPORT), Visitor(bridge, "ingo", Role.INSTALLER)
    entrust(bridge, "home-1", "ingo")
    facts = support.read("/support/1")
    assert (
        "Needs attention Its connection is not encrypted; Its memory does not store everything; Some of its rec"
        in facts
    )
    assert "Its memory does not store everything" in support.read("/charge-points/home-1/jobs")
    path = support.post("/charge-points/home-1/jobs", reason="Worn flash").url.path
    assert "Its memory does not store everything" in installer.read(path)


def test_the_interface_has_it(bridge: Bridge, unit: Unit) -> None:
    assert (bridge.read("home-1")["troubles"], bridge.read("home-1")["records_dropped"]) == (None, None)
    unit.publish(HEARTBEAT, TROUBLED)
    said = bridge.read("home-1")
    assert (said["troubles"], said["records_dropped"]) == (["plain_mqtt", "flash"], 3)
    assert bridge.client.get("/api/charge-points").json()[0]["troubles"] == ["plain_mqtt", "flash"]


def test_the_metrics_count_units_and_name_none(bridge: Bridge) -> None:
    told = {
        "cp-1": TROUBLED,
        "cp-2": b'{"n":1,"b":1,"h":["flash"]}',
        "cp-3": sample("heartbeat-idle"),
        "cp-4": b'{"d":2}',
        "cp-5": sample("heartbeat-parts-failed"),
    }
    for unit_id, payload in told.items():
        Unit(bridge, unit_id, bridge.add_unit(unit_id).secret).connect().publish(f"cp/{unit_id}/heartbeat", payload)
    said = bridge.client.get("/metrics").text
    assert "chargekeeper_units_troubled 4.0" in said
    assert dict(re.findall(r'chargekeeper_troubles\{trouble="(\w+)"\} (\S+)', said)) == {
        "contactor_worn": "0.0",
        "uncommissioned": "0.0",
        "flash": "2.0",
        "parts_failed": "1.0",
        "plain_mqtt": "1.0",
        "records_dropped": "2.0",
    }
    assert "cp-" not in said


@pytest.fixture
def sent(bridge: Bridge, unit: Unit, monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """The webhooks of Dora, who subscribes to troubles."""
    out: list[dict[str, Any]] = []
    monkeypatch.setattr(delivery, "post", lambda _url, _secret, payload, _now_ms: out.append(payload))
    with bridge.app_state.database.writing() as connection:
        add_subscription(connection, find_person(connection, "dora"), AlertKind.TROUBLE, Via.WEBHOOK, HOOK)
    return out


def look(bridge: Bridge) -> None:
    alarm = Alarm(bridge.app_state.database, bridge.app_state.clock, None)
    alarm.notice_trouble()
    alarm.deliver_all()


def test_the_owner_is_notified_once_a_week_while_it_lasts(
    bridge: Bridge, unit: Unit, sent: list[dict[str, Any]]
) -> None:
    unit.publish(HEARTBEAT, TROUBLED)
    for _ in range(3):
        look(bridge)
    assert [(one["about"], one["charge_point"]) for one in sent] == [("trouble", "home-1")] * 3, "each by itself"
    assert "home-1 charges, but needs attention: Its connection is not encrypted" in sent[0]["words"]
    assert "Its memory" in sent[1]["words"]
    bridge.clock.advance(7 * DAY_MS)
    look(bridge)
    assert len(sent) == 3, "a heartbeat of a week ago says nothing of now"
    unit.publish(HEARTBEAT, TROUBLED.replace(b'"n":5', b'"n":6'))
    look(bridge)
    assert len(sent) == 6


def test_another_trouble_within_the_week_is_news(bridge: Bridge, unit: Unit, sent: list[dict[str, Any]]) -> None:
    unit.publish(HEARTBEAT, b'{"n":1,"b":1,"h":["flash"]}')
    look(bridge)
    unit.publish(HEARTBEAT, b'{"n":2,"b":1,"h":["flash","plain_mqtt"]}')
    look(bridge)
    assert ["Its memory" in sent[0]["words"], "not encrypted" in sent[1]["words"], len(sent)] == [True, True, 2]


def test_the_owner_is_notified_of_parts_that_failed(bridge: Bridge, unit: Unit, sent: list[dict[str, Any]]) -> None:
    unit.publish(HEARTBEAT, sample("heartbeat-parts-failed"))
    look(bridge)
    assert [one["about"] for one in sent] == ["trouble"] and "Parts of its software have failed" in sent[0]["words"]


def test_a_worn_contactor_is_told_to_the_installer(
    bridge: Bridge, unit: Unit, driver: Visitor, sent: list[dict[str, Any]]
) -> None:
    """On the charger's page with the number of closings, on the page of a job, and in an alert."""
    installer = Visitor(bridge, "ingo", Role.INSTALLER)
    entrust(bridge, "home-1", "ingo")
    with bridge.app_state.database.writing() as connection:
        add_subscription(connection, find_person(connection, "ingo"), AlertKind.TROUBLE, Via.WEBHOOK, HOOK)
    unit.publish("cp/home-1/event", sample("event-day").replace(b"1302", b"80003"))
    unit.publish(HEARTBEAT, sample("heartbeat-contactor-worn"))
    look(bridge)
    assert len(sent) == 2 and "contactor is near the end of its life" in sent[1]["words"], (
        "the owner, and the installer"
    )
    said = installer.read("/charge-points/home-1")
    assert "Contactor closings 80,003" in said and all(words in said for words in described("contactor_worn")[1:])
    support = Visitor(bridge, "sue", Role.SUPPORT)
    path = support.post("/charge-points/home-1/jobs", reason="Worn contactor").url.path
    assert "Its contactor is near the end of its life" in installer.read(path)


def test_a_unit_that_is_well_causes_no_alert(bridge: Bridge, unit: Unit, sent: list[dict[str, Any]]) -> None:
    unit.publish(HEARTBEAT, b'{"n":1,"b":1,"h":[],"zz":{"d":0}}')
    look(bridge)
    assert sent == []


def test_a_notification_of_it_can_be_asked_for(bridge: Bridge, driver: Visitor) -> None:
    page = "/account/notifications"
    driver.post(page, about="trouble", via="webhook", target=HOOK)
    assert "It charges, but needs attention Webhook" in driver.read(page)
