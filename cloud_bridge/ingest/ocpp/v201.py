"""OCPP 2.0.1: the actions of a charging station, and our commands. Pure.

The one status of 1.6 is split into three here: availability of a connector (StatusNotification), state of the
transaction (TransactionEvent), and errors (NotifyEvent). An event that the station queued while it was offline is
history: it affects the present state only in that it may end a transaction. Names in brackets are use cases and
requirements of "OCPP 2.0.1 Part 2 - Specification".
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
    unasked,
)
from cloud_bridge.ingest.ocpp.charger import ChargerState
from cloud_bridge.ingest.ocpp.configuration import SAMPLE_S, SetUp, Wish, told
from cloud_bridge.ingest.ocpp.dialect import Dialect
from cloud_bridge.ingest.ocpp.fields import ascii_text, first, items, text, whole
from cloud_bridge.ingest.ocpp.frames import ErrorCode
from cloud_bridge.ingest.ocpp.meter_values import registers
from cloud_bridge.ingest.ocpp.orders import ID_TAG, PROFILE_ID, Step, ceiling, waiting
from cloud_bridge.ingest.ocpp.records import Record, as_json, event
from cloud_bridge.ingest.ocpp.transactions import MAX_NAME, End, Transaction, believable_s, number_of, session
from cloud_bridge.ocpp_settings import Told

ACCEPTED: dict[str, Any] = {"idTokenInfo": {"status": "Accepted"}}  # any card: at home access is the owner's concern
OF_AN_EVSE = 100  # connector n of an EVSE has the number of the EVSE if n is 1, and else EVSE * 100 + n
# ChargingStateEnumType, mapped to the statuses of 1.6.
PROGRESS = {
    "charging": "Charging",
    "evconnected": "Preparing",
    "suspendedev": "SuspendedEV",
    "suspendedevse": "SuspendedEVSE",
    "idle": "Available",
}
# Components (Part 2 - Appendices, section 3.1) in lower case, and the error code of 1.6 for a problem with them.
ERRORS = {
    "connectedev": "evcommunicationerror",
    "connectorplugretentionlock": "connectorlockfailure",
    "controlmetering": "powermeterfailure",
    "cppwmcontroller": "mode3error",
    "evretentionlock": "connectorlockfailure",
    "fiscalmetering": "powermeterfailure",
    "groundisolationprotection": "groundfailure",
    "overcurrentprotection": "overcurrentfailure",
    "powercontactor": "powerswitchfailure",
    "rcd": "groundfailure",
    "tokenreader": "readerfailure",
}
OTHER_ERROR = "othererror"
MAX_EVENTS = 20  # stored of one message
ACTUAL = "actual"  # an attribute type; the others are target, minimum and maximum
WRONG = ("problem", "tripped")  # variables that report an error of a component


def _boot(charger: ChargerState, payload: dict[str, Any], now_ms: int) -> Done:
    station = first(payload.get("chargingStation"))
    modem = first(station.get("modem"))
    names = {
        "v": text(station.get("firmwareVersion"), MAX_VERSION),
        "vendor": text(station.get("vendorName")),
        "model": text(station.get("model")),
        "serial": text(station.get("serialNumber")),
        "iccid": text(modem.get("iccid")),
        "why": text(payload.get("reason")),
    }
    return booted(charger, names, now_ms)


def _status(charger: ChargerState, payload: dict[str, Any], now_ms: int) -> Done:
    before = charger.faults
    at = _connector(payload.get("evseId"), payload.get("connectorId"))
    charger.take_availability(at, payload.get("connectorStatus"))
    charger.note_time(payload.get("timestamp"), now_ms // 1000)
    return {}, fault_changes(before, charger.faults)


def _meter_values(charger: ChargerState, payload: dict[str, Any], now_ms: int) -> Done:
    charger.take_readings(_connector(payload.get("evseId"), 1), payload.get("meterValue"), now_ms // 1000)
    return {}, []


def _transaction(charger: ChargerState, payload: dict[str, Any], now_ms: int) -> Done:
    """Process a TransactionEvent: start, update or end of a transaction."""
    info = first(payload.get("transactionInfo"))
    name, kind = text(info.get("transactionId"), MAX_NAME), (text(payload.get("eventType")) or "").lower()
    number = number_of(name)
    began = charger.transactions.get(number)
    at, at_s = _place(payload, 1 if began is None else began.connector), believable_s(payload.get("timestamp"), now_ms)
    answer = dict(ACCEPTED) if "idToken" in payload else {}
    if kind == "started" and (began is None or began.started_s != at_s):
        registered = registers(payload.get("meterValue"))
        kept = ascii_text(name, MAX_NAME) or ""
        charger.begin(Transaction(number, at, at_s, registered[0] if registered else None, name=kept))
    is_older = charger.heard_of(number, whole(payload.get("seqNo")))
    is_past = is_older or payload.get("offline") is True or charger.is_past(at_s, now_ms // 1000)
    charger.take_readings(at, payload.get("meterValue"), now_ms // 1000, is_past)
    progress = PROGRESS.get((text(info.get("chargingState")) or "").lower())
    if kind == "ended":
        return answer, _end(charger, payload, at, None if is_past else progress, now_ms)
    if progress is not None and not is_past:
        charger.take_progress(at, progress)
    return answer, []


def _end(charger: ChargerState, payload: dict[str, Any], at: int, progress: str | None, now_ms: int) -> list[Record]:
    info = first(payload.get("transactionInfo"))
    name, ended_s = text(info.get("transactionId"), MAX_NAME), believable_s(payload.get("timestamp"), now_ms)
    latest = charger.running
    began, is_repeat = charger.end(number_of(name))
    if is_repeat:
        return []
    if progress is not None or (latest == began and charger.draws(at)):
        charger.take_progress(at, "Finishing" if progress in (None, "Charging") else progress)
    registered = registers(payload.get("meterValue"))
    number = None if name is None else number_of(name, ended_s if began is None else began.started_s)
    end = End(
        number,
        ended_s,
        registered[-1] if registered else None,
        registered[0] if len(registered) > 1 else None,
        info.get("stoppedReason"),
    )
    return [Record("session", as_json(session(began, end)))]


def _notify(charger: ChargerState, payload: dict[str, Any], _now_ms: int) -> Done:
    """Process a NotifyEvent, in which each item is about one variable of a component."""
    before, found = charger.faults, []
    for one in items(payload.get("eventData")):
        component, variable = _named(one.get("component")), _named(one.get("variable"))
        value = text(one.get("actualValue"), MAX_VERSION)
        code = text(one.get("techCode"))
        found.append(event("monitor", {"what": component, "which": variable, "value": value, "code": code}))
        if (variable or "").lower() in WRONG:
            is_over = one.get("cleared") is True or (value or "").lower() == "false"
            where = first(one.get("component"))
            charger.take_error(
                _place(where, 0), None if is_over else ERRORS.get((component or "").lower(), OTHER_ERROR)
            )
    return {}, [*found[:MAX_EVENTS], *fault_changes(before, charger.faults)]


def _report(charger: ChargerState, payload: dict[str, Any], _now_ms: int) -> Done:
    """Process a NotifyReport, whether or not we have asked for it."""
    found = [
        (_full_name(one), attribute.get("value"))
        for one in items(payload.get("reportData"))
        for attribute in items(one.get("variableAttribute"))
        if (text(attribute.get("type")) or ACTUAL).lower() == ACTUAL
    ]
    charger.note_settings(told(found, _ASKED))
    return {}, []


def _authorize(_charger: ChargerState, _payload: dict[str, Any], _now_ms: int) -> Done:
    return dict(ACCEPTED), []


ACTIONS: dict[str, Action] = {
    "authorize": _authorize,
    "bootnotification": _boot,
    "clearedcharginglimit": unasked,
    "datatransfer": data_transfer,
    "firmwarestatusnotification": noted("firmware", status="status"),
    "get15118evcertificate": refused(status="Failed", exiResponse=""),
    "getcertificatestatus": refused(status="Failed"),
    "heartbeat": heartbeat,
    "logstatusnotification": noted("diagnostics", status="status"),
    "metervalues": _meter_values,
    "notifycharginglimit": unasked,
    "notifycustomerinformation": unasked,
    "notifydisplaymessages": unasked,
    "notifyevchargingneeds": refused(status="Rejected"),
    "notifyevchargingschedule": refused(status="Rejected"),
    "notifyevent": _notify,
    "notifymonitoringreport": unasked,
    "notifyreport": _report,
    "publishfirmwarestatusnotification": noted("firmware", status="status"),
    "reportchargingprofiles": unasked,
    "reservationstatusupdate": unasked,
    "securityeventnotification": noted("security", what="type"),
    "signcertificate": refused(status="Rejected"),
    "statusnotification": _status,
    "transactionevent": _transaction,
}


# A station without such a profile answers Unknown.
_NO_PROFILE = Step("ClearChargingProfile", {"chargingProfileId": PROFILE_ID}, frozenset({"accepted", "unknown"}))


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
            token = {"idToken": ID_TAG, "type": "Central"}
            asked = {"evseId": _evse(at)[0], "remoteStartId": now_ms // 1000 & 0x7FFFFFFF, "idToken": token}
            return _NO_PROFILE, Step("RequestStartTransaction", asked)
        case "stop":
            running = charger.running
            if running is None or not running.name:
                return ()
            return (Step("RequestStopTransaction", {"transactionId": running.name}),)
        case "reboot":
            return (Step("Reset", {"type": "OnIdle"}, frozenset({"accepted", "scheduled"})),)
        case "unlock":
            evse, connector = _evse(charger.plugged or 1)
            return (Step("UnlockConnector", {"evseId": evse, "connectorId": connector}, frozenset({"unlocked"})),)
    return ()


def _ceiling(command: dict[str, Any], now_ms: int) -> Step:
    profile, schedule = ceiling(command, now_ms)
    ours = {"id": PROFILE_ID, "chargingProfilePurpose": "ChargingStationMaxProfile"}
    whole_profile = ours | profile | {"chargingSchedule": [{"id": PROFILE_ID} | schedule]}
    return Step("SetChargingProfile", {"evseId": 0, "chargingProfile": whole_profile})


def _trigger(message: str) -> dict[str, Any]:
    """Return the payload of a TriggerMessage. A StatusNotification needs a connector (F06.FR.12)."""
    of_first = {"evse": {"id": 1, "connectorId": 1}} if message == "StatusNotification" else {}
    return {"requestedMessage": message} | of_first


def _connector(evse: Any, connector: Any) -> int:
    """Return the number of a connector within the station (see OF_AN_EVSE); 0 is the station itself."""
    of_evse, number = whole(evse), whole(connector)
    at = 1 if of_evse is None or not 0 <= of_evse < OF_AN_EVSE else of_evse
    return at if number is None or not 1 < number < OF_AN_EVSE else at * OF_AN_EVSE + number


def _evse(at: int) -> tuple[int, int]:
    """Return the EVSE and the connector within it."""
    return (at, 1) if at < OF_AN_EVSE else divmod(at, OF_AN_EVSE)


def _place(said: dict[str, Any], otherwise: int) -> int:
    """Return the connector by the field `evse`, which is optional, or else `otherwise`."""
    found = items(said.get("evse"))
    return _connector(found[0].get("id"), found[0].get("connectorId")) if found else otherwise


def _named(said: Any) -> str | None:
    return text(first(said).get("name"))


def _variable(name: str) -> dict[str, Any]:
    component, _, variable = name.partition(".")
    return {"component": {"name": component}, "variable": {"name": variable}}


def _wish(name: str, value: str) -> Wish:
    return Wish(name, value, Step("SetVariables", {"setVariableData": [_variable(name) | {"attributeValue": value}]}))


_HEARTBEAT = _wish("OCPPCommCtrlr.HeartbeatInterval", str(HEARTBEAT_S))
_ASKED = (  # Part 2 - Appendices, section 3
    *("AuthCtrlr.LocalAuthorizeOffline", "AuthCtrlr.OfflineTxForUnknownIdEnabled", "OCPPCommCtrlr.HeartbeatInterval"),
    *("SampledDataCtrlr.TxUpdatedInterval", "SampledDataCtrlr.TxUpdatedMeasurands", "AuthCtrlr.AuthorizeRemoteStart"),
    *("TxCtrlr.EVConnectionTimeOut", "TxCtrlr.StopTxOnEVSideDisconnect", "OCPPCommCtrlr.WebSocketPingInterval"),
    *("OCPPCommCtrlr.OfflineThreshold", "SmartChargingCtrlr.Enabled", "SmartChargingCtrlr.RateUnit"),
)
ASKED_AT_ONCE = 4  # a station may accept no more in one message (DeviceDataCtrlr.ItemsPerMessage)


def _status_of_wish(payload: dict[str, Any]) -> Any:
    found = first(payload.get("setVariableResult")) or payload
    return found.get("attributeStatus", found.get("status"))


def _told(payload: dict[str, Any]) -> list[Told]:
    """Read the answer to GetVariables. The value of a variable with an error is None."""
    found = items(payload.get("getVariableResult"))
    return told([(_full_name(one), one.get("attributeValue")) for one in found], _ASKED)


def _full_name(said: dict[str, Any]) -> str:
    return f"{_named(said.get('component'))}.{_named(said.get('variable'))}"


DIALECT = Dialect(
    subprotocol="ocpp2.0.1",
    actions=ACTIONS,
    plan=_plan,
    trigger=_trigger,
    ask_interval=_HEARTBEAT.step,
    set_up=SetUp(
        wishes=(
            _wish("AuthCtrlr.LocalAuthorizeOffline", "true"),
            _wish("AuthCtrlr.OfflineTxForUnknownIdEnabled", "true"),
            _HEARTBEAT,
            _wish("SampledDataCtrlr.TxUpdatedInterval", str(SAMPLE_S)),
        ),
        asks=tuple(
            Step("GetVariables", {"getVariableData": [_variable(name) for name in _ASKED[at : at + ASKED_AT_ONCE]]})
            for at in range(0, len(_ASKED), ASKED_AT_ONCE)
        ),
        status=_status_of_wish,
        told=_told,
    ),
    spelt={ErrorCode.FORMATION_VIOLATION: "FormatViolation"},
)
