"""Does the bridge parse what units write, and refuse values that cannot be meant?"""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud_bridge.text import holds_storable, is_storable_json
from cloud_bridge.wire import (
    EARLIEST_S,
    KINDS,
    LATEST_S,
    MAX_COUNT,
    MAX_FAULTS,
    MAX_PAYLOAD_BYTES,
    MAX_TEXT,
    UNIT_ID,
    BadPayload,
    Event,
    Heartbeat,
    Message,
    Result,
    Session,
    decode,
    is_repeat,
)
from tests.cloud_bridge.running import SAMPLES, sample
from tests.wire_schema import NUMBERS, SCHEMA, Row, bounds, keys_of

SAMPLE_NAMES = sorted(path.stem for path in SAMPLES.glob("*.json"))


@pytest.mark.parametrize("name", [name for name in SAMPLE_NAMES if not name.startswith("command-")])
def test_every_golden_sample_of_a_unit_is_read(name: str) -> None:
    message = decode(name.split("-")[0], sample(name))
    assert message.sequence is not None
    assert message.boot is not None


def test_the_samples_cover_every_kind() -> None:
    assert {name.split("-")[0] for name in SAMPLE_NAMES} == {
        "heartbeat",
        "event",
        "session",
        "result",
        "command",
        "ask",
    }


DECODED = [(kind, key) for kind in KINDS for key in keys_of(kind)]


def test_the_bridge_decodes_the_keys_of_the_schema_and_no_other() -> None:
    assert {kind: set(keys) for kind, (_, keys) in KINDS.items()} == {kind: set(keys_of(kind)) for kind in KINDS}


def test_the_types_of_the_schema_have_the_bounds_of_the_bridge() -> None:
    ranges = {name: bounds(row)[0] for name, row in SCHEMA["types"].items()}
    assert ranges["count"] == [(0, MAX_COUNT)]
    assert ranges["time"] == [(EARLIEST_S, LATEST_S)]
    assert ranges["number"] == [(-MAX_COUNT, MAX_COUNT)]
    assert ranges["text"] == [(0, MAX_TEXT)]
    assert ranges["names"] == [(0, MAX_FAULTS)]


@pytest.mark.parametrize(("kind", "key"), DECODED)
def test_every_value_within_its_bound_is_decoded(kind: str, key: str) -> None:
    row, field = keys_of(kind)[key], KINDS[kind][1][key][0]
    for value in extremes(row):
        assert decode(kind, json.dumps({key: value}).encode()).get(field) == value


@pytest.mark.parametrize(("kind", "key"), DECODED)
def test_a_value_of_another_type_is_refused(kind: str, key: str) -> None:
    wrong: object = {"flag": 1, "object": []}.get(keys_of(kind)[key].type, {})
    with pytest.raises(BadPayload, match=f"{key}: not"):
        decode(kind, json.dumps({key: wrong}).encode())


def extremes(row: Row) -> list[object]:
    """Return values at both ends of every range, and each name."""
    ranges, names = bounds(row)
    if row.type in NUMBERS:
        return [end for pair in ranges for end in pair]
    if row.type == "text":
        return [*names, *("x" * end for pair in ranges for end in pair)]
    return [[], names] if row.type == "names" else [False, True] if row.type == "flag" else [{}, {"key": 1}]


def test_a_heartbeat_while_charging() -> None:
    assert decode("heartbeat", sample("heartbeat-charging")) == Heartbeat(
        sequence=42,
        boot=4,
        unit_time_s=1767229200,
        state="C2",
        mode="smart",
        csq=17,
        operator="23415",
        amps=32,
        watts=7360,
        total_wh=124180,
        faults=[],
        loop_worst_ms=24,
    )


def test_an_event() -> None:
    assert decode("event", sample("event-fault-raised")) == Event(
        sequence=57, boot=4, unit_time_s=1767230099, kind="fault_raised", details={"fault": "rcd_ac"}
    )


def test_a_session() -> None:
    assert decode("session", sample("session")) == Session(
        sequence=61,
        boot=4,
        unit_time_s=1767240000,
        started_s=1767229000,
        ended_s=1767239990,
        duration_s=10990,
        energy_wh=22140,
        reason="unplugged",
    )


def test_a_result() -> None:
    assert decode("result", sample("result-refused")) == Result(
        sequence=63, boot=4, unit_time_s=1767240200, command="c-7f3b", ok=False, reason="expired"
    )


def test_a_missing_key_and_a_null_are_unknown() -> None:
    assert decode("heartbeat", b"{}") == Heartbeat()
    assert decode("heartbeat", b'{"s":null}') == Heartbeat()


def test_an_unknown_key_is_kept() -> None:
    assert decode("heartbeat", sample("heartbeat-unknown-key")).other == {"zz": {"later": [1, 2]}}


@pytest.mark.parametrize(
    ("payload", "why"),
    [
        (b"", "not JSON"),
        (b"\xff\xfe", "not JSON"),
        (b"hello", "not JSON"),
        (b"[1]", "not an object"),
        (b"17", "not an object"),
        (b'{"n":-1}', "n: not a count"),
        (b'{"n":true}', "n: not a count"),
        (b'{"n":1.5}', "n: not a count"),
        (b'{"n":99999999999999999999}', "n: not a count"),
        (b'{"q":32}', "q: not 0..31 or 99"),
        (b'{"s":3}', "s: not a printable text"),
        (b'{"s":"\\ud800"}', "a lone surrogate"),
        (b'{"s":"A\\u0000"}', "a lone surrogate or U.0000"),
        (b'{"s":"A\\u0007"}', "s: not a printable text"),
        (b'{"w":NaN}', "not JSON"),
        (b'{"w":1e999}', "w: not a number"),
        (b'{"f":"rcd"}', "f: not a list"),
        (b'{"f":[1]}', "f: not a printable text"),
        (b"[" * 3000, "not JSON"),
        (b'{"s":"' + b"A" * MAX_PAYLOAD_BYTES + b'"}', "longer than"),
    ],
)
def test_what_cannot_be_is_refused_with_the_reason(payload: bytes, why: str) -> None:
    with pytest.raises(BadPayload, match=why):
        decode("heartbeat", payload)


@pytest.mark.parametrize("unit_id", ["cp-1", "A", "a_b-C", "x" * 36])
def test_ids_that_fit_in_a_topic(unit_id: str) -> None:
    assert UNIT_ID.match(unit_id)


@pytest.mark.parametrize("unit_id", ["", "a/b", "a+", "#", "x" * 37, "a b", "cp-1\n", "ü"])
def test_ids_that_do_not(unit_id: str) -> None:
    assert not UNIT_ID.match(unit_id)


@pytest.mark.parametrize(
    ("boot", "sequence", "redelivered", "repeat"),
    [
        (4, 42, False, True),  # the same number
        (4, 42, True, True),
        (4, 41, True, True),  # an older one, repeated by MQTT
        (4, 41, False, False),  # the unit lost its flash and counts from the beginning
        (4, 43, True, False),
        (5, 42, True, False),
        (None, 42, True, False),
        (4, None, True, False),
    ],
)
def test_repeats_are_known_by_boot_and_sequence(
    boot: int | None, sequence: int | None, redelivered: bool, repeat: bool
) -> None:
    assert is_repeat(Message(boot=boot, sequence=sequence), (4, 42), redelivered) is repeat


def test_nothing_repeats_what_had_no_number() -> None:
    assert not is_repeat(Message(boot=4, sequence=1), (None, None), True)


@pytest.mark.parametrize(
    "payload",
    [
        rb'{"d":{"o":"a\u0000b"}}',
        rb'{"d":{"a\u0000":1}}',
        rb'{"d":{"o":["\ud800","\uDC00\uD800"]}}',
        rb'{"d":{"o":[[{"a":{"b":"\udfff"}}]]}}',
        rb'{"d":{"fault":"\ud800"},"k":"fault_raised"}',
        rb'{"zz":"\uDBFF"}',
        rb'{"\ud83d\ud83d\udd0c":1}',
        rb'{"k":"\\\u0000"}',
        b'{"d":{"o":"\xed\xa0\x80"}}',  # a surrogate in the bytes of UTF-8
        b'{"d":{"o":"\x00"}}',
    ],
)
def test_a_text_that_no_store_keeps_is_refused_wherever_it_stands(payload: bytes) -> None:
    for kind in KINDS:
        with pytest.raises(BadPayload):
            decode(kind, payload)


@pytest.mark.parametrize("text", ["🔌", "\\u0000", "\\\\ud800", "é\n\t"])
def test_every_other_text_is_kept_as_it_is(text: str) -> None:
    for written in (json.dumps({"d": {text: [text]}}), json.dumps({"d": {text: [text]}}, ensure_ascii=False)):
        assert decode("event", written.encode()).get("details") == {text: [text]}


@given(st.dictionaries(st.text(st.characters()), st.text(st.characters()) | st.lists(st.text(st.characters()))))
def test_what_is_storable_is_what_is_let_in(said: object) -> None:
    written = json.dumps(said)  # two adjacent halves of a pair are parsed as one character
    assert is_storable_json(written) == holds_storable(json.loads(written))


@pytest.mark.parametrize(
    "at_s", [0, 946_684_800, EARLIEST_S - 1, LATEST_S + 1, MAX_COUNT, -1, 2**63, 1.7e9, "1767225600"]
)
@pytest.mark.parametrize(
    ("kind", "key"),
    [("heartbeat", "t"), ("heartbeat", "u"), ("event", "t"), ("session", "t0"), ("session", "t1"), ("result", "t")],
)
def test_a_time_that_cannot_be_is_refused(kind: str, key: str, at_s: object) -> None:
    with pytest.raises(BadPayload, match=f"{key}: not a time"):
        decode(kind, json.dumps({key: at_s}).encode())
