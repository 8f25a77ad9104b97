"""Do our commands become CALLs that the schemas of OCPP allow, and is a charger's answer told as it is?"""

import asyncio
import json
from typing import Any

import pytest
from ocpp import messages  # type: ignore[import-untyped]  # comes without types

from cloud_bridge.ingest.ocpp.actions import Record
from cloud_bridge.ingest.ocpp.charger import ChargerState
from cloud_bridge.ingest.ocpp.frames import Reply
from cloud_bridge.ingest.ocpp.orders import NOT_POSSIBLE, NOT_SUPPORTED, REJECTED, Ordered, ordered
from cloud_bridge.wire import Result, decode
from tests.cloud_bridge.running import START_MS

ENDS_S = START_MS // 1000 + 3600


def given(status: str = "Preparing", **command: Any) -> Ordered | Record:
    charger = ChargerState()
    charger.take_status({"connectorId": 1, "status": status, "errorCode": "NoError"}, 0)
    return ordered(json.dumps({"id": "c-1", **command}).encode(), charger, START_MS)


def result(record: Record) -> Result:
    found = decode(*record)
    assert isinstance(found, Result)
    return found


@pytest.mark.parametrize(
    ("command", "actions"),
    [
        ({"do": "limit", "amps": 10, "exp": ENDS_S}, ["SetChargingProfile"]),
        ({"do": "pause", "exp": ENDS_S}, ["SetChargingProfile"]),
        ({"do": "resume"}, ["ClearChargingProfile"]),
        ({"do": "override", "on": True}, ["ClearChargingProfile", "RemoteStartTransaction"]),
    ],
)
def test_a_command_is_calls_that_the_schemas_allow(command: dict[str, Any], actions: list[str]) -> None:
    found = given(**command)
    assert isinstance(found, Ordered)
    assert [step.action for step in found.steps] == actions
    for step in found.steps:
        asyncio.run(messages.validate_payload(messages.Call("1", step.action, dict(step.payload)), "1.6"))


def test_nothing_is_started_where_it_charges_or_nobody_waits() -> None:
    for status in ("Charging", "Available"):
        found = given(status, do="override", on=True)
        assert isinstance(found, Ordered) and [step.action for step in found.steps] == ["ClearChargingProfile"]


@pytest.mark.parametrize(
    "command", [{"do": "schedule", "hours": "off"}, {"do": "skip_delay"}, {"do": "override", "on": False}]
)
def test_what_it_cannot_do_is_refused_and_not_sent(command: dict[str, Any]) -> None:
    found = given(**command)
    assert isinstance(found, Record)
    assert (result(found).ok, result(found).reason) == (False, NOT_POSSIBLE)


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (Reply("1", {"status": "Accepted"}), None),
        (Reply("1", {"status": "Rejected"}), REJECTED),
        (Reply("1", {"status": "NotSupported"}), NOT_SUPPORTED),
        (Reply("1", {}), REJECTED),
        (Reply("1", {}, "NotImplemented"), NOT_SUPPORTED),
        (Reply("1", {}, "InternalError"), REJECTED),
    ],
)
def test_its_answer_is_told_as_it_is(reply: Reply, reason: str | None) -> None:
    found = given(do="pause", exp=ENDS_S)
    assert isinstance(found, Ordered)
    [record] = found.answered(found.steps[0], reply)
    assert (result(record).command, result(record).ok, result(record).reason) == ("c-1", reason is None, reason)


def test_silence_is_no_answer() -> None:
    found = given(do="override", on=True)
    assert isinstance(found, Ordered)
    first, second = found.steps
    assert found.answered(first, None) == [] == found.answered(second, Reply("1", {"status": "Accepted"}))


def test_of_several_answers_the_first_refusal_is_told() -> None:
    found = given(do="override", on=True)
    assert isinstance(found, Ordered)
    first, second = found.steps
    assert found.answered(first, Reply("1", {"status": "Unknown"})) == []
    [record] = found.answered(second, Reply("2", {"status": "Rejected"}))
    assert result(record).reason == REJECTED
