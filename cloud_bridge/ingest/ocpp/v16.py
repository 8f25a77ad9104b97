"""OCPP 1.6: the actions of a charger, and our commands. Pure.

Sections are those of "Open Charge Point Protocol 1.6". Actions below the line are from "Improved security for OCPP
1.6-J".
"""

from typing import Any

from cloud_bridge.ingest.ocpp.actions import (
    HEARTBEAT_S,
    MAX_VERSION,
    Action,
    Done,
    booted,
    data_transfer,
    fault_changes,
    heartbeat,
    noted,
    refused,
)
from cloud_bridge.ingest.ocpp.charger import ChargerState
from cloud_bridge.ingest.ocpp.configuration import SAMPLE_S, SetUp, Wish, told
from cloud_bridge.ingest.ocpp.dialect import Dialect
from cloud_bridge.ingest.ocpp.fields import MAX_ITEMS, items, text, whole
from cloud_bridge.ingest.ocpp.meter_values import registers
from cloud_bridge.ingest.ocpp.orders import ID_TAG, PROFILE_ID, Step, ceiling, waiting
from cloud_bridge.ingest.ocpp.records import Record, as_json
from cloud_bridge.ingest.ocpp.transactions import End, Transaction, believable_s, number_of, register_wh, session
from cloud_bridge.ocpp_settings import Told

ACCEPTED: dict[str, Any] = {"idTagInfo": {"status": "Accepted"}}  # any card: at home access is the owner's concern


def _boot(charger: ChargerState, payload: dict[str, Any], now_ms: int) -> Done:
    names = {
        "v": text(payload.get("firmwareVersion"), MAX_VERSION),
        "vendor": text(payload.get("chargePointVendor")),
        "model": text(payload.get("chargePointModel")),
        "serial": text(payload.get("chargePointSerialNumber")) or text(payload.get("chargeBoxSerialNumber")),
        "iccid": text(payload.get("iccid")),
        "meter": text(payload.get("meterType")),
    }
    return booted(charger, names, now_ms)


def _status(charger: ChargerState, payload: dict[str, Any], now_ms: int) -> Done:
    before = charger.faults
    charger.take_status(payload.get("connectorId"), payload.get("status"), payload.get("errorCode"))
    charger.note_time(payload.get("timestamp"), now_ms // 1000)
    return {}, fault_changes(before, charger.faults)


def _meter_values(charger: ChargerState, payload: dict[str, Any], now_ms: int) -> Done:
    charger.take_readings(payload.get("connectorId"), payload.get("meterValue"), now_ms // 1000)
    return {}, []


def _start(charger: ChargerState, payload: dict[str, Any], now_ms: int) -> Done:
    connector, timestamp = whole(payload.get("connectorId")) or 0, payload.get("timestamp")
    said = [text(payload.get(name)) for name in ("timestamp", "meterStart", "idTag")]
    transaction = Transaction(
        number_of(connector, *said),
        connector,
        believable_s(timestamp, now_ms),
        register_wh(payload.get("meterStart")),
    )
    charger.begin(transaction)
    return ACCEPTED | {"transactionId": transaction.id}, []


def _stop(charger: ChargerState, payload: dict[str, Any], now_ms: int) -> Done:
    number = whole(payload.get("transactionId"))
    began, is_repeat = charger.end(number)
    if is_repeat:
        return dict(ACCEPTED), []
    registered = registers(payload.get("transactionData"))
    end = End(
        number,
        believable_s(payload.get("timestamp"), now_ms),
        register_wh(payload.get("meterStop")),
        registered[0] if len(registered) > 1 else None,
        payload.get("reason"),
    )
    return dict(ACCEPTED), [Record("session", as_json(session(began, end)))]


def _authorize(_charger: ChargerState, _payload: dict[str, Any], _now_ms: int) -> Done:
    return dict(ACCEPTED), []


ACTIONS: dict[str, Action] = {
    "authorize": _authorize,
    "bootnotification": _boot,
    "datatransfer": data_transfer,
    "diagnosticsstatusnotification": noted("diagnostics", status="status"),
    "firmwarestatusnotification": noted("firmware", status="status"),
    "heartbeat": heartbeat,
    "metervalues": _meter_values,
    "starttransaction": _start,
    "statusnotification": _status,
    "stoptransaction": _stop,
    # ---
    "logstatusnotification": noted("diagnostics", status="status"),
    "securityeventnotification": noted("security", what="type"),
    "signcertificate": refused(status="Rejected"),
    "signedfirmwarestatusnotification": noted("firmware", status="status"),
}


# A charger without such a profile answers Unknown.
_NO_PROFILE = Step("ClearChargingProfile", {"id": PROFILE_ID}, frozenset({"accepted", "unknown"}))


def _plan(do: str, command: dict[str, Any], charger: ChargerState, now_ms: int) -> tuple[Step, ...]:
    match do:
        case "limit" | "pause":
            return (_ceiling(command, now_ms),)
        case "resume":
            return (_NO_PROFILE,)
        case "override" if command.get("on") is True:
            at = waiting(charger)
            if at is None:
                return (_NO_PROFILE,)
            return _NO_PROFILE, Step("RemoteStartTransaction", {"connectorId": at, "idTag": ID_TAG})
        case "stop":
            running = charger.running
            return () if running is None else (Step("RemoteStopTransaction", {"transactionId": running.id}),)
        case "reboot":
            return (Step("Reset", {"type": "Soft"}),)
        case "unlock":
            return (Step("UnlockConnector", {"connectorId": charger.plugged or 1}, frozenset({"unlocked"})),)
    return ()


def _ceiling(command: dict[str, Any], now_ms: int) -> Step:
    profile, schedule = ceiling(command, now_ms)
    ours = {"chargingProfileId": PROFILE_ID, "chargingProfilePurpose": "ChargePointMaxProfile"}
    whole_profile = ours | profile | {"chargingSchedule": schedule}
    return Step("SetChargingProfile", {"connectorId": 0, "csChargingProfiles": whole_profile})


def _wish(key: str, value: str) -> Wish:
    return Wish(key, value, Step("ChangeConfiguration", {"key": key, "value": value}))


_HEARTBEAT = _wish("HeartbeatInterval", str(HEARTBEAT_S))
_ASKED = (  # section 9
    *("LocalAuthorizeOffline", "AllowOfflineTxForUnknownId", "HeartbeatInterval", "MeterValueSampleInterval"),
    *("MeterValuesSampledData", "AuthorizeRemoteTxRequests", "ConnectionTimeOut", "StopTransactionOnEVSideDisconnect"),
    *("WebSocketPingInterval", "SupportedFeatureProfiles"),
)


def _told(payload: dict[str, Any]) -> list[Told]:
    """Read the answer to GetConfiguration. Some chargers return all of their keys, whatever was asked for."""
    keys = [(one.get("key"), one.get("value")) for one in items(payload.get("configurationKey"))]
    unknown = payload.get("unknownKey")
    return told([*keys, *((key, None) for key in (unknown[:MAX_ITEMS] if isinstance(unknown, list) else ()))], _ASKED)


DIALECT = Dialect(
    subprotocol="ocpp1.6",
    actions=ACTIONS,
    plan=_plan,
    trigger=lambda message: {"requestedMessage": message},
    ask_interval=_HEARTBEAT.step,
    set_up=SetUp(
        wishes=(
            _wish("LocalAuthorizeOffline", "true"),
            _wish("AllowOfflineTxForUnknownId", "true"),
            _HEARTBEAT,
            _wish("MeterValueSampleInterval", str(SAMPLE_S)),
        ),
        asks=(Step("GetConfiguration", {"key": list(_ASKED)}),),
        status=lambda payload: payload.get("status"),
        told=_told,
    ),
    spelt={},
)
