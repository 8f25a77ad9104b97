"""Is a frame read as far as an intent can be, at the edges of what is one?"""

import json
from typing import Any

import pytest

from cloud_bridge.ingest.ocpp.frames import (
    MAX_ACTION,
    MAX_ID,
    Call,
    ErrorCode,
    Reply,
    Unreadable,
    call,
    error,
    read_frame,
    result,
)


def read(*said: Any) -> Call | Reply | Unreadable:
    return read_frame(json.dumps(said).encode())


@pytest.mark.parametrize("message_id", ["1", "x" * MAX_ID, 0, -5, 2**63 - 1, 1 - 2**63])
def test_what_is_an_id(message_id: Any) -> None:
    assert read(2, message_id, "Heartbeat", {}) == Call(message_id, "Heartbeat", {})


@pytest.mark.parametrize("message_id", ["", "x" * (MAX_ID + 1), 2**63, -(2**63), True, None, 1.0, [], {}])
def test_what_is_no_id(message_id: Any) -> None:
    assert read(2, message_id, "Heartbeat", {}) == Unreadable("no id")
    assert read(2) == Unreadable("no id")


@pytest.mark.parametrize("data", [b"", b"\xff", b"{", b"[" * 100_000])
def test_what_is_no_json(data: bytes) -> None:
    assert read_frame(data) == Unreadable("not JSON")


@pytest.mark.parametrize("data", [b"{}", b"[]", b"7", b'"x"', b"null"])
def test_what_is_no_array(data: bytes) -> None:
    assert read_frame(data) == Unreadable("not a JSON array")


@pytest.mark.parametrize("kind", [1, 5, "x", "22", "\u0662", True, None, 2.0])
def test_what_is_no_type_of_a_message(kind: Any) -> None:
    assert read(kind, "1", "Heartbeat", {}) == Unreadable("no message type of OCPP", "1", ErrorCode.PROTOCOL_ERROR)


@pytest.mark.parametrize("kind", [2, "2"])
def test_a_call_has_an_action_and_may_lack_a_payload(kind: Any) -> None:
    several: list[list[Any]] = [[], [None], [[]], [{}]]
    for rest in several:
        assert read(kind, "1", "x" * MAX_ACTION, *rest) == Call("1", "x" * MAX_ACTION, {})
    assert read(kind, "1", "A", {"a": 1}, "more") == Call("1", "A", {"a": 1})
    for action in ("", "x" * (MAX_ACTION + 1), None, 7):
        assert read(kind, "1", action, {}) == Unreadable("no action", "1")
    assert read(kind, "1") == Unreadable("no action", "1")
    for payload in ([1], "x", 0, False):
        assert read(kind, "1", "A", payload) == Unreadable(
            "its payload is no object", "1", ErrorCode.TYPE_CONSTRAINT_VIOLATION
        )


@pytest.mark.parametrize("kind", [3, "3"])
def test_an_answer_may_lack_a_payload(kind: Any) -> None:
    assert read(kind, "1", {"status": "Accepted"}) == Reply("1", {"status": "Accepted"})
    assert read(kind, "1") == read(kind, "1", None) == read(kind, "1", "x") == Reply("1", {})


@pytest.mark.parametrize("kind", [4, "4"])
def test_an_error_has_a_code(kind: Any) -> None:
    assert read(kind, "1", "NotSupported", "why", {}) == Reply("1", {}, "NotSupported")
    assert read(kind, "1", "x" * (MAX_ACTION + 1)) == Reply("1", {}, "x" * MAX_ACTION)
    for rest in ([], [""], [7], [None]):
        assert read(kind, "1", *rest) == Reply("1", {}, "InternalError")


def test_what_we_send() -> None:
    assert result("1", {"a": 1}) == '[3,"1",{"a":1}]'
    assert error(7, ErrorCode.NOT_IMPLEMENTED) == '[4,7,"NotImplemented","",{}]'
    assert error("1", "GenericError", "why") == '[4,"1","GenericError","why",{}]'
    assert call("1", "Reset", {"type": "Soft"}) == '[2,"1","Reset",{"type":"Soft"}]'
