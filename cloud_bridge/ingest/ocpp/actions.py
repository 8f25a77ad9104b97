"""What a charger reports or asks by a CALL, one function each: our answer, and what of it is stored. Pure.

Records are in the wire format of our own units, so that pages, alerts and evidence need not know by which protocol a unit
speaks. An intent that can be read is always answered as the standard has it, whatever else is wrong with the frame.
"""

import json
from collections.abc import Callable
from typing import Any, NamedTuple

from cloud_bridge.clock import iso_utc
from cloud_bridge.ingest.ocpp.charger import ChargerState
from cloud_bridge.ingest.ocpp.fields import text, whole
from cloud_bridge.ingest.ocpp.frames import Call, ErrorCode
from cloud_bridge.ingest.ocpp.transactions import session, started

HEARTBEAT_S = 300  # what a BootNotification is answered; makers' own defaults are up to a day
ACCEPTED: dict[str, Any] = {"idTagInfo": {"status": "Accepted"}}  # whose card it is, is the owner's business at home
MAX_VERSION = 40  # characters, of the column


class Record(NamedTuple):
    """As a message of one of our own units on `cp/<id>/<kind>`."""

    kind: str
    payload: bytes


class Outcome(NamedTuple):
    """What a CALL comes to. With `refused` it is answered by a CALLERROR, and `answer` is empty."""

    answer: dict[str, Any]
    records: list[Record]
    refused: ErrorCode | None = None


def carry_out(charger: ChargerState, call: Call, now_ms: int) -> Outcome:
    """`charger` is changed by what it says. The state as it is then is the last record, once any is known."""
    action = ACTIONS.get(call.action.lower())
    if action is None:
        return Outcome({}, state_of(charger), ErrorCode.NOT_IMPLEMENTED)
    answer, records = action(charger, call.payload, now_ms)
    return Outcome(answer, [*records, *state_of(charger)])


def state_of(charger: ChargerState) -> list[Record]:
    return [Record("heartbeat", charger.heartbeat())] if charger.has_told else []


Done = tuple[dict[str, Any], list[Record]]


def _boot(charger: ChargerState, payload: dict[str, Any], now_ms: int) -> Done:
    """The version and what else names the charger; a vendor may be empty, and a serial number too long."""
    names = {
        "v": text(payload.get("firmwareVersion"), MAX_VERSION),
        "vendor": text(payload.get("chargePointVendor")),
        "model": text(payload.get("chargePointModel")),
        "serial": text(payload.get("chargePointSerialNumber")) or text(payload.get("chargeBoxSerialNumber")),
        "iccid": text(payload.get("iccid")),
        "meter": text(payload.get("meterType")),
    }
    answer = {"status": "Accepted", "currentTime": iso_utc(now_ms), "interval": HEARTBEAT_S}
    return answer, [_event("boot", names)]


def _heartbeat(_charger: ChargerState, _payload: dict[str, Any], now_ms: int) -> Done:
    return {"currentTime": iso_utc(now_ms)}, []


def _status(charger: ChargerState, payload: dict[str, Any], now_ms: int) -> Done:
    before = set(charger.faults)
    charger.take_status(payload, now_ms // 1000)
    after = set(charger.faults)
    raised = [_event("fault_raised", {"fault": name}) for name in sorted(after - before)]
    return {}, [*raised, *(_event("fault_cleared", {"fault": name}) for name in sorted(before - after))]


def _meter_values(charger: ChargerState, payload: dict[str, Any], now_ms: int) -> Done:
    charger.take_readings(payload, now_ms // 1000)
    return {}, []


def _start(charger: ChargerState, payload: dict[str, Any], now_ms: int) -> Done:
    transaction = started(payload, now_ms)
    charger.begin(transaction)
    return ACCEPTED | {"transactionId": transaction.id}, []


def _stop(charger: ChargerState, payload: dict[str, Any], now_ms: int) -> Done:
    began, is_repeat = charger.end(whole(payload.get("transactionId")))
    if is_repeat:
        return dict(ACCEPTED), []
    return dict(ACCEPTED), [Record("session", _json(session(payload, began, now_ms)))]


def _authorize(_charger: ChargerState, _payload: dict[str, Any], _now_ms: int) -> Done:
    return dict(ACCEPTED), []


def _data_transfer(_charger: ChargerState, payload: dict[str, Any], _now_ms: int) -> Done:
    """Of a maker's own. Nobody's is known here, and it says so."""
    return {"status": "UnknownVendorId"}, []


def _noted(kind: str, **fields: str) -> Callable[[ChargerState, dict[str, Any], int], Done]:
    """An event with these of its fields, by our name for each; the answer is empty."""

    def note(_charger: ChargerState, payload: dict[str, Any], _now_ms: int) -> Done:
        return {}, [_event(kind, {name: text(payload.get(field)) for name, field in fields.items()})]

    return note


def _sign(_charger: ChargerState, _payload: dict[str, Any], _now_ms: int) -> Done:
    """We sign no certificates."""
    return {"status": "Rejected"}, []


# By the name in small letters. Those below the line are of "Improved security for OCPP 1.6-J".
ACTIONS: dict[str, Callable[[ChargerState, dict[str, Any], int], Done]] = {
    "authorize": _authorize,
    "bootnotification": _boot,
    "datatransfer": _data_transfer,
    "diagnosticsstatusnotification": _noted("diagnostics", status="status"),
    "firmwarestatusnotification": _noted("firmware", status="status"),
    "heartbeat": _heartbeat,
    "metervalues": _meter_values,
    "starttransaction": _start,
    "statusnotification": _status,
    "stoptransaction": _stop,
    # ---
    "logstatusnotification": _noted("diagnostics", status="status"),
    "securityeventnotification": _noted("security", what="type"),
    "signcertificate": _sign,
    "signedfirmwarestatusnotification": _noted("firmware", status="status"),
}


def _event(kind: str, details: dict[str, Any]) -> Record:
    told = {key: value for key, value in details.items() if value is not None}
    return Record("event", _json({"k": kind, "d": told}))


def _json(said: dict[str, Any]) -> bytes:
    return json.dumps(said, separators=(",", ":")).encode()
