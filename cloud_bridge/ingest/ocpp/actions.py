"""What a charger reports or asks by a CALL: our answer, and what of it is stored. Pure.

Each version of OCPP has a table of its actions (v16.py, v201.py); here is what they have in common. An intent that can be read
is always answered as the standard has it, whatever else is wrong with the frame.
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

HEARTBEAT_S = 300  # what a BootNotification is answered; makers' own defaults are up to a day
MAX_VERSION = 40  # characters, of the column
MAX_DATA = 200  # of what a maker tells in its own way

Done = tuple[dict[str, Any], list[Record]]  # our answer, and what is stored
Action = Callable[
    [ChargerState, dict[str, Any], int], Done
]  # of the charger, its payload, and our clock in milliseconds


class Outcome(NamedTuple):
    """What a CALL comes to. With `refused` it is answered by a CALLERROR, and `answer` is empty."""

    answer: dict[str, Any]
    records: list[Record]
    refused: ErrorCode | None = None


def carry_out(actions: Mapping[str, Action], charger: ChargerState, call: Call, now_ms: int) -> Outcome:
    """`actions` by their names in small letters. `charger` is changed by what it says. The state as it is then is the last
    record, once any is known."""
    action = actions.get(call.action.lower())
    if action is None:
        return Outcome({}, state_of(charger), ErrorCode.NOT_IMPLEMENTED)
    answer, records = action(charger, call.payload, now_ms)
    return Outcome(answer, [*records, *state_of(charger)])


def state_of(charger: ChargerState) -> list[Record]:
    return [Record("heartbeat", charger.heartbeat())] if charger.has_told else []


# What both versions have.


def booted(charger: ChargerState, names: dict[str, str | None], now_ms: int) -> Done:
    """With the version and what else names the charger; a vendor may be empty, and a serial number too long."""
    charger.vendor = (names.get("vendor") or "").lower()
    answer = {"status": "Accepted", "currentTime": iso_utc(now_ms), "interval": HEARTBEAT_S}
    return answer, [event("boot", names)]


def heartbeat(_charger: ChargerState, _payload: dict[str, Any], now_ms: int) -> Done:
    return {"currentTime": iso_utc(now_ms)}, []


def fault_changes(before: list[str], after: list[str]) -> list[Record]:
    """What was raised and what was cleared between two times."""
    raised = [event("fault_raised", {"fault": name}) for name in sorted({*after} - {*before})]
    return [*raised, *(event("fault_cleared", {"fault": name}) for name in sorted({*before} - {*after}))]


def data_transfer(_charger: ChargerState, payload: dict[str, Any], _now_ms: int) -> Done:
    """Of a maker's own. It is kept as it came; nobody's is carried out, and we say so."""
    data = payload.get("data")
    said = data if isinstance(data, str) else None if data is None else json.dumps(data)
    told = {
        "vendor": text(payload.get("vendorId")),
        "what": text(payload.get("messageId")),
        "data": None if said is None else text(masked(said), MAX_DATA),
    }
    return {"status": "UnknownVendorId"}, [event("data", told)]


def noted(kind: str, **fields: str) -> Action:
    """An event with these of its fields, by our name for each; the answer is empty."""

    def note(_charger: ChargerState, payload: dict[str, Any], _now_ms: int) -> Done:
        return {}, [event(kind, {name: text(payload.get(field)) for name, field in fields.items()})]

    return note


def unasked(_charger: ChargerState, _payload: dict[str, Any], _now_ms: int) -> Done:
    """A report that nobody here has asked for."""
    return {}, []


def refused(**answer: Any) -> Action:
    """Asks for what we do not do: certificates, above all."""
    return lambda _charger, _payload, _now_ms: (dict(answer), [])
