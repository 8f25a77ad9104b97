"""Does what a charger of OCPP 1.6 says come to the state, the events and the sessions that it means?"""

import json
from typing import Any

import pytest

from cloud_bridge.clock import iso_utc
from cloud_bridge.ingest.ocpp.actions import HEARTBEAT_S, carry_out, data_transfer
from cloud_bridge.ingest.ocpp.charger import ChargerState
from cloud_bridge.ingest.ocpp.frames import Call, ErrorCode
from cloud_bridge.ingest.ocpp.orders import Step
from cloud_bridge.ingest.ocpp.transactions import Transaction
from cloud_bridge.ingest.ocpp.v16 import ACTIONS, DIALECT
from cloud_bridge.ocpp_settings import Told

T = 1_767_225_600
NOW_MS = T * 1000
AT = iso_utc(NOW_MS)
ACCEPTED = {"idTagInfo": {"status": "Accepted"}}


class Charger:
    """What it says, and what we know of it then."""

    def __init__(self) -> None:
        self.state = ChargerState()
        self.now_ms = NOW_MS
        self.stored: list[tuple[str, dict[str, Any]]] = []

    def say(self, action: str, **payload: Any) -> dict[str, Any]:
        outcome = carry_out(ACTIONS, self.state, Call("1", action, payload), self.now_ms)
        assert outcome.refused is None
        self.stored += [(kind, json.loads(said)) for kind, said in outcome.records]
        return outcome.answer

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [said for stored, said in self.stored if stored == kind]


def test_its_boot_is_answered_and_named() -> None:
    charger = Charger()
    told = {"chargePointVendor": "EVNEX", "chargePointModel": "R7", "firmwareVersion": "1.2", "iccid": "8944"}
    answer = charger.say("BootNotification", **told, chargeBoxSerialNumber="box", meterType="")
    assert answer == {"status": "Accepted", "currentTime": AT, "interval": HEARTBEAT_S}
    details = {"v": "1.2", "vendor": "EVNEX", "model": "R7", "serial": "box", "iccid": "8944"}
    assert charger.of("event") == [{"k": "boot", "d": details}]
    assert charger.state.vendor == "evnex" and charger.of("heartbeat") == []
    charger.say("BootNotification", chargePointSerialNumber="point", chargeBoxSerialNumber="box")
    assert charger.of("event")[1]["d"] == {"serial": "point"} and charger.state.vendor == ""


def test_a_status_is_the_state_and_its_fault_is_raised_and_cleared() -> None:
    charger = Charger()
    for status, error in (("Charging", "NoError"), ("Faulted", "GroundFailure"), ("Available", "NoError")):
        told = {"connectorId": 1, "status": status, "errorCode": error, "timestamp": iso_utc(NOW_MS - 90_000)}
        assert charger.say("StatusNotification", **told) == {}
    assert [one["s"] if "s" in one else one["f"] for one in charger.of("heartbeat")] == [
        "C2",
        ["ocpp_groundfailure"],
        "A1",
    ]
    assert charger.of("event") == [
        {"k": "fault_raised", "d": {"fault": "ocpp_groundfailure"}},
        {"k": "fault_cleared", "d": {"fault": "ocpp_groundfailure"}},
    ]
    assert charger.state.behind_s == 90


def test_readings_are_of_their_connector() -> None:
    charger = Charger()
    assert (
        charger.say("MeterValues", connectorId=2, meterValue=[{"timestamp": AT, "sampledValue": [{"value": "7"}]}])
        == {}
    )
    assert charger.state.connectors[2].total_wh == 7


def start(charger: Charger, **more: Any) -> int:
    told = {"connectorId": 1, "timestamp": AT, "meterStart": 1000, "idTag": "04AA"} | more
    answer = charger.say("StartTransaction", **told)
    number = answer.pop("transactionId")
    assert answer == ACCEPTED and isinstance(number, int)
    return number


def stop(charger: Charger, number: Any, **more: Any) -> None:
    told = {"transactionId": number, "timestamp": iso_utc(NOW_MS + 60_000), "meterStop": 1500} | more
    charger.now_ms = NOW_MS + 60_000
    assert charger.say("StopTransaction", **told) == ACCEPTED


def test_a_transaction_is_one_session_however_often_both_ends_are_sent() -> None:
    charger = Charger()
    number = start(charger)
    assert start(charger) == number
    assert charger.state.running == Transaction(number, 1, T, 1000)
    stop(charger, number, reason="EVDisconnected")
    stop(charger, number)
    assert charger.of("session") == [
        {"b": number, "n": 0, "t": T + 60, "t0": T, "t1": T + 60, "y": "EVDisconnected", "s": 60, "e": 500}
    ]


@pytest.mark.parametrize(
    "other", [{"connectorId": 2}, {"timestamp": iso_utc(NOW_MS + 1000)}, {"meterStart": 1}, {"idTag": "B"}]
)
def test_another_transaction_has_another_number(other: dict[str, Any]) -> None:
    assert start(Charger()) != start(Charger(), **other)


def test_one_without_a_connector_is_of_the_whole() -> None:
    charger = Charger()
    start(charger, connectorId=None)
    assert charger.state.running is not None and charger.state.running.connector == 0


@pytest.mark.parametrize(("registers", "energy"), [((1000, 1200), 500), ((1000,), None), ((), None)])
def test_an_end_without_its_beginning_goes_by_the_readings_that_came_with_it(
    registers: tuple[int, ...], energy: int | None
) -> None:
    charger = Charger()
    stop(charger, 77, transactionData=[{"timestamp": AT, "sampledValue": [{"value": wh}]} for wh in registers])
    (said,) = charger.of("session")
    assert said.get("e") == energy and said["b"] == 77 and "t0" not in said


def test_what_only_has_to_be_noted_is_an_event() -> None:
    charger = Charger()
    assert charger.say("DiagnosticsStatusNotification", status="Uploaded") == {}
    assert charger.say("FirmwareStatusNotification", status="Installed") == {}
    assert charger.say("SecurityEventNotification", type="TamperDetectionActivated") == {}
    assert charger.say("LogStatusNotification", status="Idle") == {}
    assert charger.say("SignedFirmwareStatusNotification", status="Idle") == {}
    assert [(one["k"], one["d"]) for one in charger.of("event")] == [
        ("diagnostics", {"status": "Uploaded"}),
        ("firmware", {"status": "Installed"}),
        ("security", {"what": "TamperDetectionActivated"}),
        ("diagnostics", {"status": "Idle"}),
        ("firmware", {"status": "Idle"}),
    ]
    assert charger.say("SignCertificate") == {"status": "Rejected"}
    assert charger.say("Authorize", idTag="04AA") == ACCEPTED
    assert charger.say("Heartbeat") == {"currentTime": AT}


def test_what_nobody_knows_is_refused_and_the_state_is_told_all_the_same() -> None:
    charger = ChargerState()
    assert carry_out(ACTIONS, charger, Call("1", "Fly", {}), NOW_MS) == ({}, [], ErrorCode.NOT_IMPLEMENTED)
    charger.take_status(1, "Available", None)
    outcome = carry_out(ACTIONS, charger, Call("1", "Fly", {}), NOW_MS)
    assert [kind for kind, _ in outcome.records] == ["heartbeat"] and outcome.answer == {}


@pytest.mark.parametrize(
    ("data", "told"), [("x", "x"), ({"a": 1}, '{"a": 1}'), (None, None), ("y" * 300, "y" * 200), (0, "0")]
)
def test_what_a_maker_tells_in_its_own_way_is_kept_and_not_carried_out(data: Any, told: str | None) -> None:
    payload = {"vendorId": "V", "messageId": "M", "data": data}
    answer, [(kind, said)] = data_transfer(ChargerState(), payload, NOW_MS)
    assert answer == {"status": "UnknownVendorId"} and kind == "event"
    assert json.loads(said) == {"k": "data", "d": {"vendor": "V", "what": "M"} | ({"data": told} if told else {})}


# Our commands


def plan(do: str, charger: ChargerState | None = None, **command: Any) -> tuple[Step, ...]:
    return DIALECT.plan(do, command, charger or ChargerState(), NOW_MS)


def with_vehicle(status: str) -> ChargerState:
    charger = ChargerState()
    charger.take_status(2, status, None)
    return charger


NO_PROFILE = Step("ClearChargingProfile", {"id": 1}, frozenset({"accepted", "unknown"}))


@pytest.mark.parametrize(
    ("amps", "limit"), [(16, 16.0), (6, 6.0), (5, 0.0), (None, 0.0)], ids=["more", "the least", "less", "a pause"]
)
def test_a_limit_is_a_profile_of_the_whole_charger_that_ends(amps: int | None, limit: float) -> None:
    (step,) = plan("limit", amps=amps, exp=T + 600)
    assert step.action == "SetChargingProfile" and step.payload["connectorId"] == 0
    profile = step.payload["csChargingProfiles"]
    schedule = profile["chargingSchedule"]
    assert schedule["chargingSchedulePeriod"] == [{"startPeriod": 0, "limit": limit}]
    assert (schedule["duration"], schedule["startSchedule"], profile["validTo"]) == (600, AT, iso_utc((T + 600) * 1000))
    assert (profile["chargingProfileId"], profile["chargingProfilePurpose"]) == (1, "ChargePointMaxProfile")
    assert plan("pause", amps=amps, exp=T + 600) == (step,)


@pytest.mark.parametrize(
    ("exp", "lasting_s"), [(None, 8 * 86_400), (T + 9 * 86_400, 8 * 86_400), (T, 1), (T - 5, 1), (T + 2, 2)]
)
def test_a_limit_lasts_as_long_as_it_may(exp: int | None, lasting_s: int) -> None:
    (step,) = plan("limit", amps=10, exp=exp)
    assert step.payload["csChargingProfiles"]["chargingSchedule"]["duration"] == lasting_s


def test_to_charge_now_ends_the_limit_and_starts_where_a_vehicle_waits() -> None:
    assert (
        plan("resume")
        == plan("override", on=True)
        == plan("override", with_vehicle("Charging"), on=True)
        == (NO_PROFILE,)
    )
    start_there = Step("RemoteStartTransaction", {"connectorId": 2, "idTag": "CHARGEKEEPER"})
    assert plan("override", with_vehicle("Preparing"), on=True) == (NO_PROFILE, start_there)
    assert plan("override", with_vehicle("SuspendedEV"), on=True) == (NO_PROFILE, start_there)
    assert plan("override", on=False) == plan("override", on=1) == plan("fly") == ()


def test_stop_reboot_and_unlock() -> None:
    charger = with_vehicle("Charging")
    assert plan("stop", charger) == ()
    charger.begin(Transaction(7, 2, T, 0))
    assert plan("stop", charger) == (Step("RemoteStopTransaction", {"transactionId": 7}),)
    assert plan("reboot") == (Step("Reset", {"type": "Soft"}),)
    assert plan("unlock", charger) == (Step("UnlockConnector", {"connectorId": 2}, frozenset({"unlocked"})),)
    assert plan("unlock")[0].payload == {"connectorId": 1}


def test_settings_that_it_tells_and_those_that_it_does_not_know() -> None:
    known = [{"key": "HeartbeatInterval", "value": "300"}, {"key": "of a maker", "value": "x"}]
    found = DIALECT.set_up.told({"configurationKey": known, "unknownKey": ["ConnectionTimeOut", 3]})
    assert Told("HeartbeatInterval", "300") in found and Told("ConnectionTimeOut", None) in found
    assert all(one.name != "of a maker" for one in found)
    assert DIALECT.set_up.told({"unknownKey": "ConnectionTimeOut"}) == []
    assert DIALECT.set_up.status({"status": "Accepted"}) == "Accepted"
    assert DIALECT.trigger("Heartbeat") == {"requestedMessage": "Heartbeat"}
