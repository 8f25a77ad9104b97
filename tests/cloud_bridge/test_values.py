"""Does one row describe a value of the heartbeat, from the wire to the interface and the dashboard?"""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from cloud_bridge.values import HEARTBEAT, Value, in_words
from cloud_bridge.wire import CHECKS, Heartbeat, decode
from tests.copied_tree import CopiedTree
from tests.wire_schema import keys_of

ABOUT_IT = 8  # tests of a key and its sample
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


# A value that there is not, in the three files that it takes. Its firmware would send the key.
NEW_SAMPLE = "tests/samples/heartbeat-board-temperature.json"
NEW_LINES = {
    "cloud_bridge/values.py": (
        'HEARTBEAT = (\n    Value("zc", "board_c", "number", label="Inside the charger", unit="°C", format=".1f"),',
        "HEARTBEAT = (",
    ),
    "tests/samples/schema.toml": (
        '[heartbeat]\nzc = ["number", "deg C", "-50..150", "firmware/link/messages.py", "cloud_bridge/values.py", '
        '"Temperature of the board."]',
        "[heartbeat]",
    ),
}
LOOK = """
import json, sys
from pathlib import Path
from cloud_bridge.store.people import Role
from tests.cloud_bridge.people import Visitor
from tests.cloud_bridge.running import Unit, running_bridge, sample
with running_bridge(Path(sys.argv[1])) as bridge:
    unit = Unit(bridge, "cp-1", bridge.add_unit("cp-1").secret).connect()
    unit.publish("cp/cp-1/heartbeat", sample("heartbeat-board-temperature"))
    page = Visitor(bridge, "olga", Role.OPERATOR).read("/charge-points/cp-1")
    print(json.dumps({"interface": bridge.read("cp-1"), "page": page}))
"""


@pytest.fixture
def copied(tmp_path: Path) -> CopiedTree:
    """The tree, with the new value."""
    tree = CopiedTree(tmp_path)
    for name, (new, old) in NEW_LINES.items():
        tree.change(name, {old: new})
    tree.write(NEW_SAMPLE, '{"n":1,"b":1,"s":"A1","f":[],"zc":41.25}')
    return tree


def test_a_new_value_reaches_interface_and_dashboard_by_three_files(copied: CopiedTree) -> None:
    seen = json.loads(copied.run("-c", LOOK, "store"))
    assert seen["interface"]["board_c"] == 41.25
    assert "Inside the charger 41.2 °C" in seen["page"]
    assert len([*NEW_LINES, NEW_SAMPLE]) == 3


def test_the_contract_holds_with_a_new_value(copied: CopiedTree) -> None:
    """The tests of schema, samples and decoding, in the copy, as far as they are about it."""
    tests = ("tests/test_wire_schema.py", "tests/cloud_bridge/test_wire.py")
    about = "zc or board-temperature or the_bridge_decodes"
    said = copied.run("-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", about, *tests)
    assert int(re.findall(r"(\d+) passed", said)[0]) >= ABOUT_IT, said
