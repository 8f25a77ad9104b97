"""Translate our commands into CALLs, and a charger's answers into results. Pure.

A limit or a pause becomes a charging profile of the whole charger with an expiry. It applies to any vehicle, also while
the connection is down. "Charge now" removes the profile, and starts a transaction if a vehicle is waiting for one. A
command without a CALL is refused immediately. If a charger does not answer, there is no result, and pages say that it
was silent. The CALLs themselves are defined by the version of OCPP (v16.py, v201.py).
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from cloud_bridge.clock import iso_utc
from cloud_bridge.ingest.ocpp.charger import ChargerState
from cloud_bridge.ingest.ocpp.fields import text, whole
from cloud_bridge.ingest.ocpp.frames import ErrorCode, Reply
from cloud_bridge.ingest.ocpp.records import Record, as_json
from cloud_bridge.wire import BadPayload, read_object

PROFILE_ID = 1  # the only profile that we set
ID_TAG = "CHARGEKEEPER"  # at most 20 characters
LEAST_A = 6  # IEC 61851-1; a lower limit is a pause
LONGEST_S = 8 * 86_400

# Reasons, in the terms of the firmware (web/presentation/command_words.py has the texts for people).
NOT_POSSIBLE, NOT_SUPPORTED, REJECTED = "not possible", "not supported", "rejected"
CANNOT = (ErrorCode.NOT_IMPLEMENTED, ErrorCode.NOT_SUPPORTED, "NotSupported")


class Step(NamedTuple):
    """A CALL, and the statuses in its answer that mean success, in lower case."""

    action: str
    payload: dict[str, Any]
    done: frozenset[str] = frozenset({"accepted"})


class Ordered:
    """A command in progress, as CALLs that are answered one after the other."""

    def __init__(self, command_id: str, steps: tuple[Step, ...]) -> None:
        self.steps = steps
        self._command_id = command_id
        self._left = len(steps)
        self._why_not = ""
        self._is_silent = False

    def answered(self, step: Step, reply: Reply | None) -> list[Record]:
        """Process the answer to a CALL; None if there was none. Return the result after the last answer; [] before
        that, or if any CALL was not answered."""
        self._left -= 1
        if reply is None:
            self._is_silent = True
        else:
            self._why_not = self._why_not or why_not(step, reply)
        return [] if self._left or self._is_silent else [result_of(self._command_id, self._why_not)]


Plan = Callable[
    [str, dict[str, Any], ChargerState, int], tuple[Step, ...]
]  # name of the command, its arguments, state of the charger, our time in milliseconds


def ordered(plan: Plan, payload: bytes, charger: ChargerState, now_ms: int) -> Ordered | Record:
    """Translate the payload of a command into CALLs, or into a result if there are no CALLs for it."""
    try:
        said = read_object(payload)
    except BadPayload:  # not expected, since we have built the payload
        said = {}
    command_id, do = text(said.get("id"), 64) or "", said.get("do")
    steps = plan(do, said, charger, now_ms) if isinstance(do, str) else ()
    return Ordered(command_id, steps) if steps else result_of(command_id, NOT_POSSIBLE)


def why_not(step: Step, reply: Reply) -> str:
    """Return the reason for a refusal, or "" on success."""
    if reply.error is not None:
        return NOT_SUPPORTED if reply.error in CANNOT else REJECTED
    status = (text(reply.payload.get("status")) or "").lower()
    if status in step.done:
        return ""
    return NOT_SUPPORTED if status == "notsupported" else REJECTED


def result_of(command_id: str, why: str) -> Record:
    return Record("result", as_json({"id": command_id, "ok": not why} | ({"y": why} if why else {})))


class Ceiling(NamedTuple):
    """The fields of the charging profile for a limit or a pause that have the same names in both versions."""

    profile: dict[str, Any]
    schedule: dict[str, Any]


def ceiling(command: dict[str, Any], now_ms: int) -> Ceiling:
    """Return the profile for a limit; a command without amps is a pause."""
    end_s, amps = whole(command.get("exp")), whole(command.get("amps"))
    lasting_s = LONGEST_S if end_s is None else max(1, min(end_s - now_ms // 1000, LONGEST_S))
    schedule = {
        "startSchedule": iso_utc(now_ms),
        "duration": lasting_s,
        "chargingRateUnit": "A",
        "chargingSchedulePeriod": [
            {"startPeriod": 0, "limit": float(amps if amps is not None and amps >= LEAST_A else 0)}
        ],
    }
    profile = {
        "stackLevel": 0,
        "chargingProfileKind": "Absolute",
        "validTo": iso_utc(now_ms + 1000 * lasting_s),
    }
    return Ceiling(profile, schedule)


def waiting(charger: ChargerState) -> int | None:
    """Return the connector whose vehicle waits for a transaction, or None."""
    return charger.plugged if charger.state in ("B1", "B2") else None
