"""Do the pages show an OCPP charger like any other, without what it cannot report, and offer only what it can do?"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from cloud_bridge.durations import MINUTE_MS
from cloud_bridge.ingest.ocpp import line, login
from cloud_bridge.store.access import Role
from cloud_bridge.store.claims import release
from cloud_bridge.store.units import Protocol
from tests.cloud_bridge.ingest.ocpp.client import OcppClient
from tests.cloud_bridge.people import Visitor, give
from tests.cloud_bridge.running import Bridge, running_bridge


@pytest.fixture
def bridge(tmp_path: Path) -> Iterator[Bridge]:
    with running_bridge(tmp_path, ocpp=True) as bridge:
        yield bridge


@pytest.fixture
def charger(bridge: Bridge) -> OcppClient:
    """A charger claimed by ann that has never connected."""
    new = bridge.add_unit("wall", Protocol.OCPP)
    bridge.add_person("ann", "correct horse", Role.DRIVER)
    give(bridge, new.claim_code, "ann")
    return OcppClient(bridge, "wall", new.secret)


def test_a_charging_one_is_seen_without_what_it_cannot_tell(bridge: Bridge, charger: OcppClient) -> None:
    charger.call("BootNotification", chargePointVendor="V", chargePointModel="M", firmwareVersion="7.1")
    charger.call("StatusNotification", connectorId=1, errorCode="NoError", status="Charging")
    sample = {"value": "7200", "measurand": "Power.Active.Import", "unit": "W"}
    charger.call("MeterValues", connectorId=1, meterValue=[{"sampledValue": [sample]}])
    bridge.app_state.unit_reports.write()
    page = Visitor(bridge, "ann").read("/")
    assert "Just now" in page and "Working" in page and "Charging" in page and "7.2 kW" in page
    assert "OCPP 1.6" in page and "Firmware 7.1" in page
    for unknown in ("Mobile signal", "Light on the wall", "Mode", "standard charger", "red light"):
        assert unknown not in page, unknown


def test_a_fault_has_words_and_nobody_is_told_of_a_button_or_a_light(bridge: Bridge, charger: OcppClient) -> None:
    charger.call("StatusNotification", connectorId=1, errorCode="GroundFailure", status="Faulted")
    page = Visitor(bridge, "ann").read("/")
    assert "Your charger reports a fault" in page and "Earth leakage" in page
    assert "red light" not in page and "press the button" not in page


def test_a_silent_one_is_told_without_promises_of_what_it_does(bridge: Bridge, charger: OcppClient) -> None:
    charger.call("StatusNotification", connectorId=1, errorCode="NoError", status="Available")
    bridge.clock.advance(31 * MINUTE_MS)
    page = Visitor(bridge, "ann").read("/")
    assert "We have not heard from your charger" in page and "a setting of its own" in page
    assert "standard charger" not in page


def test_whoever_was_refused_in_its_name_is_told_with_the_reason(bridge: Bridge, charger: OcppClient) -> None:
    bridge.app_state.unit_reports.refused("wall", login.NO_SUBPROTOCOL)
    bridge.app_state.unit_reports.write()
    ann = Visitor(bridge, "ann")
    assert login.NO_SUBPROTOCOL in ann.read("/")
    bridge.clock.advance(MINUTE_MS)
    charger.call("Heartbeat")
    assert login.NO_SUBPROTOCOL not in ann.read("/"), "it was heard since"


def test_a_second_one_with_its_identity_is_told_for_an_hour(bridge: Bridge, charger: OcppClient) -> None:
    bridge.app_state.unit_reports.contested("wall")
    bridge.app_state.unit_reports.write()
    ann, told = Visitor(bridge, "ann"), "A second charger may use its identity"
    assert told in ann.read("/")
    bridge.clock.advance(61 * MINUTE_MS)
    assert told not in ann.read("/")


def test_only_what_it_can_do_is_offered(bridge: Bridge, charger: OcppClient) -> None:
    charger.call("BootNotification", chargePointVendor="V", chargePointModel="M")
    ann, here = Visitor(bridge, "ann"), "/charge-points/wall/charging"
    page = ann.read(here)
    assert "Limit it" in page and "Pause it" in page and "Charge now" in page
    assert "When to charge" not in page and "Back to my hours" not in page and "not possible with this charger" in page
    answer = ann.post(f"{here}/schedule", here, choice="off")
    assert answer.status_code == 422 and "Not possible with this charger" in answer.text
    refused = bridge.client.post("/api/charge-points/wall/commands", json={"do": "skip_delay"})
    assert refused.status_code == 409 and "not possible with this charger" in refused.text
    assert ann.post(f"{here}/pause", here, hours="1").status_code == 200
    asked = charger.asked("SetChargingProfile")
    charger.send([3, asked[1], {"status": "Accepted"}])
    assert ann.post(f"{here}/stop", here).status_code == 200
    assert "not possible with this charger" in ann.read(here), "no transaction goes on"
    for what, action in (("unlock", "UnlockConnector"), ("reboot", "Reset")):
        assert ann.post(f"{here}/{what}", here).status_code == 200
        asked = charger.asked(action)
        charger.send([3, asked[1], {"status": "Unlocked" if what == "unlock" else "Accepted"}])


def test_its_last_messages_are_there_without_tokens_until_it_changes_hands(bridge: Bridge, charger: OcppClient) -> None:
    here = "/charge-points/wall/frames"
    ann, sam = Visitor(bridge, "ann"), Visitor(bridge, "sam", Role.SUPPORT)
    assert "There are none yet" in ann.read(here)
    charger.call("Authorize", idTag="04AABBCCDD")
    charger.answer([2, "x", "Nonsense", {}])
    charger.call("BootNotification", chargePointVendor="V", chargePointModel="M")
    assert charger.asked("TriggerMessage")
    bridge.app_state.unit_reports.write()
    for visitor in (ann, sam):
        page = visitor.read(here)
        assert "Authorize" in page and "***" in page and "04AABBCCDD" not in page
        assert "NotImplemented" in page and "from us" in page and "TriggerMessage" in page
    assert "Last messages" in ann.read("/charge-points/wall")
    with bridge.app_state.database.writing() as connection:
        assert release(connection, "wall", now_ms=bridge.clock.now_ms())
    assert "There are none yet" in sam.read(here)
    assert Visitor(bridge, "eve", Role.DRIVER).client.get(here).status_code == 404


def test_its_settings_are_told_as_it_has_answered(
    bridge: Bridge, charger: OcppClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(line, "SETTLED_AFTER_S", 0.0)
    here, told = "/charge-points/wall/frames", "Without a connection"
    ann, sam = Visitor(bridge, "ann"), Visitor(bridge, "sam", Role.SUPPORT)
    charger.call("StatusNotification", connectorId=1, errorCode="NoError", status="Available")
    assert told not in ann.read("/") and "Its settings" not in sam.read(here)
    charger.call("BootNotification", chargePointVendor="V", chargePointModel="M")
    for status in ("Accepted", "NotSupported", "Rejected", "RebootRequired"):
        charger.send([3, charger.asked("ChangeConfiguration")[1], {"status": status}])
    keys = [{"key": "LocalAuthorizeOffline", "value": "true"}, {"key": "StationPassword", "value": "LetMeIn!"}]
    charger.send(
        [3, charger.asked("GetConfiguration")[1], {"configurationKey": keys, "unknownKey": ["ConnectionTimeOut"]}]
    )
    charger.call("Heartbeat")
    bridge.app_state.unit_reports.write()
    page = ann.read("/")
    assert told in page and "it does not support ours" in page
    page = sam.read(here)
    assert "AllowOfflineTxForUnknownId" in page and "unknown to it" in page and "holds after a restart" in page
    assert "ConnectionTimeOut" in page and "LetMeIn!" not in page


def test_its_version_is_told(bridge: Bridge, charger: OcppClient) -> None:
    station = OcppClient(bridge, "wall", charger.secret, subprotocols=["ocpp2.0.1"])
    station.call("StatusNotification", evseId=1, connectorId=1, connectorStatus="Available")
    bridge.app_state.unit_reports.write()
    assert "OCPP 2.0.1" in Visitor(bridge, "ann").read("/")


def test_one_that_is_rarely_heard_is_silent_later_until_it_answers(bridge: Bridge, charger: OcppClient) -> None:
    charger.call("StatusNotification", connectorId=1, errorCode="NoError", status="Available")
    reports, ann = bridge.app_state.unit_reports, Visitor(bridge, "ann")
    reports.own_interval("wall", 4 * 3600)
    reports.write()
    bridge.clock.advance(2 * 60 * MINUTE_MS)
    page = ann.read("/")
    assert "after 4 hours" in page and "We have not heard from your charger" not in page
    charger.call("BootNotification", chargePointVendor="V", chargePointModel="M")
    charger.send([3, "of nobody", {}])
    charger.call("Heartbeat")
    reports.write()
    assert "Counted as silent" in ann.read("/"), "that was no answer"
    assert ann.post("/charge-points/wall/charging/resume", "/charge-points/wall/charging").status_code == 200
    charger.send([4, charger.asked("ClearChargingProfile")[1], "NotImplemented", "", {}])
    charger.call("Heartbeat")
    reports.write()
    assert "Counted as silent" not in ann.read("/")


def test_the_fleet_tells_its_kind(bridge: Bridge, charger: OcppClient) -> None:
    charger.call("StatusNotification", connectorId=1, errorCode="NoError", status="Available")
    assert "OCPP" in Visitor(bridge, "sam", Role.SUPPORT).read("/fleet")
    assert bridge.read("wall")["protocol"] == "ocpp"


def test_every_other_page_of_it_is_there(bridge: Bridge, charger: OcppClient) -> None:
    charger.call("BootNotification", chargePointVendor="V", chargePointModel="M", firmwareVersion="7.1")
    charger.call("StatusNotification", connectorId=1, errorCode="WeakSignal", status="Charging")
    charger.call("SecurityEventNotification", type="StartupOfTheDevice")
    charger.call("FirmwareStatusNotification", status="Idle")
    bridge.clock.advance(MINUTE_MS)
    begun = charger.call("StartTransaction", connectorId=1, idTag="X", meterStart=0, timestamp="2026-01-01T00:01:00Z")
    charger.call(
        "StopTransaction", transactionId=begun["transactionId"], meterStop=5000, timestamp="2026-01-01T00:01:00Z"
    )
    charger.call("StatusNotification", connectorId=1, errorCode="GroundFailure", status="Faulted")
    bridge.clock.advance(MINUTE_MS)
    ann, sam = Visitor(bridge, "ann"), Visitor(bridge, "sam", Role.SUPPORT)
    assert "5.0 kWh" in ann.read("/charge-points/wall/history")
    for path in ("support", "charging"):
        ann.read(f"/charge-points/wall/{path}")
    assert "Restarts once" in sam.read("/charge-points/wall/jobs")
    for what in ("sessions", "events", "signal", "contacts", "in-force"):
        assert bridge.client.get(f"/api/charge-points/wall/{what}").status_code == 200, what
