"""Is every request of a back-end answered by its schemas, and does a unit only get commands that the back-end may give?"""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cloud_bridge.clock import iso_utc
from cloud_bridge.commands import is_possible
from cloud_bridge.contact import Contact
from cloud_bridge.durations import MINUTE_MS
from cloud_bridge.ingest.ocpp.frames import ErrorCode
from cloud_bridge.northbound.known import Known
from cloud_bridge.northbound.reporter import Trigger
from cloud_bridge.northbound.requests import CONFIGURATION, STOPPED_MS, Asked, Order, Reaction, Said, react
from cloud_bridge.store.units import Protocol
from tests.cloud_bridge.northbound.told import NAMES, check_answer, known
from tests.cloud_bridge.running import START_MS

ACTIONS = (  # the actions of an OCPP 1.6 central system
    *("CancelReservation", "ChangeAvailability", "ChangeConfiguration", "ClearCache", "ClearChargingProfile"),
    *("DataTransfer", "GetCompositeSchedule", "GetConfiguration", "GetDiagnostics", "GetLocalListVersion"),
    *("RemoteStartTransaction", "RemoteStopTransaction", "ReserveNow", "Reset", "SendLocalList"),
    *("SetChargingProfile", "TriggerMessage", "UnlockConnector", "UpdateFirmware"),
)
ABOVE_ALL = {"chargingProfilePurpose": "ChargePointMaxProfile", "chargingProfileKind": "Absolute"}
PLUGGED = known("B2")


def ask(action: str, what: Known = PLUGGED, may_command: bool = True, **payload: Any) -> Reaction:
    return react(action, Asked(payload, what, 7, may_command, START_MS))


def of_ocpp(state: str = "B2") -> Known:
    return known(state)._replace(names=NAMES._replace(is_ocpp=True))


def profile(limit: float, unit: str = "A", **schedule: Any) -> dict[str, Any]:
    schedule = {"chargingRateUnit": unit, "chargingSchedulePeriod": [{"startPeriod": 0, "limit": limit}], **schedule}
    return {"connectorId": 0, "csChargingProfiles": ABOVE_ALL | {"chargingSchedule": schedule}}


@pytest.mark.parametrize(
    ("action", "payload", "order"),
    [
        ("RemoteStartTransaction", {"idTag": "T"}, Order("override", {"on": True})),
        ("RemoteStopTransaction", {"transactionId": 7}, Order("pause", {}, STOPPED_MS)),
        ("SetChargingProfile", profile(16, duration=3600), Order("limit", {"amps": 16}, 60 * MINUTE_MS)),
        ("SetChargingProfile", profile(0, duration=60), Order("pause", {}, MINUTE_MS)),
        ("SetChargingProfile", profile(200, duration=60), Order("limit", {"amps": 80}, MINUTE_MS)),
        ("ClearChargingProfile", {}, Order("resume", {}, not_done="Unknown")),
    ],
)
def test_what_a_unit_of_ours_can_do_is_an_order(action: str, payload: dict[str, Any], order: Order) -> None:
    assert ask(action, **payload) == order
    assert isinstance(ask(action, may_command=False, **payload), Said), "only where it was allowed"
    assert isinstance(ask(action, known("B2", Contact.SILENT), **payload), Said)


def test_a_charge_that_is_paused_is_gone_on_with() -> None:
    paused = known("B1", allowed_amps=0, limited_by="cloud")
    assert ask("RemoteStartTransaction", paused, idTag="T") == Order("resume", {})


def test_chargers_of_other_makers_can_do_more() -> None:
    assert ask("RemoteStopTransaction", of_ocpp(), transactionId=7) == Order("stop", {})
    assert ask("Reset", of_ocpp(), type="Soft") == Order("reboot", {})
    assert ask("UnlockConnector", of_ocpp()) == Order("unlock", {}, None, "Unlocked", "UnlockFailed")
    assert ask("Reset", type="Soft") == Said({"status": "Rejected"})
    assert ask("UnlockConnector") == Said({"status": "NotSupported"})


@pytest.mark.parametrize(
    ("action", "payload", "answer"),
    [
        ("RemoteStartTransaction", {"idTag": "T", "connectorId": 2}, "Rejected"),
        ("RemoteStartTransaction", {"idTag": "T", "chargingProfile": {}}, "Rejected"),
        ("RemoteStopTransaction", {"transactionId": 8}, "Rejected"),
        ("SetChargingProfile", profile(3600, "W"), "NotSupported"),
        ("SetChargingProfile", profile(10, startSchedule="2026-01-02T00:00:00Z"), "NotSupported"),
        ("SetChargingProfile", profile(10, startSchedule=iso_utc(START_MS - 120_000), duration=60), "Rejected"),
        ("SetChargingProfile", profile(-1), "NotSupported"),
        ("ChangeAvailability", {"type": "Inoperative"}, "Rejected"),
        ("ChangeAvailability", {"type": "Operative"}, "Accepted"),
        ("ChangeConfiguration", {"key": "Other"}, "NotSupported"),
        ("TriggerMessage", {"requestedMessage": "FirmwareStatusNotification"}, "NotImplemented"),
        ("TriggerMessage", {"requestedMessage": "Heartbeat", "connectorId": 2}, "Rejected"),
    ],
)
def test_what_it_cannot_do_is_said(action: str, payload: dict[str, Any], answer: str) -> None:
    assert ask(action, **payload) == Said({"status": answer})


def test_no_heartbeat_is_promised_of_a_charger_that_was_not_heard() -> None:
    assert ask("TriggerMessage", requestedMessage="Heartbeat") == Said({"status": "Accepted"}, Trigger.HEARTBEAT)
    late = known("B2", at_ms=START_MS - 20 * MINUTE_MS)
    assert ask("TriggerMessage", late, requestedMessage="Heartbeat") == Said({"status": "Rejected"})
    assert ask("RemoteStartTransaction", known("A1"), idTag="T") == Said({"status": "Rejected"}), "no vehicle is there"


@pytest.mark.parametrize("action", ["RemoteStartTransaction", "RemoteStopTransaction", "SetChargingProfile"])
def test_what_lacks_its_intent_is_an_error(action: str) -> None:
    assert ask(action) is ErrorCode.FORMATION_VIOLATION


def test_other_actions_are_not_implemented() -> None:
    assert ask("CertificateSigned") is ErrorCode.NOT_IMPLEMENTED
    assert ask("UpdateFirmware", location="ftp://here") is ErrorCode.NOT_SUPPORTED


def test_a_configuration_is_told_and_stays() -> None:
    told = ask("GetConfiguration")
    assert isinstance(told, Said) and len(told.payload["configurationKey"]) == len(CONFIGURATION)
    assert ask("ChangeConfiguration", key="NumberOfConnectors", value="2") == Said({"status": "Rejected"})


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=70),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
PERIODS = st.lists(st.fixed_dictionaries({"startPeriod": JSON, "limit": st.floats() | JSON}), max_size=2)
SCHEDULES = st.fixed_dictionaries(
    {},
    optional={
        "chargingRateUnit": st.just("A") | JSON,
        "chargingSchedulePeriod": PERIODS | JSON,
        "duration": st.integers() | JSON,
        "startSchedule": st.just("2026-01-01T00:00:00Z") | JSON,
    },
)
PROFILES = st.fixed_dictionaries(
    {}, optional={"chargingProfileKind": st.just("Absolute") | JSON, "chargingSchedule": SCHEDULES, "validTo": JSON}
)
PAYLOADS = st.fixed_dictionaries(
    {},
    optional={
        "idTag": JSON,
        "connectorId": st.integers(0, 2) | JSON,
        "transactionId": st.just(7) | JSON,
        "csChargingProfiles": PROFILES | JSON,
        "key": JSON,
        "type": JSON,
        "requestedMessage": st.sampled_from(list(Trigger)) | JSON,
    },
)


@settings(max_examples=400, deadline=None)
@given(st.sampled_from(ACTIONS), PAYLOADS, st.booleans(), st.booleans())
def test_whatever_is_asked_is_answered_as_its_schema_has_it(
    action: str, payload: Any, may: bool, is_ocpp: bool
) -> None:
    reaction = ask(action, of_ocpp() if is_ocpp else PLUGGED, may, **payload)
    if isinstance(reaction, Said):
        check_answer(action, reaction.payload)
    elif isinstance(reaction, Order):
        assert may and is_possible(Protocol.OCPP if is_ocpp else Protocol.MQTT, reaction.do, reaction.arguments)
        for status in (reaction.done, reaction.not_done):
            check_answer(action, {"status": status})
