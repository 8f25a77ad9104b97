"""Our commands in the words of OCPP 1.6, and what a charger makes of them as its result. Pure.

A limit and a pause are a ChargePointMaxProfile, which ends by itself as our commands do: it holds for whatever is plugged in,
and while the line is down. To charge now ends it, and starts a transaction where a vehicle waits for one. What has no CALL is
refused before it is sent. A charger that does not answer has no result, and pages say that it was silent.
"""

import json
from typing import Any, NamedTuple

from cloud_bridge.clock import iso_utc
from cloud_bridge.ingest.ocpp.actions import Record
from cloud_bridge.ingest.ocpp.charger import ChargerState
from cloud_bridge.ingest.ocpp.fields import text, whole
from cloud_bridge.ingest.ocpp.frames import ErrorCode, Reply
from cloud_bridge.wire import BadPayload, read_object

PROFILE_ID = 1  # of the one profile that is ours
ID_TAG = "CHARGEKEEPER"  # 20 characters at most
LEAST_A = 6  # IEC 61851-1; less is a pause
LONGEST_S = 8 * 86_400

# Reasons, in the words of the firmware's (web/presentation/command_words.py has those for people).
NOT_POSSIBLE, NOT_SUPPORTED, REJECTED = "not possible", "not supported", "rejected"
CANNOT = (ErrorCode.NOT_IMPLEMENTED, ErrorCode.NOT_SUPPORTED, "NotSupported")


class Step(NamedTuple):
    """One CALL, and the statuses that mean it was done."""

    action: str
    payload: dict[str, Any]
    done: frozenset[str] = frozenset({"accepted"})


class Ordered:
    """A command on its way, as CALLs that are answered one after the other."""

    def __init__(self, command_id: str, steps: tuple[Step, ...]) -> None:
        self.steps = steps
        self._command_id = command_id
        self._left = len(steps)
        self._why_not = ""
        self._is_silent = False

    def answered(self, step: Step, reply: Reply | None) -> list[Record]:
        """The result, once all are answered; none where one was not."""
        self._left -= 1
        if reply is None:
            self._is_silent = True
        else:
            self._why_not = self._why_not or why_not(step, reply)
        return [] if self._left or self._is_silent else [result_of(self._command_id, self._why_not)]


def ordered(payload: bytes, charger: ChargerState, now_ms: int) -> Ordered | Record:
    """The CALLs of a command on `cp/<id>/command`, or its result where there is none for it."""
    try:
        said = read_object(payload)
    except BadPayload:  # made by ourselves
        said = {}
    command_id = text(said.get("id"), 64) or ""
    match said.get("do"):
        case "limit":
            return Ordered(command_id, (_profile(whole(said.get("amps")) or 0, said, now_ms),))
        case "pause":
            return Ordered(command_id, (_profile(0, said, now_ms),))
        case "resume":
            return Ordered(command_id, (_NO_PROFILE,))
        case "override" if said.get("on") is True:
            connector = charger.plugged
            start = Step("RemoteStartTransaction", {"connectorId": connector, "idTag": ID_TAG})
            waits = connector is not None and charger.state in ("B1", "B2")
            return Ordered(command_id, (_NO_PROFILE, start) if waits else (_NO_PROFILE,))
    return result_of(command_id, NOT_POSSIBLE)


def why_not(step: Step, reply: Reply) -> str:
    """Empty where it was done."""
    if reply.error is not None:
        return NOT_SUPPORTED if reply.error in CANNOT else REJECTED
    status = (text(reply.payload.get("status")) or "").lower()
    if status in step.done:
        return ""
    return NOT_SUPPORTED if status == "notsupported" else REJECTED


def result_of(command_id: str, why: str) -> Record:
    said = {"id": command_id, "ok": not why} | ({"y": why} if why else {})
    return Record("result", json.dumps(said, separators=(",", ":")).encode())


# A charger that has no such profile says Unknown.
_NO_PROFILE = Step("ClearChargingProfile", {"id": PROFILE_ID}, frozenset({"accepted", "unknown"}))


def _profile(amps: int, said: dict[str, Any], now_ms: int) -> Step:
    end_s = whole(said.get("exp"))
    lasting_s = LONGEST_S if end_s is None else max(1, min(end_s - now_ms // 1000, LONGEST_S))
    schedule = {
        "startSchedule": iso_utc(now_ms),
        "duration": lasting_s,
        "chargingRateUnit": "A",
        "chargingSchedulePeriod": [{"startPeriod": 0, "limit": float(amps if amps >= LEAST_A else 0)}],
    }
    profile = {
        "chargingProfileId": PROFILE_ID,
        "stackLevel": 0,
        "chargingProfilePurpose": "ChargePointMaxProfile",
        "chargingProfileKind": "Absolute",
        "validTo": iso_utc(now_ms + 1000 * lasting_s),
        "chargingSchedule": schedule,
    }
    return Step("SetChargingProfile", {"connectorId": 0, "csChargingProfiles": profile})
