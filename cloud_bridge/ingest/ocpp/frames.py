"""Parsing and building of OCPP-J frames, which are the same in 1.6 and 2.0.1: CALL, CALLRESULT and CALLERROR. Pure.

Parsing is tolerant: a CALL without a payload, a message type as a string, and an id that is a number are accepted. A
frame is Unreadable only if its purpose cannot be determined. Section 4 of "OCPP-J 1.6 Specification".
"""

import json
from enum import StrEnum
from typing import Any, NamedTuple

CALL, CALL_RESULT, CALL_ERROR = 2, 3, 4
MAX_FRAME_BYTES = 64 * 1024  # StopTransaction with all readings of a long session
MAX_ID = 255  # characters; the standard allows 36
MAX_ACTION = 50

MessageId = str | int

_AS_JSON = json.JSONEncoder(separators=(",", ":"))  # json.dumps would create an encoder for each frame


class ErrorCode(StrEnum):
    """The codes of a CALLERROR, table 7. "FormationViolation" is misspelt in 1.6, and is sent like that; 2.0.1 corrects
    it (Dialect.spelt)."""

    NOT_IMPLEMENTED = "NotImplemented"
    NOT_SUPPORTED = "NotSupported"
    INTERNAL_ERROR = "InternalError"
    PROTOCOL_ERROR = "ProtocolError"
    FORMATION_VIOLATION = "FormationViolation"
    TYPE_CONSTRAINT_VIOLATION = "TypeConstraintViolation"


class Call(NamedTuple):
    """A request or report of the charger."""

    message_id: MessageId
    action: str
    payload: dict[str, Any]


class Reply(NamedTuple):
    """The charger's answer to our CALL: a CALLRESULT, or a CALLERROR if `error` is set."""

    message_id: MessageId
    payload: dict[str, Any]
    error: str | None = None


class Unreadable(NamedTuple):
    """A frame that cannot be read. It is answered with a CALLERROR with `code` if it has an id, and otherwise not at
    all."""

    why: str
    message_id: MessageId | None = None
    code: ErrorCode = ErrorCode.FORMATION_VIOLATION


def read_frame(data: bytes) -> Call | Reply | Unreadable:
    """Parse a frame. Never raises, whatever the bytes are."""
    try:
        said = json.loads(data.decode())
    except (ValueError, RecursionError):  # a wrong encoding is a ValueError
        return Unreadable("not JSON")
    if not isinstance(said, list) or not said:
        return Unreadable("not a JSON array")
    message_id = _id(said[1]) if len(said) > 1 else None
    if message_id is None:
        return Unreadable("no id")
    kind, rest = _kind(said[0]), said[2:]
    if kind == CALL:
        return _call(message_id, rest)
    if kind == CALL_RESULT:
        return Reply(message_id, _payload(rest[0] if rest else None) or {})
    if kind == CALL_ERROR:
        code = rest[0] if rest and isinstance(rest[0], str) and rest[0] else ErrorCode.INTERNAL_ERROR
        return Reply(message_id, {}, str(code)[:MAX_ACTION])
    return Unreadable("no message type of OCPP", message_id, ErrorCode.PROTOCOL_ERROR)


def result(message_id: MessageId, payload: dict[str, Any]) -> str:
    return _written([CALL_RESULT, message_id, payload])


def error(message_id: MessageId, code: str, description: str = "") -> str:
    return _written([CALL_ERROR, message_id, code, description, {}])


def call(message_id: MessageId, action: str, payload: dict[str, Any]) -> str:
    return _written([CALL, message_id, action, payload])


def _call(message_id: MessageId, rest: list[Any]) -> Call | Unreadable:
    action = rest[0] if rest else None
    if not isinstance(action, str) or not 0 < len(action) <= MAX_ACTION:
        return Unreadable("no action", message_id)
    payload = _payload(rest[1] if len(rest) > 1 else None)
    if payload is None:
        return Unreadable("its payload is no object", message_id, ErrorCode.TYPE_CONSTRAINT_VIOLATION)
    return Call(message_id, action, payload)


def _id(value: Any) -> MessageId | None:
    if isinstance(value, str):
        return value if 0 < len(value) <= MAX_ID else None
    return value if type(value) is int and abs(value) < 2**63 else None


def _kind(value: Any) -> int | None:
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) == 1:
        return int(value)
    return value if type(value) is int else None


def _payload(value: Any) -> dict[str, Any] | None:
    """Return a payload object. A missing payload and an empty list count as {}; return None for any other type."""
    if isinstance(value, dict):
        return value
    return {} if value is None or value == [] else None


def _written(frame: list[Any]) -> str:
    return _AS_JSON.encode(frame)
