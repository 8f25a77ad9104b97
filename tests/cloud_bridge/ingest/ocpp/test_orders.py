"""Do our commands become CALLs that OCPP's schemas allow, and is a charger's answer reported correctly?"""

import asyncio
import json
from typing import Any

import pytest
from ocpp import messages  # type: ignore[import-untyped]  # comes without types

from cloud_bridge.ingest.ocpp.charger import ChargerState
from cloud_bridge.ingest.ocpp.dialect import Dialect
from cloud_bridge.ingest.ocpp.dialects import DIALECTS
from cloud_bridge.ingest.ocpp.frames import Reply
from cloud_bridge.ingest.ocpp.orders import NOT_POSSIBLE, NOT_SUPPORTED, REJECTED, Ordered, ordered
from cloud_bridge.ingest.ocpp.records import Record
from cloud_bridge.ingest.ocpp.transactions import Transaction
from cloud_bridge.wire import Result, decode
from tests.cloud_bridge.running import START_MS

ENDS_S = START_MS // 1000 + 3600
V16, V201 = DIALECTS["ocpp1.6"], DIALECTS["ocpp2.0.1"]


def given(status: str = "Preparing", dialect: Dialect = V16, runs: bool = False, **command: Any) -> Ordered | Record:
    charger = ChargerState()
    charger.take_status(1, status, "NoError")
    if runs:
        charger.begin(Transaction(7, 1, None, None, name="tx 7"))
    return ordered(dialect.plan, json.dumps({"id": "c-1", **command}).encode(), charger, START_MS)


def result(record: Record) -> Result:
    found = decode(*record)
    assert isinstance(found, Result)
    return found


@pytest.mark.parametrize(
    ("command", "of_16", "of_201"),
    [
        ({"do": "limit", "amps": 10, "exp": ENDS_S}, ["SetChargingProfile"], ["SetChargingProfile"]),
        ({"do": "pause", "exp": ENDS_S}, ["SetChargingProfile"], ["SetChargingProfile"]),
        ({"do": "resume"}, ["ClearChargingProfile"], ["ClearChargingProfile"]),
        (
            {"do": "override", "on": True},
            ["ClearChargingProfile", "RemoteStartTransaction"],
            ["ClearChargingProfile", "RequestStartTransaction"],
        ),
        ({"do": "stop"}, ["RemoteStopTransaction"], ["RequestStopTransaction"]),
        ({"do": "reboot"}, ["Reset"], ["Reset"]),
        ({"do": "unlock"}, ["UnlockConnector"], ["UnlockConnector"]),
    ],
)
def test_a_command_is_calls_that_the_schemas_allow(
    command: dict[str, Any], of_16: list[str], of_201: list[str]
) -> None:
    for dialect, version, actions in ((V16, "1.6", of_16), (V201, "2.0.1", of_201)):
        found = given(dialect=dialect, runs=True, **command)
        assert isinstance(found, Ordered)
        assert [step.action for step in found.steps] == actions
        for step in found.steps:
            check_call(step.action, step.payload, version)


@pytest.mark.parametrize(("dialect", "version"), [(V16, "1.6"), (V201, "2.0.1")])
def test_what_we_ask_of_ourselves_is_what_the_schemas_allow(dialect: Dialect, version: str) -> None:
    check_call(dialect.ask_interval.action, dialect.ask_interval.payload, version)
    for message in ("Heartbeat", "BootNotification", "StatusNotification"):
        check_call("TriggerMessage", dialect.trigger(message), version)


def check_call(action: str, payload: dict[str, Any], version: str) -> None:
    asyncio.run(messages.validate_payload(messages.Call("1", action, payload), version))


def test_nothing_is_started_where_it_charges_or_nobody_waits() -> None:
    for status in ("Charging", "Available"):
        found = given(status, do="override", on=True)
        assert isinstance(found, Ordered) and [step.action for step in found.steps] == ["ClearChargingProfile"]


@pytest.mark.parametrize(
    "command",
    [{"do": "schedule", "hours": "off"}, {"do": "skip_delay"}, {"do": "override", "on": False}, {"do": "stop"}],
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
