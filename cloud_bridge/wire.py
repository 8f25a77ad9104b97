"""Wire format v1: decode the JSON messages of units. Pure and bounded.

The contract is tests/samples/schema.toml: every key with its type, unit and bound. The golden messages are beside it,
and the firmware's tests read the same files. A missing key is unknown (None) and an unknown key is kept, so that
bridges and units of different versions work together. A message in which a known key has an invalid value is refused: a
partly wrong state is worse than the previous state.

Keys that every message may have: `n`, the sequence number since boot; `b`, the boot count; `t`, the unit's own time in
epoch seconds, absent if the unit does not know it. `b` and `n` together identify a message, so that redeliveries are
detected.
"""

import json
import re
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from typing import Any

from cloud_bridge.text import is_storable_json
from cloud_bridge.values import HEARTBEAT

MAX_PAYLOAD_BYTES = 4096  # ten times the longest message the firmware writes
MAX_TEXT = 256  # characters of any text value
MAX_FAULTS = 32
EARLIEST_S, LATEST_S = 1_577_836_800, 4_102_444_799  # 2020 to 2099: the times that a unit may have
MAX_COUNT = 2**53 - 1  # the largest whole number that every JSON reader keeps exact

UNIT_ID = re.compile(r"[A-Za-z0-9_-]{1,36}\Z")


class BadPayload(ValueError):
    """The payload is not a message of this kind; the text says which key and why."""


class BadTime(BadPayload):
    """The unit's clock is wrong by years."""


@dataclass(slots=True, kw_only=True)
class Message:
    """The fields of every message. `other` has the keys that this version does not know.

    Treat messages as immutable. The class is not frozen because that would make construction three times slower, and
    construction is a third of the time of `decode`.
    """

    sequence: int | None = None
    boot: int | None = None
    unit_time_s: int | None = None
    other: dict[str, Any] = field(default_factory=dict)

    def get(self, name: str) -> Any:
        """Return the value of a name in KINDS, or None if it is unknown."""
        return getattr(self, name)


@dataclass(slots=True, kw_only=True)
class Heartbeat(Message):
    """The present state of a unit. values.py lists all values; those that our own code uses are fields here."""

    state: str | None = None  # pilot state, "A1" .. "F"
    mode: str | None = None  # "smart", "link_lost" or "standalone"
    csq: int | None = None  # 0..31; 99 if the modem does not know it
    operator: str | None = None  # PLMN digits
    amps: float | None = None  # offered to the vehicle
    allowed_amps: float | None = None  # by a claim; 0 is a pause; None if no claim limits it, or with older firmware
    limited_by: str | None = None  # the source of the unit's limits that sets the current
    limited_until_s: int | None = None  # by the unit's time; None if no end is known
    also_in_force: list[str] | None = None  # other claims; None if there are none
    random_delay_s: int | None = None  # remaining; None if no delay is running
    watts: float | None = None
    total_wh: int | None = None
    faults: list[str] | None = None
    interval_s: int | None = None  # until the next heartbeat, if nothing changes; None means USUAL_INTERVAL_S
    loop_worst_ms: int | None = None  # since the previous heartbeat
    troubles: list[str] | None = None  # defects that do not stop charging; None if there are none
    records_dropped: int | None = None  # since boot; None if there are none
    parts_failed: int | None = None  # parts of the firmware, since boot; None if there are none
    more: dict[str, Any] | None = None  # the values of values.py that have no field here, by name

    def get(self, name: str) -> Any:
        return (self.more or {}).get(name) if name in ONLY_SHOWN else getattr(self, name)


@dataclass(slots=True, kw_only=True)
class Event(Message):
    """One record of the unit's journal."""

    kind: str | None = None  # fault_raised, fault_cleared, boot, network, tamper, security, override, ...
    details: dict[str, Any] | None = None


@dataclass(slots=True, kw_only=True)
class Session(Message):
    """A charging session that has ended. Start and end are None if the unit did not know the time."""

    started_s: int | None = None
    ended_s: int | None = None
    duration_s: int | None = None
    energy_wh: int | None = None
    reason: str | None = None  # why it ended
    number: int | None = None  # on the unit, from 1


@dataclass(slots=True, kw_only=True)
class Result(Message):
    """The answer to a command."""

    command: str | None = None  # the command's id
    ok: bool | None = None
    reason: str | None = None  # of a refusal
    allowed_amps: float | None = None  # this and the following: in force after it, as in a heartbeat; None if not sent
    limited_by: str | None = None
    limited_until_s: int | None = None
    also_in_force: list[str] | None = None
    random_delay_s: int | None = None


@dataclass(slots=True, kw_only=True)
class Ask(Message):
    """A request for pieces of an update (ingest/update_pieces.py). It is not stored."""

    release: str | None = None  # its name
    file: int | None = None  # 0 the manifest, 1 the image
    offset: int | None = None  # in bytes, as `size`
    size: int | None = None


def _no_constant(name: str) -> None:
    raise BadPayload(f"{name} is not JSON")  # Python's decoder accepts NaN and Infinity, the standard does not


_read_json = json.JSONDecoder(parse_constant=_no_constant).decode  # json.loads would create a decoder for every message


def _count(value: Any) -> int:
    if type(value) is not int or not 0 <= value <= MAX_COUNT:
        raise BadPayload("not a count")
    return value


def _time(value: Any) -> int:
    if type(value) is not int:
        raise BadPayload("not a time")
    if not EARLIEST_S <= value <= LATEST_S:
        raise BadTime("not a time from 2020 to 2100")
    return value


def _csq(value: Any) -> int:
    if type(value) is not int or not (0 <= value <= 31 or value == 99):
        raise BadPayload("not 0..31 or 99")
    return value


def _number(value: Any) -> float:
    if type(value) not in (int, float) or not abs(value) <= MAX_COUNT:  # NaN compares false
        raise BadPayload("not a number")
    return value  # type: ignore[no-any-return]  # int or float by the line above


def _text(value: Any) -> str:
    if type(value) is not str or len(value) > MAX_TEXT or not value.isprintable():  # no lone surrogate, no NUL
        raise BadPayload(f"not a printable text of at most {MAX_TEXT} characters")
    return value


def _flag(value: Any) -> bool:
    if type(value) is not bool:
        raise BadPayload("not true or false")
    return value


def _names(value: Any) -> list[str]:
    if type(value) is not list or len(value) > MAX_FAULTS:
        raise BadPayload(f"not a list of at most {MAX_FAULTS} names")
    return [_text(name) for name in value]


def _object(value: Any) -> dict[str, Any]:
    if type(value) is not dict:
        raise BadPayload("not an object")
    return value


CHECKS: dict[str, Callable[[Any], Any]] = {
    "count": _count,
    "time": _time,
    "csq": _csq,
    "number": _number,
    "text": _text,
    "flag": _flag,
    "names": _names,
    "object": _object,
}

Keys = dict[str, tuple[str, Callable[[Any], Any]]]  # key on the wire -> field and the check of its value

SHARED: Keys = {"n": ("sequence", _count), "b": ("boot", _count), "t": ("unit_time_s", _time)}

KINDS: dict[str, tuple[type[Message], Keys]] = {
    "heartbeat": (Heartbeat, SHARED | {value.key: (value.name, CHECKS[value.type]) for value in HEARTBEAT}),
    "event": (Event, SHARED | {"k": ("kind", _text), "d": ("details", _object)}),
    "session": (
        Session,
        SHARED
        | {
            "t0": ("started_s", _time),
            "t1": ("ended_s", _time),
            "s": ("duration_s", _count),
            "e": ("energy_wh", _count),
            "y": ("reason", _text),
            "i": ("number", _count),
        },
    ),
    "result": (
        Result,
        SHARED
        | {
            "id": ("command", _text),
            "ok": ("ok", _flag),
            "y": ("reason", _text),
            "l": ("allowed_amps", _number),
            "by": ("limited_by", _text),
            "u": ("limited_until_s", _time),
            "i": ("also_in_force", _names),
            "r": ("random_delay_s", _count),
        },
    ),
    "ask": (
        Ask,
        {
            "n": ("sequence", _count),
            "b": ("boot", _count),
            "h": ("release", _text),
            "f": ("file", _count),
            "o": ("offset", _count),
            "c": ("size", _count),
        },
    ),
}


# Names in values.py that are not fields of Heartbeat.
ONLY_SHOWN = frozenset(value.name for value in HEARTBEAT) - {field.name for field in fields(Heartbeat)}


def decode(kind: str, payload: bytes) -> Message:
    """Decode a payload of `cp/<id>/<kind>`. Raises BadPayload, and nothing else, whatever the bytes are."""
    if len(payload) > MAX_PAYLOAD_BYTES:
        raise BadPayload(f"longer than {MAX_PAYLOAD_BYTES} bytes")
    message_class, keys = KINDS[kind]
    said = read_object(payload)
    values: dict[str, Any] = {}
    other: dict[str, Any] = {}
    for key, value in said.items():
        if key not in keys:
            other[key] = value
        elif value is not None:
            name, check = keys[key]
            try:
                values[name] = check(value)
            except BadPayload as error:
                raise type(error)(f"{key}: {error}") from None
    if message_class is Heartbeat and (only_shown := ONLY_SHOWN & values.keys()):
        values["more"] = {name: values.pop(name) for name in only_shown}
    return message_class(**values, other=other)


def read_object(payload: bytes) -> dict[str, Any]:
    """Parse the payload, which must be a JSON object. Raises BadPayload, and nothing else, whatever the bytes are."""
    try:
        text = payload.decode()
        if not is_storable_json(text):
            raise BadPayload("a lone surrogate or U+0000")
        said = _read_json(text)
    except BadPayload:
        raise
    except (ValueError, RecursionError) as error:  # a wrong encoding is a ValueError
        raise BadPayload("not JSON") from error
    return _object(said)


TIMES = ("unit_time_s", "started_s", "ended_s")  # a unit adds them to a record when it learns the time


def content_checksum(message: Message) -> int:
    """Return a checksum that is the same for every delivery of a record, whether the unit knew the time or not."""
    said = {one.name: getattr(message, one.name) for one in fields(message) if one.name not in TIMES}
    return zlib.crc32(repr(said).encode())


def is_plugged(heartbeat: Heartbeat) -> bool:
    """Return whether a vehicle is plugged in; False if the state is not known."""
    return heartbeat.state is not None and not heartbeat.state.startswith("A")


def is_repeat(message: Message, seen: tuple[int | None, int | None], redelivered: bool) -> bool:
    """Return whether the message was received before. `seen` is (boot, sequence) of the newest accepted message.

    Without the MQTT DUP flag only the same number is a repeat: a unit that lost its flash counts from the beginning
    again, and its messages must be accepted.
    """
    boot, sequence = seen
    if message.boot is None or message.sequence is None or sequence is None or message.boot != boot:
        return False
    return message.sequence == sequence or (redelivered and message.sequence < sequence)
