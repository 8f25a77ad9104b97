"""Does one row describe a value of the heartbeat, from the wire to the API and the dashboard?"""

from typing import Any

import pytest

from cloud_bridge.values import HEARTBEAT, Value, in_words
from cloud_bridge.wire import CHECKS, Heartbeat, decode
from tests.wire_schema import keys_of

SHARED = {"n", "b", "t"}  # of every kind of message


def test_the_table_has_the_keys_of_the_schema_with_their_types() -> None:
    table = {value.key: {"csq": "count"}.get(value.type, value.type) for value in HEARTBEAT}
    assert table == {key: row.type for key, row in keys_of("heartbeat").items() if key not in SHARED}
    assert {value.type for value in HEARTBEAT} <= CHECKS.keys()


@pytest.mark.parametrize("column", [0, 1])
def test_keys_and_names_are_there_once(column: int) -> None:
    names = [value[column] for value in HEARTBEAT]
    assert len(set(names)) == len(names)


def test_every_value_of_a_heartbeat_is_found_by_its_name() -> None:
    heartbeat = decode("heartbeat", b'{"a":16,"f":["diode"],"s":"C2"}')
    assert isinstance(heartbeat, Heartbeat)
    known = {value.name: heartbeat.get(value.name) for value in HEARTBEAT if heartbeat.get(value.name) is not None}
    assert known == {"amps": 16, "faults": ["diode"], "state": "C2"}


@pytest.mark.parametrize(
    ("value", "raw", "words"),
    [
        (Value("k", "n", "number", unit="A", format="g"), 16.0, "16 A"),
        (Value("k", "n", "count", unit="kWh", per=1000, format=",.1f"), 1_234_567, "1,234.6 kWh"),
        (Value("k", "n", "count"), 1234, "1,234"),
        (Value("k", "n", "count"), 0, "0"),
        (Value("k", "n", "count", zero=False), 0, None),
        (Value("k", "n", "flag"), False, "no"),
        (Value("k", "n", "names"), ["one", "two"], "one, two"),
        (Value("k", "n", "text"), None, None),
    ],
)
def test_a_value_in_words(value: Value, raw: Any, words: str | None) -> None:
    assert in_words(value, raw) == words
