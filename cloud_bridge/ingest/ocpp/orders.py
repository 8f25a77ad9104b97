"""Our commands as CALLs, and what a charger makes of them as its result. Pure.

A limit and a pause are a profile of the whole charger, which ends by itself as our commands do: it holds for whatever is
plugged in, and while the line is down. To charge now ends it, and starts a transaction where a vehicle waits for one. What has
no CALL is refused before it is sent. A charger that does not answer has no result, and pages say that it was silent. The CALLs
themselves are those of a version of OCPP (v16.py, v201.py).
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from cloud_bridge.clock import iso_utc
from cloud_bridge.ingest.ocpp.charger import ChargerState
from cloud_bridge.ingest.ocpp.fields import text, whole
from cloud_bridge.ingest.ocpp.frames import ErrorCode, Reply
from cloud_bridge.ingest.ocpp.records import Record, as_json
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


Plan = Callable[
    [str, dict[str, Any], ChargerState, int], tuple[Step, ...]
]  # what to do, the command, the charger, our clock


def ordered(plan: Plan, payload: bytes, charger: ChargerState, now_ms: int) -> Ordered | Record:
    """The CALLs of a command on `cp/<id>/command`, or its result where there is none for it."""
    try:
        said = read_object(payload)
    except BadPayload:  # made by ourselves
        said = {}
    command_id, do = text(said.get("id"), 64) or "", said.get("do")
    steps = plan(do, said, charger, now_ms) if isinstance(do, str) else ()
    return Ordered(command_id, steps) if steps else result_of(command_id, NOT_POSSIBLE)


def why_not(step: Step, reply: Reply) -> str:
    """Empty where it was done."""
    if reply.error is not None:
        return NOT_SUPPORTED if reply.error in CANNOT else REJECTED
    status = (text(reply.payload.get("status")) or "").lower()
    if status in step.done:
        return ""
    return NOT_SUPPORTED if status == "notsupported" else REJECTED


def result_of(command_id: str, why: str) -> Record:
    return Record("result", as_json({"id": command_id, "ok": not why} | ({"y": why} if why else {})))


class Ceiling(NamedTuple):
    """The profile that a limit or a pause comes to, in what both versions call alike."""

    profile: dict[str, Any]
    schedule: dict[str, Any]


def ceiling(command: dict[str, Any], now_ms: int) -> Ceiling:
    """No amps: a pause."""
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
    """The connector whose vehicle waits for a transaction; None: there is none."""
    return charger.plugged if charger.state in ("B1", "B2") else None
