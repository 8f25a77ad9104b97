"""Processing of a charger's CALLs: our answer, and the records to store. Pure.

Each version of OCPP has a table of actions (v16.py, v201.py); this module has the code that they share. A CALL whose
action can be read is answered as the standard requires, even if other fields are invalid.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from cloud_bridge.clock import iso_utc
from cloud_bridge.ingest.ocpp.charger import ChargerState
from cloud_bridge.ingest.ocpp.fields import text
from cloud_bridge.ingest.ocpp.frames import Call, ErrorCode
from cloud_bridge.ingest.ocpp.masked import masked
from cloud_bridge.ingest.ocpp.records import Record, event

HEARTBEAT_S = 300  # the interval in our answer to a BootNotification; makers' defaults are up to a day
MAX_VERSION = 40  # characters, the width of the column
MAX_DATA = 200  # characters of a DataTransfer

Done = tuple[dict[str, Any], list[Record]]  # our answer, and the records to store
Action = Callable[[ChargerState, dict[str, Any], int], Done]  # state of the charger, payload, our time in milliseconds


class Outcome(NamedTuple):
    """The result of a CALL. If `refused` is set, the answer is a CALLERROR, and `answer` is empty."""

    answer: dict[str, Any]
    records: list[Record]
    refused: ErrorCode | None = None


def carry_out(actions: Mapping[str, Action], charger: ChargerState, call: Call, now_ms: int) -> Outcome:
    """Process a CALL and update `charger`. `actions` has names in lower case. The last record is the new state, if any
    state is known."""
    action = actions.get(call.action.lower())
    if action is None:
        return Outcome({}, state_of(charger), ErrorCode.NOT_IMPLEMENTED)
    answer, records = action(charger, call.payload, now_ms)
    return Outcome(answer, [*records, *state_of(charger)])


def state_of(charger: ChargerState) -> list[Record]:
    """Return the heartbeat record with the charger's state; [] if no state is known."""
    return [Record("heartbeat", charger.heartbeat())] if charger.has_told else []


# Actions of both versions.


def booted(charger: ChargerState, names: dict[str, str | None], now_ms: int) -> Done:
    """Process a BootNotification. `names` has the firmware version, vendor, model and other identification. The vendor
    may be empty, and values are cut to their maximum length."""
    charger.vendor = (names.get("vendor") or "").lower()
    answer = {"status": "Accepted", "currentTime": iso_utc(now_ms), "interval": HEARTBEAT_S}
    return answer, [event("boot", names)]


def heartbeat(_charger: ChargerState, _payload: dict[str, Any], now_ms: int) -> Done:
    return {"currentTime": iso_utc(now_ms)}, []


def fault_changes(before: list[str], after: list[str]) -> list[Record]:
    """Return the events for the faults that were raised and cleared between two states."""
    raised = [event("fault_raised", {"fault": name}) for name in sorted({*after} - {*before})]
    return [*raised, *(event("fault_cleared", {"fault": name}) for name in sorted({*before} - {*after}))]


def data_transfer(_charger: ChargerState, payload: dict[str, Any], _now_ms: int) -> Done:
    """Process a DataTransfer of a maker. It is stored, masked and shortened, and answered with UnknownVendorId, because
    none is supported."""
    data = payload.get("data")
    said = data if isinstance(data, str) else None if data is None else json.dumps(data)
    told = {
        "vendor": text(payload.get("vendorId")),
        "what": text(payload.get("messageId")),
        "data": None if said is None else text(masked(said), MAX_DATA),
    }
    return {"status": "UnknownVendorId"}, [event("data", told)]


def noted(kind: str, **fields: str) -> Action:
    """Return an action that stores an event with fields of the payload and answers with an empty payload. `fields` maps
    our names to the payload's."""

    def note(_charger: ChargerState, payload: dict[str, Any], _now_ms: int) -> Done:
        return {}, [event(kind, {name: text(payload.get(field)) for name, field in fields.items()})]

    return note


def unasked(_charger: ChargerState, _payload: dict[str, Any], _now_ms: int) -> Done:
    """Process a report that we do not use: answer, and store nothing."""
    return {}, []


def refused(**answer: Any) -> Action:
    """Return an action that refuses with this answer, for functions that we do not support, such as certificates."""
    return lambda _charger, _payload, _now_ms: (dict(answer), [])
