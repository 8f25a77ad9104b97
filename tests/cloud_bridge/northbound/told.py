"""The bridge's knowledge of a unit, and a back-end that answers the messages of a reporter."""

import json
from dataclasses import replace
from typing import Any

from ocpp import messages  # type: ignore[import-untyped]  # comes without types

from cloud_bridge.contact import Contact
from cloud_bridge.ingest.ocpp.frames import Reply
from cloud_bridge.northbound.known import Known, Names
from cloud_bridge.northbound.reporter import Due, Progress, Reporter
from cloud_bridge.northbound.transactions import Ended
from cloud_bridge.wire import Heartbeat
from tests.cloud_bridge.running import START_MS

NAMES = Names("wall", "tcall", "1.2.3", False)
TAG = "CHARGEKEEPER"


def known(state: str | None = "A1", contact: Contact = Contact.ONLINE, at_ms: int = START_MS, **keys: Any) -> Known:
    """Return the state of a unit that was last contacted at `at_ms`, with the unit's clock equal to ours."""
    heartbeat = replace(Heartbeat(state=state, unit_time_s=at_ms // 1000, total_wh=1000, watts=0.0), **keys)
    return Known(NAMES, contact, at_ms, heartbeat, at_ms)


def check(action: str, payload: dict[str, Any]) -> None:
    """Check a CALL by the schemas of OCPP 1.6. Raises the library's errors."""
    messages.get_validator(messages.MessageType.Call, action, "1.6").validate(json.loads(json.dumps(payload)))


def check_answer(action: str, payload: dict[str, Any]) -> None:
    messages.get_validator(messages.MessageType.CallResult, action, "1.6").validate(json.loads(json.dumps(payload)))


class BackEnd:
    """Answers each CALL at once; `errors` names the actions that it answers with a CALLERROR."""

    def __init__(self, progress: Progress = Progress(0, None)) -> None:  # noqa: B008  it is never changed
        self.reporter = Reporter(progress, TAG)
        self.told: list[Due] = []
        self.errors: set[str] = set()
        self.now_s = 1000.0
        self.now_ms = START_MS
        self.boot: dict[str, Any] = {"status": "Accepted", "interval": 60, "currentTime": "2026-01-01T00:00:00Z"}

    def hear(self, what: Known, *sessions: Ended, after_s: float = 0.0) -> list[tuple[str, dict[str, Any]]]:
        """Advance the time and answer all messages that are due; return them."""
        self.now_s += after_s
        self.now_ms += int(after_s * 1000)
        came: list[tuple[str, dict[str, Any]]] = []
        for _ in range(100):
            due = self.reporter.next(what, sessions, self.now_s, self.now_ms)
            if due is None:
                return came
            check(due.action, due.payload)
            came.append((due.action, due.payload))
            self.reporter.answered(due, self._answer(due), self.now_s)
        raise AssertionError(f"messages without end: {came[-3:]}")

    def _answer(self, due: Due) -> Reply:
        if due.action in self.errors:
            return Reply("1", {}, "InternalError")
        if due.action == "BootNotification":
            return Reply("1", self.boot)
        started = {"transactionId": 7, "idTagInfo": {"status": "Accepted"}}
        return Reply("1", started if due.action == "StartTransaction" else {})


def actions(came: list[tuple[str, dict[str, Any]]]) -> list[str]:
    return [action for action, _ in came]
